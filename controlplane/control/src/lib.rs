//! The control core: numbers, plans, table building and publication.
