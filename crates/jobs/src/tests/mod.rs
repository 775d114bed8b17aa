//! Tests of the engine on the store in memory.

mod memory;
mod runner;
mod saga;
