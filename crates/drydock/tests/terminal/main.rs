//! The terminal as a person has it: questions, interrupts, the live screen, and a window that is closed.
#![allow(clippy::expect_used, clippy::panic, reason = "a test stops where it fails")]

mod fleet;
mod monitor;
mod pty;
mod questions;
#[path = "../support/mod.rs"]
mod support;

mod interrupts;
