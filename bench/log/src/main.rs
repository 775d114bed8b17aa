//! Measures the log beside its rivals: `cargo run --release -p log-bench -- writes|disk|tail|idle|recovery`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a measuring program stops loudly")]

mod cluster;
mod disk;
mod engine;
mod etcd;
mod floor;
mod idle;
mod load;
mod member;
mod place;
mod process;
mod recovery;
mod tail;
mod writes;

#[path = "../../src/machine.rs"]
mod machine;
#[path = "../../src/table.rs"]
#[allow(dead_code, reason = "each measuring package uses its part")]
mod table;

const USAGE: &str =
    "log-bench writes [SECONDS [BYTES CLIENTS]] | disk [MIB] | tail [MIB] | idle [SHARDS] | recovery [GIB]";

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (what, rest) = arguments.split_first().expect(USAGE);
    let number = |otherwise: u64| rest.first().map_or(otherwise, |text| text.parse().expect(USAGE));
    match what.as_str() {
        "writes" => writes::measure(number(6), rest.get(1..).unwrap_or_default()).await,
        "disk" => disk::measure(number(1024)).await,
        "tail" => tail::measure(number(1024)).await,
        "idle" => idle::measure(number(1000)).await,
        "recovery" => recovery::measure(number(10)).await,
        // What it starts of itself.
        "member" => member::run(rest).await,
        "echo" => floor::echo(),
        _ => panic!("{USAGE}"),
    }
}
