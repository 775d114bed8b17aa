//! Room of `control`.
