//! Roof.
fn main() {}
