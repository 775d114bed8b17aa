//! Saga tests for free.
