//! Tests of the budget gate: pure.

use super::*;
use proptest::prelude::*;

const NODE: &str = "h:1";
const NOON: &str = "2026-01-02T12:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

fn later(seconds: i64) -> Timestamp {
    at(NOON).checked_add(SignedDuration::from_secs(seconds)).expect("a moment")
}

fn of_bytes(rate: u64) -> Budget {
    Budget { bytes_per_hour: Some(rate), minutes_per_day: None }
}

fn of_minutes(minutes: u64) -> Budget {
    Budget { bytes_per_hour: None, minutes_per_day: Some(minutes) }
}

/// Begun so many seconds after noon, for so many.
fn spending(after: i64, seconds: i64, bytes: u64) -> Spending {
    Spending { node: NODE.into(), at: later(after), until: Some(later(after + seconds)), bytes }
}

fn asked(budget: &Budget, spendings: &[Spending], now: Timestamp, bytes: u64, seconds: f64) -> GateVerdict {
    verdict(budget, &Ok(Spent::of(spendings, NODE, budget, now)), bytes, seconds)
}

fn is_wait(verdict: &GateVerdict) -> bool {
    matches!(verdict, GateVerdict::Wait { .. })
}

#[test]
fn nothing_said_is_no_limit_and_asks_for_no_history() {
    assert_eq!(verdict(&Budget::default(), &Err("gone".into()), u64::MAX, f64::INFINITY), GateVerdict::Pass);
}

#[test]
fn what_cannot_be_read_is_waited_for() {
    for budget in [of_bytes(1 << 40), of_minutes(1440)] {
        assert!(is_wait(&verdict(&budget, &Err("the store is away".into()), 1, 1.0)));
    }
}

#[test]
fn the_bucket_leaks_a_budget_an_hour() {
    let (budget, spent) = (of_bytes(1000), [spending(0, 10, 800)]);
    assert_eq!(asked(&budget, &spent, later(0), 200, 1.0), GateVerdict::Pass);
    assert!(is_wait(&asked(&budget, &spent, later(0), 201, 1.0)));
    // A quarter of an hour leaks a quarter of the budget.
    assert_eq!(asked(&budget, &spent, later(900), 450, 1.0), GateVerdict::Pass);
    assert!(is_wait(&asked(&budget, &spent, later(900), 451, 1.0)));
    // Another node's does not count, and a clock ahead of ours gives nothing away.
    let other = [Spending { node: "h:2".into(), ..spending(0, 10, 1000) }];
    assert_eq!(asked(&budget, &other, later(0), 1000, 1.0), GateVerdict::Pass);
    assert!(is_wait(&asked(&budget, &[spending(60, 10, 1000)], later(0), 1, 1.0)));
}

#[test]
fn what_is_larger_than_an_hours_budget_begins_in_an_empty_bucket_and_leaves_a_debt() {
    let budget = of_bytes(1000);
    assert_eq!(asked(&budget, &[], later(0), 3000, 1.0), GateVerdict::Pass);
    assert!(is_wait(&asked(&budget, &[spending(0, 1, 1)], later(0), 3000, 1.0)));
    let debt = [spending(0, 10, 3000)];
    assert!(is_wait(&asked(&budget, &debt, later(2 * 3600 - 4), 1, 1.0)));
    assert_eq!(asked(&budget, &debt, later(2 * 3600 + 4), 1, 1.0), GateVerdict::Pass);
    // A debt of years is forgiven after a day and an hour.
    let giant = [spending(0, 10, u64::MAX)];
    assert!(is_wait(&asked(&budget, &giant, later(25 * 3600 - 1), 1, 1.0)));
    assert_eq!(asked(&budget, &giant, later(25 * 3600 + 1), 1, 1.0), GateVerdict::Pass);
}

