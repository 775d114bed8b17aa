//! Yard.
fn main() {}
