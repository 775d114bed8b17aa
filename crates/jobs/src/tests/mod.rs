//! Tests of the engine on the store in memory.

mod memory;
