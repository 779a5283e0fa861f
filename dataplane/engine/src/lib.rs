//! One packet's decision: parse, classify, look up, select, encapsulate, with one counted verdict.
