//! A job that touched a server is not let go without a word: it waits for its password, and tells what it leaves lowered.

use super::*;
use crate::plan::fixtures;
use api::JobStatus;
use jobs::{Claim, Event, JobStore, MemoryStore, NewEntry, NewJob, Runner, RunnerOptions};
use runtime::Random;
use serde_json::json;

/// The home of all jobs: without any password, or with a defect.
struct Home {
    panics: bool,
}

#[async_trait]
impl Credentials for Home {
    async fn endpoint(&self, _: &DatabaseTarget) -> Option<Endpoint> {
        assert!(!self.panics, "a defect");
        None
    }

    fn is_home(&self) -> bool {
        true
    }
}

/// The document of a job with one table planned on a replica.
fn document() -> RecycleDocument {
    let config = fixtures::config();
    let nodes = vec![fixtures::node("p", 1, true), fixtures::node("r", 3306, false)];
    let fleet = fixtures::topology(nodes, vec![fixtures::edge("p", "r")]);
    let facts = fixtures::fleet(fleet, "r", &[fixtures::table("t", 1000, 900)]);
    let plan = crate::plan::draft(&facts, &config).expect("a plan");
    assert_eq!(plan.work().count(), 1);
    let mut document = RecycleDocument::new(config, plan, jiff::Timestamp::UNIX_EPOCH);
    document.job.status = JobStatus::Running;
    document
}

fn body() -> Value {
    serde_json::to_value(document()).expect("a document")
}

/// How the home leaves a job whose journal holds this: its record once that is final or tells why it waits.
async fn left(home: Home, begun: &[(String, Event)], body: Value) -> JobRecord {
    let (store, clock) = (Arc::new(MemoryStore::new()), Clock::real());
    let dead = Claim { owner: "dead".to_owned(), span: Duration::from_mins(1) };
    let new = NewJob { kind: KIND.to_owned(), body, created_at: clock.now() };
    let (job, lease) = store.create_held(new, &dead).await.expect("a job");
    for (unit, event) in begun {
        let entry = NewEntry { unit: unit.clone(), step: "arm".into(), event: event.clone(), at: clock.now() };
        store.append(&job.id, entry, &lease).await.expect("an entry");
    }
    store.drop_lease(&lease).await.expect("it is free");
    let trade = RecycleTrade::new(Arc::new(home), TradeOptions::default(), clock);
    let options =
        RunnerOptions { poll: Duration::from_millis(10), rest: Duration::from_millis(10), ..RunnerOptions::default() };
    let runner = Runner::start(store.clone(), vec![Arc::new(trade)], options, clock, &Random::real());
    let mut updates = runner.updates();
    loop {
        let update = tokio::time::timeout(Duration::from_secs(30), updates.recv()).await;
        let record = update.expect("it gets on").expect("an update");
        if record.status.is_final() || record.body.to_string().contains("waiting to go on") {
            runner.shutdown(Duration::from_secs(1)).await;
            return store.get(&job.id).await.expect("the store").expect("the job");
        }
    }
}

#[tokio::test]
async fn a_begun_job_waits_for_its_password_and_another_fails() {
    let forgetful = || Home { panics: false };
    let begun = [("u".to_owned(), Event::Started)];
    assert_eq!(left(forgetful(), &begun, body()).await.status, JobStatus::Running);
    assert_eq!(left(forgetful(), &[], body()).await.status, JobStatus::Failed);
    assert_eq!(left(forgetful(), &[], json!({ "un": "readable" })).await.status, JobStatus::Failed);
}

#[tokio::test]
async fn a_job_that_always_panics_ends_with_what_it_left_lowered() {
    let document = document();
    let table = document.plan.work().next().expect("a table");
    let change = json!({ "name": "super_read_only", "value": "OFF", "old": "ON" });
    let noted = Event::Noted(json!({ "changes": [change], "channels": ["east"] }));
    let begun = [Event::Started, noted].map(|event| (rebuild::key(table), event));
    let record = left(Home { panics: true }, &begun, body()).await;
    assert_eq!(record.status, JobStatus::Failed);
    let error = read(&record.body).expect("a document").job.error;
    for part in ["a defect", "h:3306: ", "start the applier of channel 'east'", "SET GLOBAL super_read_only = ON"] {
        assert!(error.contains(part), "{part}: {error}");
    }
}
