//! What a process takes of the machine, as the kernel counts it.

use std::{fs::read_to_string, time::Duration};

/// The kernel counts time in hundredths of a second, whatever its own clock does.
const TICKS: u64 = 100;

/// Time on a processor, all threads together.
pub fn cpu(pid: u32) -> Duration {
    let text = read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name may hold anything; what is behind it is numbers.
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    Duration::from_millis((ticks(11) + ticks(12)) * 1000 / TICKS)
}

/// Resident memory in MiB.
pub fn resident(pid: u32) -> f64 {
    let text = read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}
