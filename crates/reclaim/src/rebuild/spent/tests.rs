//! Tests of reading costs from a journal: pure.

use super::*;
use crate::rebuild::{file::Identity, verify::Measured};
use jiff::SignedDuration;
use serde_json::json;
use types::{Code, Failure};

const UNIT: &str = "h:1/`d`.`t`";

fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH.checked_add(SignedDuration::from_secs(seconds)).expect("a moment")
}

fn entry(seconds: i64, step: &str, event: Event) -> JournalEntry {
    JournalEntry { sequence: seconds.unsigned_abs(), unit: UNIT.into(), step: step.into(), event, at: at(seconds) }
}

fn attempt(seconds: i64, below: &[&str]) -> JournalEntry {
    let attempt = Attempt {
        connection: 7,
        marker: "/* drydock j/1 */".into(),
        before: Identity { spaces: [(String::new(), (3, 900))].into() },
        definition: String::new(),
        own: String::new(),
        below: below.iter().map(|name| ((*name).to_owned(), Identity::default())).collect(),
        at: at(seconds),
        predicted: Some(100),
    };
    entry(seconds, "rebuild", Event::Noted(json!(attempt)))
}

fn read(entries: &[JournalEntry]) -> Vec<Spending> {
    let mut found = spent(|see| entries.iter().for_each(see)).expect("a journal");
    found.sort_by(|a, b| (a.at, &a.node).cmp(&(b.at, &b.node)));
    found
}

fn one(node: &str, from: i64, until: Option<i64>, bytes: u64) -> Spending {
    Spending { node: node.into(), at: at(from), until: until.map(at), bytes }
}

fn verified(seconds: i64, nodes: &[(&str, u64)]) -> JournalEntry {
    let measured = |(node, after): &(&str, u64)| Measured {
        node: (*node).to_owned(),
        before: 900,
        after: *after,
        spaces: Vec::new(),
    };
    let report = Report { measured: nodes.iter().map(measured).collect(), seconds: 1.0 };
    entry(seconds, "verify", Event::Done(json!(report)))
}

fn started(seconds: i64, step: &str) -> JournalEntry {
    entry(seconds, step, Event::Started)
}

#[test]
fn a_rebuild_costs_its_time_and_what_was_measured() {
    let waiting = [started(1, "gate"), entry(2, "gate", Event::Done(json!({}))), started(3, "rebuild")];
    assert_eq!(read(&waiting), [], "waiting costs nothing");
    let mut journal = waiting.to_vec();
    journal.push(attempt(10, &[]));
    assert_eq!(read(&journal), [one("h:1", 10, None, 100)], "a crash here: it may be running, and writes as predicted");
    journal.push(entry(20, "rebuild", Event::Done(json!({}))));
    assert_eq!(read(&journal), [one("h:1", 10, Some(20), 100)]);
    journal.extend([started(21, "verify"), verified(30, &[("h:1", 77)])]);
    assert_eq!(read(&journal), [one("h:1", 10, Some(20), 77)]);
}

#[test]
fn what_failed_has_cost_its_time_and_its_bytes_as_predicted() {
    let failed = Event::Failed(Failure::new(Code::JobState, "no", "nothing"));
    let mut journal = vec![attempt(10, &[]), entry(20, "rebuild", failed)];
    assert_eq!(read(&journal), [one("h:1", 10, None, 100)], "until its statement is known to be gone");
    journal.push(entry(25, "rebuild", Event::Undone));
    assert_eq!(read(&journal), [one("h:1", 10, Some(25), 100)]);
}

#[test]
fn waiting_between_two_attempts_costs_nothing() {
    let ceased = json!(Ceased { ceased_at: at(12), written: 20 });
    let journal = [attempt(10, &[]), entry(13, "rebuild", Event::Noted(ceased)), attempt(5000, &[])];
    assert_eq!(read(&journal), [one("h:1", 10, Some(12), 20), one("h:1", 5000, None, 100)]);
}

#[test]
fn a_logged_statement_costs_the_nodes_below_too() {
    let mut journal = vec![attempt(10, &["h:2", "h:3"]), entry(20, "rebuild", Event::Done(json!({})))];
    let open = [one("h:1", 10, Some(20), 100), one("h:2", 20, None, 100), one("h:3", 20, None, 100)];
    assert_eq!(read(&journal), open);
    journal.push(verified(40, &[("h:1", 71), ("h:3", 73), ("h:2", 72)]));
    let measured = [one("h:1", 10, Some(20), 71), one("h:2", 20, Some(40), 72), one("h:3", 20, Some(40), 73)];
    assert_eq!(read(&journal), measured);
}

#[test]
fn journals_of_older_versions_are_read_and_broken_ones_are_not_passed_over() {
    let without = |key: &str| {
        let JournalEntry { event: Event::Noted(mut note), .. } = attempt(10, &[]) else { panic!("a note") };
        note.as_object_mut().expect("an object").remove(key);
        [entry(10, "rebuild", Event::Noted(note))]
    };
    assert_eq!(read(&without("predicted")), [one("h:1", 10, None, 900)], "the size before");
    let broken = without("at");
    assert!(spent(|see| broken.iter().for_each(see)).is_err());
}
