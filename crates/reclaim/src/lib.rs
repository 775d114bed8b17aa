//! Room of `reclaim`.
