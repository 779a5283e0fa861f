//! Headers as views and one total parser: bytes in, a value or a reason out.
