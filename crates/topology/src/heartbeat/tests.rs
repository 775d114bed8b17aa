//! The rules of a heartbeat: whose row counts, how old it is, and what is no answer.

use super::*;

fn heartbeat(roots: &[u32]) -> Heartbeat {
    Heartbeat { table: TableName::new("percona", "heartbeat"), utc: true, roots: roots.to_vec() }
}

/// The server asked has id 3; it is one minute past one.
fn judged(roots: &[u32], beats: &[(u32, &str)]) -> Result<f64, String> {
    let beat = |(id, ts): &(u32, &str)| Beat { server_id: Some(*id), ts: (*ts).to_owned() };
    let now = moment("2026-11-22 01:01:00.000000").expect("a moment");
    heartbeat(roots).judge(&Seen { now, own: 3, beats: beats.iter().map(beat).collect() })
}

#[test]
fn the_age_is_told_below_the_second() {
    let age = judged(&[], &[(1, "2026-11-22T01:00:59.995500")]).expect("an age");
    assert!((age - 0.0045).abs() < 1e-9, "{age}");
    assert_eq!(judged(&[], &[(1, "2026-11-22 01:00:58")]), Ok(2.0), "older ones part day and time with a blank");
    assert_eq!(judged(&[], &[(1, "2026-11-21T01:01:00.000000")]), Ok(86_400.0));
}

#[test]
fn a_clock_that_runs_ahead_a_little_is_no_lag_and_a_time_zone_is_an_error() {
    assert_eq!(judged(&[], &[(1, "2026-11-22T01:01:00.300000")]), Ok(0.0));
    let zone = judged(&[], &[(1, "2026-11-22T09:01:00.000000")]).expect_err("eight hours ahead");
    assert!(zone.contains("28800 s ahead") && zone.contains("utc"), "{zone}");
}

#[test]
fn ones_own_row_never_counts() {
    let beats = [(3, "2026-11-22T01:01:00.000000"), (1, "2026-11-22T01:00:00.000000")];
    assert_eq!(judged(&[], &beats), Ok(60.0));
    assert!(judged(&[], &beats[..1]).expect_err("only its own").contains("no row of another server"));
    assert!(judged(&[3], &beats[..1]).is_err(), "not even where it is called a root");
}

#[test]
fn the_row_of_the_root_counts_and_not_a_newer_one_of_a_server_in_between() {
    let beats = [(1, "2026-11-22T01:00:00.000000"), (2, "2026-11-22T01:01:00.000000")];
    assert_eq!(judged(&[1], &beats), Ok(60.0));
    assert_eq!(judged(&[1, 2], &beats), Ok(60.0), "of several roots the one furthest behind");
    assert_eq!(judged(&[], &beats), Ok(0.0), "unknown roots: the newest, an old primary's row stays for ever");
    let missing = judged(&[7], &beats).expect_err("its row is not there");
    assert!(missing.contains("server id 7") && missing.contains("`percona`.`heartbeat`"), "{missing}");
}

#[test]
fn what_cannot_be_read_is_no_age() {
    for ts in ["", "now", "2026-11-22", "2026-13-22T01:00:00", "2026-11-22T01:00:00Z", "2026-11-22T01:00:00-04:00"] {
        let told = judged(&[], &[(1, ts)]).expect_err(ts);
        assert!(told.contains("is not a moment"), "{ts}: {told}");
    }
    assert!(judged(&[], &[(1, "junk"), (2, "2026-11-22T01:01:00")]).is_err(), "one unreadable row is a doubt");
}
