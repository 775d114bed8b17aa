//! Bad nights: each seed plays one. `SIM_SEEDS` and `SIM_STEPS` make it more.

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn nothing_acknowledged_is_lost_and_everything_heals() {
    let (seeds, steps) = (number("SIM_SEEDS", 60), number("SIM_STEPS", 3000));
    let mut acked = 0;
    for seed in 0..seeds {
        eprintln!("replay with: cargo run -p sim -- {seed} {steps}");
        acked += sim::night(seed, steps).acked;
    }
    println!("{seeds} seeds, {} steps, {acked} records acknowledged", seeds * steps);
    assert!(acked > 0);
}

#[test]
fn a_seed_replays() {
    assert_eq!(sim::night(7, 4000), sim::night(7, 4000));
}
