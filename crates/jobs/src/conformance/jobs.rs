//! Names, lists, compare-and-swap, requests to cancel.

use super::{Case, Pair, at, claim, made, new_job, noted};
use crate::{JobFilter, JobPage, JobRecord, JobRow, StoreError};
use api::JobStatus;
use futures::{FutureExt, future::join_all};
use serde_json::json;
use std::{collections::BTreeSet, sync::Arc};
use types::JobId;

pub(super) const CASES: &[Case] = &[
    ("names count up within a UTC day", |pair| names(pair).boxed()),
    ("names have no gap and no repeat under concurrent makers", |pair| names_concurrent(pair).boxed()),
    ("a job made with a claim is held from its first moment", |pair| held_from_birth(pair).boxed()),
    ("a job is read back as it was made", |pair| read_back(pair).boxed()),
    ("a save needs the stored version", |pair| compare_and_swap(pair).boxed()),
    ("one of many concurrent saves wins", |pair| one_save_wins(pair).boxed()),
    ("a request to cancel meets no conflict and is never taken back", |pair| cancel(pair).boxed()),
    ("lists are newest first, filtered, paged and counted", |pair| lists(pair).boxed()),
    ("old final jobs are forgotten with all that is theirs, others are not", |pair| forgotten(pair).boxed()),
    ("unattended work is open, free, and oldest first", |pair| unattended(pair).boxed()),
];

async fn names(pair: Pair) {
    let day = 86_400;
    for (seconds, name) in [
        (0, "job-20261121-001"),
        (1, "job-20261121-002"),
        // 13:59:59 later the day ends; the next one counts from 1 again, and the old one goes on where it was.
        (day - 36_001, "job-20261121-003"),
        (day - 36_000, "job-20261122-001"),
        (2, "job-20261121-004"),
        (day - 35_999, "job-20261122-002"),
    ] {
        assert_eq!(made(&pair.one, seconds).await.id.as_str(), name);
    }
}

async fn names_concurrent(pair: Pair) {
    let makers = (0..40).map(|n| {
        let store = if n % 2 == 0 { Arc::clone(&pair.one) } else { Arc::clone(&pair.two) };
        tokio::spawn(async move { store.create(new_job(0)).await.expect("a job is made").id })
    });
    let names: BTreeSet<JobId> = join_all(makers).await.into_iter().map(|made| made.expect("no panic")).collect();
    let wanted: BTreeSet<JobId> = (1..=40).map(|n| JobId::of_day("20261121", n)).collect();
    assert_eq!(names, wanted);
}

async fn held_from_birth(pair: Pair) {
    let (job, lease) = pair.one.create_held(new_job(0), &claim("maker")).await.expect("made");
    assert_eq!((lease.resource.as_str(), lease.until), (job.id.as_str(), at(10)));
    let other = pair.two.take_lease(job.id.as_str(), &claim("other"), at(9)).await;
    assert!(matches!(other, Err(StoreError::Held(held)) if held.owner == "maker"));
    pair.one.save(&job, Some(&lease)).await.expect("the maker may save under it");
    assert!(pair.two.unattended(at(9), 10).await.expect("listed").is_empty());
}

async fn read_back(pair: Pair) {
    let job = made(&pair.one, 0).await;
    assert_eq!((job.status, job.progress, job.version, job.cancel_requested), (JobStatus::Pending, 0.0, 1, false));
    assert_eq!(job.body, json!({ "n": 0, "job_id": "job-20261121-001" }));
    assert_eq!((job.created_at, job.updated_at), (at(0), at(0)));
    assert_eq!(pair.two.get(&job.id).await.expect("read"), Some(job.clone()));
    let nobody = JobId("job-20261121-999".to_owned());
    assert_eq!(pair.one.get(&nobody).await.expect("read"), None);
    let second = made(&pair.one, 1).await;
    let asked = [second.id.clone(), nobody, job.id.clone()];
    let texts = pair.two.texts(&asked).await.expect("read");
    let read: Vec<JobRecord> = texts
        .into_iter()
        .zip([&second, &job])
        .map(|(text, job)| {
            let body = serde_json::from_str(&text.body).expect("JSON");
            JobRecord { id: text.id, version: text.version, body, ..job.clone() }
        })
        .collect();
    assert_eq!(read, [second.clone(), job.clone()]);
    assert_eq!(pair.two.get_many(&asked).await.expect("read"), [second, job]);
    assert_eq!(pair.two.get_many(&[]).await.expect("read"), []);
}

