//! Whatever a file holds: case changes nothing, and no text breaks the reader.

mod desk;

use desk::{CN, LAUNCH, LOG1, LOG2, TN};
use mo_config::{Cn, Launch, LogStore, ServiceConfig, Source, Tn, check, report};
use proptest::prelude::*;

/// The text with the letters of its keys and tables turned over where a bit says so; values stay.
fn turned(text: &str, bits: &[bool]) -> String {
    let mut bits = bits.iter().cycle();
    let mut turn = |part: &str| -> String {
        let one =
            |c: char| if *bits.next().unwrap_or(&false) { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
        part.chars().map(one).collect()
    };
    let line = |line: &str| match line.split_once('=') {
        _ if line.trim_start().starts_with(['#', '"', ']', '\'']) => line.to_owned(),
        _ if line.trim_start().starts_with('[') => turn(line),
        Some((key, value)) => format!("{}={value}", turn(key)),
        None => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn read(text: &str) -> ServiceConfig {
    ServiceConfig::read(Source::new("a.toml", "/srv"), text).value
}

/// Reads a text in every way there is.
fn everything(text: &str) {
    let read = ServiceConfig::read(Source::new("a.toml", "/srv"), text);
    let launch = Launch::read(Source::new("a.toml", "/srv"), text);
    let _ = (report(&read.findings), report(&launch.findings), launch.value.files().count());
    let _ = report(&check(&[read.value.clone(), read.value.clone()]));
    let _ = (LogStore::of(&read.value, "h"), Tn::of(&read.value), Cn::of(&read.value));
}

/// Pieces that make texts near to real ones, where breaking is likelier than in noise.
fn piece() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "[logservice]\n",
        "[logservice.BootstrapConfig]\n",
        "[[fileservice]]\n",
        "[fileservice]\n",
        "[dn]\n",
        "[tn]\n",
        "uuid",
        "name",
        "=",
        "\"",
        "[",
        "]",
        "{",
        "}",
        ".",
        "\n",
        "1",
        "-",
        "true",
        "\"131072:x\"",
        "\"5s\"",
        "\"0.0.0.0:1\"",
        "service-type = \"LOG\"\n",
        "gossip-seed-addresses",
        "init-hakeeper-members",
        "raft-address",
        "\u{feff}",
        "é",
        "东",
        "tick-per-second = 9223372036854775807\n",
        "hakeeper-tick-interval = \"9999999h\"\n",
        "data-dir = \"../../..\"\n",
    ]);
    prop_oneof![4 => known.prop_map(str::to_owned), 1 => ".{0,12}"]
}

proptest! {
    #[test]
    fn the_case_of_keys_changes_nothing(bits in prop::collection::vec(any::<bool>(), 1..97)) {
        for text in [LOG1, LOG2, TN, CN] {
            prop_assert_eq!(read(&turned(text, &bits)), read(text));
        }
        let launch = |text: &str| Launch::read(Source::new("l", "/srv"), text);
        prop_assert_eq!(launch(&turned(LAUNCH, &bits)), launch(LAUNCH));
    }

    #[test]
    fn no_noise_breaks_the_reader(text in any::<String>()) {
        everything(&text);
    }

    #[test]
    fn no_mixture_of_real_pieces_breaks_the_reader(pieces in prop::collection::vec(piece(), 0..40)) {
        everything(&pieces.concat());
    }

    #[test]
    fn no_cut_of_a_real_file_breaks_the_reader(at in 0..LOG2.len(), with in ".{0,3}") {
        let cut = (0..=at).rev().find(|cut| LOG2.is_char_boundary(*cut)).unwrap_or(0);
        everything(&LOG2[..cut]);
        everything(&format!("{}{with}{}", &LOG2[..cut], &LOG2[cut..]));
    }
}

#[test]
fn deep_nesting_is_a_finding() {
    everything(&format!("a = {}", "[".repeat(100_000)));
    everything(&format!("a{} = 1", ".a".repeat(100_000)));
    everything(&format!("[{}a]", "logservice.".repeat(50_000)));
}
