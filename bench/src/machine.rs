//! One line about the machine a figure was taken on.

use std::fs::read_to_string;

/// Processor, cores, memory, kernel, load at this moment.
pub fn line() -> String {
    let field = |path: &str, key: &str| {
        let text = read_to_string(path).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
        line.split_once(':').map_or(String::new(), |(_, value)| value.trim().to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let memory: u64 = field("/proc/meminfo", "MemTotal").split(' ').next().and_then(|kb| kb.parse().ok()).unwrap_or(0);
    let kernel = read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = read_to_string("/proc/loadavg").unwrap_or_default();
    format!(
        "{}, {cores} cores, {} GiB, Linux {}, load {}",
        field("/proc/cpuinfo", "model name"),
        memory >> 20,
        kernel.trim(),
        load.split(' ').next().unwrap_or_default()
    )
}
