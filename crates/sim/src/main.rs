//! Replays a night: `cargo run -p sim -- SEED STEPS`.

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|text| text.parse().ok());
    let (seed, steps) = (arguments.next().unwrap_or(0), arguments.next().unwrap_or(3000));
    println!("seed {seed}: {:?}", sim::night(seed, steps));
}