#[test]
fn a_day_has_its_minutes_and_the_next_has_them_anew() {
    let budget = of_minutes(10);
    let late = at("2026-01-02T23:59:00Z");
    let spent = [spending(0, 500, 1)];
    assert_eq!(asked(&budget, &spent, late, 1, 100.0), GateVerdict::Pass);
    assert!(is_wait(&asked(&budget, &spent, late, 1, 101.0)));
    assert_eq!(asked(&budget, &spent, at("2026-01-03T00:00:00Z"), 1, 600.0), GateVerdict::Pass);
    // No day is long enough, whatever was spent or can be read.
    let GateVerdict::Refuse { reason } = verdict(&budget, &Err("away".into()), 1, 601.0) else { panic!("not refused") };
    assert!(reason.contains("raise recycling.budget.minutes_per_day"), "{reason}");
    assert!(matches!(verdict(&budget, &Ok(Spent::default()), 1, f64::INFINITY), GateVerdict::Refuse { .. }));
}

#[test]
fn one_without_an_end_counts_until_now_and_its_own_day_only_in_part() {
    let open = Spending { at: at("2026-01-01T23:00:00Z"), until: None, ..spending(0, 0, 1) };
    let seconds = |now: &str| Spent::of(std::slice::from_ref(&open), NODE, &of_minutes(1), at(now)).seconds;
    assert!((seconds("2026-01-02T00:10:00Z") - 600.0).abs() < 1e-6, "since midnight");
    assert!((seconds("2026-01-02T12:00:00Z") - 43_200.0).abs() < 1e-6);
    // One nobody ever looked after again: no more than a day and an hour from its beginning.
    assert!(seconds("2026-01-03T12:00:00Z") < 1e-6);
}

#[test]
fn both_budgets_hold() {
    let budget = Budget { bytes_per_hour: Some(1000), minutes_per_day: Some(10) };
    let spent = [spending(0, 500, 900)];
    assert_eq!(asked(&budget, &spent, later(500), 100, 100.0), GateVerdict::Pass);
    assert!(is_wait(&asked(&budget, &spent, later(500), 1000, 100.0)));
    assert!(is_wait(&asked(&budget, &spent, later(500), 100, 101.0)));
}

proptest! {
    /// Whatever is asked for whenever: where each piece begins as the gate lets it, no stretch of time sees more bytes begin than
    /// it leaks plus one budget, or one piece that is larger.
    #[test]
    fn the_rate_holds_over_every_stretch(
        pieces in prop::collection::vec((0i64..4000, 1u64..2500), 1..30),
    ) {
        let budget = of_bytes(1000);
        let (mut now, mut spent) = (0, Vec::new());
        for (pause, bytes) in pieces {
            now += pause;
            // A day's wait is always enough.
            while asked(&budget, &spent, later(now), bytes, 1.0) != GateVerdict::Pass {
                now += 60;
                prop_assert!(now < 100 * 86_400);
            }
            spent.push(spending(now, 1, bytes));
        }
        for first in 0..spent.len() {
            for last in first..spent.len() {
                let bytes: u64 = spent[first..=last].iter().map(|one| one.bytes).sum();
                let span = spent[last].at.duration_since(spent[first].at).as_secs_f64();
                let largest = spent[first..=last].iter().map(|one| one.bytes).max().unwrap_or(0);
                let most = 1000.0 * span / 3600.0 + largest.max(1000) as f64;
                prop_assert!(bytes as f64 <= most + 1.0, "{bytes} in {span} s");
            }
        }
    }

    /// Less is never held up where more is let in, and a little later nothing is that was not before.
    #[test]
    fn less_and_later_never_waits_more(bytes in 0u64..5000, less in 0u64..5000, filled in 0u64..5000, pause in 0i64..9000) {
        let (budget, spent) = (of_bytes(1000), [spending(0, 1, filled)]);
        if asked(&budget, &spent, later(0), bytes, 1.0) == GateVerdict::Pass {
            prop_assert_eq!(asked(&budget, &spent, later(pause), bytes.min(less), 1.0), GateVerdict::Pass);
        }
    }
}
