//! A job whose password is not known here fails only if it never touched a server.

use super::*;
use api::JobStatus;
use jobs::{Claim, Event, JobStore, MemoryStore, NewEntry, NewJob, Runner, RunnerOptions};
use runtime::Random;

/// The home of all jobs, without any password.
struct Forgetful;

#[async_trait]
impl Credentials for Forgetful {
    async fn endpoint(&self, _: &DatabaseTarget) -> Option<Endpoint> {
        None
    }

    fn is_home(&self) -> bool {
        true
    }
}

/// The body of a job with nothing planned yet.
fn body() -> Value {
    let config = crate::plan::fixtures::config();
    let at = jiff::Timestamp::UNIX_EPOCH;
    let plan = api::Plan {
        created_at: at,
        cluster_id: "c".into(),
        mode: config.mode,
        config: config.clone(),
        nodes: vec![],
        file_bytes: 0,
        predicted_freed_bytes: 0,
        predicted_seconds: 0.0,
        warnings: vec![],
    };
    let mut document = RecycleDocument::new(config, plan, at);
    document.job.status = JobStatus::Running;
    serde_json::to_value(document).expect("a document")
}

/// How the home leaves a job: its record once that is final or tells why it waits.
async fn left(begun: bool, body: Value) -> JobRecord {
    let (store, clock) = (Arc::new(MemoryStore::new()), Clock::real());
    let dead = Claim { owner: "dead".to_owned(), span: Duration::from_mins(1) };
    let new = NewJob { kind: KIND.to_owned(), body, created_at: clock.now() };
    let (job, lease) = store.create_held(new, &dead).await.expect("a job");
    if begun {
        let entry = NewEntry { unit: "u".into(), step: "arm".into(), event: Event::Started, at: clock.now() };
        store.append(&job.id, entry, &lease).await.expect("an entry");
    }
    store.drop_lease(&lease).await.expect("it is free");
    let trade = RecycleTrade::new(Arc::new(Forgetful), TradeOptions::default(), clock);
    let options =
        RunnerOptions { poll: Duration::from_millis(10), rest: Duration::from_millis(10), ..RunnerOptions::default() };
    let runner = Runner::start(store.clone(), vec![Arc::new(trade)], options, clock, &Random::real());
    let mut updates = runner.updates();
    loop {
        let record = updates.recv().await.expect("an update");
        if record.status.is_final() || record.body.to_string().contains("waiting to go on") {
            runner.shutdown(Duration::from_secs(1)).await;
            return store.get(&job.id).await.expect("the store").expect("the job");
        }
    }
}

#[tokio::test]
async fn a_begun_job_waits_for_its_password_and_another_fails() {
    assert_eq!(left(true, body()).await.status, JobStatus::Running);
    assert_eq!(left(false, body()).await.status, JobStatus::Failed);
    assert_eq!(left(false, serde_json::json!({ "un": "readable" })).await.status, JobStatus::Failed);
}
