//! A few rounds of sudden death on each engine; `CRASH_ROUNDS` and `CRASH_SEED` choose more of them, and others.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

use bench::crash;
use runtime::Random;
use std::path::Path;
use testkit::Engine;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

async fn rounds(engine: Engine) {
    if !engine.is_available() {
        return eprintln!("skipped: no {} here", engine.name());
    }
    let program = Path::new(env!("CARGO_BIN_EXE_crash_rounds"));
    let count = u32::try_from(number("CRASH_ROUNDS", 2)).expect("a count");
    let all = crash::play(engine, program, count, &Random::seeded(number("CRASH_SEED", 1))).await;
    let wrong: Vec<_> = all.into_iter().filter(|round| !round.wrong.is_empty()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn mariadb_survives_sudden_death() {
    rounds(Engine::MariaDb).await;
}

#[tokio::test]
async fn mysql_survives_sudden_death() {
    rounds(Engine::MySql).await;
}
