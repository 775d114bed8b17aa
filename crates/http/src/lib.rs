//! Room of `http`.
