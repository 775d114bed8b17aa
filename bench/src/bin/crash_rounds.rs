//! A hundred rounds of sudden death, by hand: `cargo run -p bench --bin crash_rounds -- [rounds] [mariadb|mysql] [seed]`.
//! Exits 1 if anything was wrong after any round.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a measuring program stops loudly")]

use bench::crash::{self, worker};
use runtime::Random;
use testkit::Engine;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [first, place] = arguments.as_slice()
        && first == "worker"
    {
        return worker::work(place).await;
    }
    let rounds: u32 = arguments.first().and_then(|text| text.parse().ok()).unwrap_or(100);
    let seed: u64 = arguments.get(2).and_then(|text| text.parse().ok()).unwrap_or(1);
    let wanted = |engine: &Engine| arguments.get(1).is_none_or(|name| name == engine.name());
    let program = std::env::current_exe().unwrap();
    let mut wrong = 0;
    for engine in Engine::available().into_iter().filter(wanted) {
        let all = crash::play(engine, &program, rounds, &Random::seeded(seed)).await;
        let (tools, servers): (u32, u32) = all.iter().fold((0, 0), |sum, r| (sum.0 + r.tools, sum.1 + r.servers));
        let (cured, unbegun): (u32, u32) = all.iter().fold((0, 0), |sum, r| (sum.0 + r.cured, sum.1 + r.unbegun));
        let bad = all.iter().filter(|round| !round.wrong.is_empty()).count();
        println!(
            "{}: {} rounds (seed {seed}), the tool killed {tools} times, a server {servers} times ({cured} times its recovery logged \
             our statement, and what the job said against it was done; {unbegun} times a job could not begin and was started \
             again), {bad} rounds with something wrong",
            engine.name(),
            all.len()
        );
        wrong += bad;
    }
    std::process::exit(i32::from(wrong > 0));
}
