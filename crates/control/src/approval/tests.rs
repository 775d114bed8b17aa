//! Whose yes counts, for which job, and which jobs wait for one.

use super::*;
use api::{DatabaseTarget, JobStatus, Plan, WorkMode};
use jiff::Timestamp;
use types::Secret;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn document(exclude_primary: bool) -> RecycleDocument {
    let target = DatabaseTarget { host: "db1".into(), port: 3306, username: "u".into(), password: Secret::default() };
    let config = RecycleConfig { exclude_primary, ..RecycleConfig::new(target) };
    let plan = Plan {
        created_at: NOW,
        cluster_id: String::new(),
        config: config.clone(),
        mode: config.mode,
        nodes: Vec::new(),
        file_bytes: 0,
        predicted_freed_bytes: 0,
        predicted_seconds: 0.0,
        warnings: Vec::new(),
        digest: "looked-at".to_owned(),
    };
    RecycleDocument::new(config, plan, NOW)
}

fn marked(exclude_primary: bool, two_person: bool) -> RecycleDocument {
    let mut document = document(exclude_primary);
    mark(&mut document, &Settings { two_person, ..Settings::default() }, "ann");
    document
}

fn record(status: JobStatus) -> JobRecord {
    JobRecord {
        id: JobId("job-20260101-001".into()),
        kind: reclaim::trade::KIND.to_owned(),
        status,
        progress: 0.0,
        body: serde_json::Value::Null,
        created_at: NOW,
        updated_at: NOW,
        cancel_requested: false,
        version: 1,
    }
}

fn said(document: &RecycleDocument, actor: &str, digest: Option<&str>) -> Result<Yes, Code> {
    judge(&record(JobStatus::Pending), document, actor, digest).map_err(|failure| failure.code)
}

#[test]
fn only_what_may_touch_a_writer_waits_and_only_where_two_people_are_asked_for() {
    for (exclude_primary, two_person) in [(true, true), (true, false), (false, false)] {
        let document = marked(exclude_primary, two_person);
        assert_eq!((document.job.awaits_approval(), document.job.progress.phase.as_str()), (false, ""));
    }
    let waiting = marked(false, true);
    assert!(waiting.job.awaits_approval());
    assert_eq!((waiting.job.approval, waiting.job.progress.phase.as_str()), (Some(Approval::asked_by("ann")), PHASE));
}

#[test]
fn a_logged_statement_waits_whatever_is_excluded() {
    let mut logged = document(true);
    logged.job.config.mode = WorkMode::BinlogOn;
    mark(&mut logged, &Settings { two_person: true, ..Settings::default() }, "ann");
    assert!(logged.job.awaits_approval());
}

#[test]
fn old_jobs_still_read_and_the_mark_is_kept() {
    let old = serde_json::to_value(document(false)).unwrap();
    assert!(old.get("approval").is_none());
    assert!(!serde_json::from_value::<RecycleDocument>(old).unwrap().job.awaits_approval());
    let new = serde_json::to_value(marked(false, true)).unwrap();
    assert_eq!(new["approval"], serde_json::json!({ "asked_by": "ann" }));
    assert!(serde_json::from_value::<RecycleDocument>(new).unwrap().job.awaits_approval());
}

#[test]
fn another_person_lets_it_begin_and_nobody_else() {
    let waiting = marked(false, true);
    assert_eq!(said(&waiting, "bob", None), Ok(Yes::Given));
    for one in ["ann", "cli:ann", "Ann", " ann", "anonymous@127.0.0.1"] {
        assert_eq!(said(&waiting, one, None), Err(Code::Forbidden), "{one}");
    }
    let mut by_terminal = document(false);
    by_terminal.job.approval = Some(Approval::asked_by("cli:ann"));
    assert_eq!(said(&by_terminal, "ann", None), Err(Code::Forbidden));
    assert_eq!(said(&by_terminal, "cli:bob", None), Ok(Yes::Given));
}

#[test]
fn the_plan_that_was_looked_at_is_the_one_approved() {
    let waiting = marked(false, true);
    assert_eq!(said(&waiting, "bob", Some("looked-at")), Ok(Yes::Given));
    assert_eq!(said(&waiting, "bob", Some("another")), Err(Code::JobState));
}

#[test]
fn a_yes_is_said_once_and_may_be_repeated_by_who_said_it() {
    let yes = approved(record(JobStatus::Pending), marked(false, true), "bob", NOW).unwrap();
    let document: RecycleDocument = serde_json::from_value(yes.body).unwrap();
    assert!(!document.job.awaits_approval() && document.job.progress.phase.is_empty());
    assert_eq!(said(&document, "bob", None), Ok(Yes::Again));
    assert_eq!(said(&document, "eve", None), Err(Code::JobState));
    assert_eq!(said(&document, "ann", None), Err(Code::Forbidden));
}

#[test]
fn what_is_final_cancelled_or_in_need_of_nobody_is_not_approved() {
    let code =
        |record: &JobRecord, document: &RecycleDocument| judge(record, document, "bob", None).map_err(|f| f.code);
    let waiting = marked(false, true);
    for status in [JobStatus::Completed, JobStatus::Failed, JobStatus::Cancelled] {
        assert_eq!(code(&record(status), &waiting), Err(Code::JobState), "{status:?}");
    }
    let cancelled = JobRecord { cancel_requested: true, ..record(JobStatus::Pending) };
    assert_eq!(code(&cancelled, &waiting), Err(Code::JobState));
    assert_eq!(code(&record(JobStatus::Pending), &marked(true, true)), Err(Code::JobState));
}
