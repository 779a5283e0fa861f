//! Golden packet cases, labs in network namespaces, and the tests that hold the house's law.