async fn compare_and_swap(pair: Pair) {
    let job = made(&pair.one, 0).await;
    let wanted = JobRecord {
        status: JobStatus::Running,
        progress: 12.345_678_901_234,
        body: json!({ "now": "this" }),
        updated_at: at(5),
        // What a save must not change.
        kind: "other".to_owned(),
        created_at: at(99),
        ..job.clone()
    };
    let saved = pair.one.save(&wanted, None).await.expect("saved");
    let kept = JobRecord { kind: job.kind.clone(), created_at: job.created_at, version: 2, ..wanted.clone() };
    assert_eq!(saved, kept);
    assert_eq!(pair.two.get(&job.id).await.expect("read"), Some(kept.clone()));
    let stale = pair.two.save(&JobRecord { body: json!("stale"), ..wanted }, None).await;
    assert!(matches!(stale, Err(StoreError::Conflict(id)) if id == job.id));
    assert_eq!(pair.one.get(&job.id).await.expect("read"), Some(kept.clone()));
    let nobody = JobRecord { id: JobId("job-20261121-999".to_owned()), ..kept };
    assert!(matches!(pair.one.save(&nobody, None).await, Err(StoreError::NotFound(id)) if id == nobody.id));
}

async fn one_save_wins(pair: Pair) {
    let job = made(&pair.one, 0).await;
    let savers = (0..12).map(|n| {
        let store = if n % 2 == 0 { Arc::clone(&pair.one) } else { Arc::clone(&pair.two) };
        let mine = JobRecord { body: json!(n), ..job.clone() };
        tokio::spawn(async move { store.save(&mine, None).await })
    });
    let results: Vec<_> = join_all(savers).await.into_iter().map(|saved| saved.expect("no panic")).collect();
    let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 11));
    assert!(lost.iter().all(|saved| matches!(saved, Err(StoreError::Conflict(_)))), "{lost:?}");
    assert_eq!(pair.two.get(&job.id).await.expect("read"), won.into_iter().flatten().next());
}

async fn cancel(pair: Pair) {
    let job = made(&pair.one, 0).await;
    pair.two.request_cancel(&job.id).await.expect("asked");
    pair.two.request_cancel(&job.id).await.expect("asked again");
    let saved = pair.one.save(&job, None).await.expect("the worker's save does not conflict");
    assert!(saved.cancel_requested, "the answer of a save shows the request");
    let again = pair.one.save(&JobRecord { cancel_requested: false, ..saved }, None).await.expect("saved");
    assert!(again.cancel_requested, "a save does not take the request back");
    assert!(pair.two.list(&page(&[], 1, 0)).await.expect("listed").jobs[0].cancel_requested);
    let nobody = JobId("job-20261121-999".to_owned());
    assert!(matches!(pair.one.request_cancel(&nobody).await, Err(StoreError::NotFound(_))));
}

fn page(statuses: &[JobStatus], limit: u32, offset: u32) -> JobFilter {
    JobFilter { statuses: statuses.to_vec(), limit, offset }
}

fn numbers(jobs: &[JobRow]) -> Vec<&str> {
    jobs.iter().map(|row| row.id.as_str().rsplit('-').next().unwrap_or("")).collect()
}

async fn lists(pair: Pair) {
    // Out of order, with ties; 003 and 004 are of the same moment.
    for seconds in [10, 30, 20, 20, 0] {
        made(&pair.one, seconds).await;
    }
    for (name, status) in [("001", JobStatus::Completed), ("003", JobStatus::Running)] {
        let id = JobId(format!("job-20261121-{name}"));
        let job = pair.one.get(&id).await.expect("read").expect("is there");
        pair.one.save(&JobRecord { status, ..job }, None).await.expect("saved");
    }
    let list = async |filter: JobFilter| -> JobPage { pair.two.list(&filter).await.expect("listed") };
    let all = list(page(&[], 10, 0)).await;
    assert_eq!((all.total, numbers(&all.jobs)), (5, vec!["002", "004", "003", "001", "005"]));
    let job = pair.one.get(&all.jobs[2].id).await.expect("read").expect("is there");
    assert_eq!(all.jobs[2], JobRow::from(&job), "a row is the record without its body");
    let middle = list(page(&[], 2, 1)).await;
    assert_eq!((middle.total, numbers(&middle.jobs)), (5, vec!["004", "003"]));
    let open = list(page(&[JobStatus::Pending, JobStatus::Running], 2, 2)).await;
    assert_eq!((open.total, numbers(&open.jobs)), (4, vec!["003", "005"]));
    let none = list(page(&[JobStatus::Failed], 10, 0)).await;
    assert_eq!((none.total, none.jobs.len()), (0, 0));
    let count = list(page(&[JobStatus::Completed], 0, 0)).await;
    assert_eq!((count.total, count.jobs.len()), (1, 0));
    assert_eq!(list(page(&[], u32::MAX, u32::MAX)).await.jobs.len(), 0);
}

async fn unattended(pair: Pair) {
    for seconds in [30, 10, 20, 0] {
        made(&pair.one, seconds).await;
    }
    let done = pair.one.get(&JobId("job-20261121-004".to_owned())).await.expect("read").expect("is there");
    pair.one.save(&JobRecord { status: JobStatus::Failed, ..done }, None).await.expect("saved");
    let lease = pair.one.take_lease("job-20261121-003", &claim("a"), at(0)).await.expect("taken");
    let free = async |seconds: i64, limit: u32| pair.two.unattended(at(seconds), limit).await.expect("listed");
    assert_eq!(numbers(&free(9, 10).await), ["002", "001"]);
    assert_eq!(numbers(&free(10, 10).await), ["002", "003", "001"], "a lease that lapses now is lapsed");
    assert_eq!(numbers(&free(10, 2).await), ["002", "003"]);
    pair.one.drop_lease(&lease).await.expect("dropped");
    assert_eq!(numbers(&free(1, 10).await), ["002", "003", "001"]);
}

async fn forgotten(pair: Pair) {
    // More than one statement's worth.
    for seconds in 0..30 {
        made(&pair.one, seconds).await;
    }
    let mut leases = Vec::new();
    for (number, status) in [(1, JobStatus::Completed), (2, JobStatus::Running), (4, JobStatus::Cancelled)] {
        let id = JobId::of_day("20261121", number);
        let lease = pair.one.take_lease(id.as_str(), &claim("a"), at(0)).await.expect("taken");
        pair.one.append(&id, noted(json!(number)), &lease).await.expect("appended");
        let job = pair.one.get(&id).await.expect("read").expect("is there");
        pair.one.save(&JobRecord { status, ..job }, Some(&lease)).await.expect("saved");
        leases.push((id, lease));
    }
    for number in 5..=30 {
        let job = pair.one.get(&JobId::of_day("20261121", number)).await.expect("read").expect("is there");
        pair.one.save(&JobRecord { status: JobStatus::Failed, ..job }, None).await.expect("saved");
    }
    // 001 is older, 004 is made at that moment, 002 runs.
    assert_eq!(pair.two.forget_jobs_before(at(3)).await.expect("forgotten"), 1);
    assert_eq!(pair.two.forget_jobs_before(at(3)).await.expect("forgotten"), 0);
    assert_eq!(pair.one.list(&page(&[], 1, 0)).await.expect("listed").total, 29);
    assert_eq!(pair.one.get(&leases[0].0).await.expect("read"), None);
    assert_eq!(pair.one.journal(&leases[0].0).await.expect("read"), []);
    assert_eq!(pair.one.journal(&leases[1].0).await.expect("read").len(), 1);
    let lost = pair.one.append(&leases[0].0, noted(json!(0)), &leases[0].1).await;
    assert!(matches!(lost, Err(StoreError::Fenced { .. })), "{lost:?}");
    assert_eq!(pair.two.forget_jobs_before(at(25)).await.expect("forgotten"), 22);
    let left = pair.one.list(&page(&[], 10, 0)).await.expect("listed").jobs;
    assert_eq!(numbers(&left), ["030", "029", "028", "027", "026", "003", "002"]);
    assert_eq!(made(&pair.two, 0).await.id.as_str(), "job-20261121-031", "a name is not used again");
}
