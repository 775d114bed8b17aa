//! The engine passes its own saga tests, and the saga tests catch sagas that are wrong.

use crate::{
    Claim, Event, JobStore, Journal, MemoryStore, NewJob, Step, StepContext, StepError, Unit, UnitOutcome, end,
    is_open,
    testing::{Bench, SagaUnderTest, check},
};
use async_trait::async_trait;
use futures::FutureExt;
use runtime::Clock;
use serde_json::{Value, json};
use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex},
    time::Duration,
};
use types::{Code, Failure};

/// A server with one setting, and a table that is rebuilt by one statement.
#[derive(Debug, Clone, PartialEq)]
struct Server {
    read_only: bool,
    rebuilt: u32,
}

const START: Server = Server { read_only: true, rebuilt: 0 };

/// What a careless author may get wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slip {
    None,
    /// The old value is noted after it was changed.
    NotesLate,
    /// Each act notes the value it finds, also the second.
    NotesAgain,
    /// A rebuild that was done is done again after a crash.
    RebuildsAgain,
    /// The undo restores what it thinks is the default.
    RestoresDefault,
    /// The undo counts instead of setting.
    UndoesRelatively,
}

type World = Arc<Mutex<Server>>;

struct Arm(World, Slip);
struct Rebuild(World, Slip);
struct Restore(World);

#[async_trait]
impl Step for Arm {
    fn name(&self) -> &'static str {
        "arm"
    }

    async fn act(&self, ctx: &StepContext<'_>) -> Result<Value, StepError> {
        if self.1 == Slip::NotesLate {
            self.0.lock().unwrap().read_only = false;
        }
        if ctx.notes().is_empty() || self.1 == Slip::NotesAgain {
            let old = self.0.lock().unwrap().read_only;
            ctx.note(json!(old)).await?;
        }
        self.0.lock().unwrap().read_only = false;
        let noted = ctx.notes();
        Ok(noted[if self.1 == Slip::NotesAgain { noted.len() - 1 } else { 0 }].clone())
    }

    async fn undo(&self, ctx: &StepContext<'_>) -> Result<(), StepError> {
        let noted = ctx.notes().first().and_then(Value::as_bool);
        if let Some(old) = noted {
            self.0.lock().unwrap().read_only = old && self.1 != Slip::RestoresDefault;
        }
        Ok(())
    }
}

#[async_trait]
impl Step for Rebuild {
    fn name(&self) -> &'static str {
        "rebuild"
    }

    async fn act(&self, _: &StepContext<'_>) -> Result<Value, StepError> {
        let mut server = self.0.lock().unwrap();
        if server.rebuilt == 0 || self.1 == Slip::RebuildsAgain {
            server.rebuilt += 1;
        }
        Ok(json!(server.rebuilt))
    }

    async fn undo(&self, _: &StepContext<'_>) -> Result<(), StepError> {
        let mut server = self.0.lock().unwrap();
        server.rebuilt = if self.1 == Slip::UndoesRelatively { server.rebuilt.wrapping_sub(1) } else { 0 };
        Ok(())
    }
}

#[async_trait]
impl Step for Restore {
    fn name(&self) -> &'static str {
        "restore"
    }

    async fn act(&self, ctx: &StepContext<'_>) -> Result<Value, StepError> {
        let old = ctx.output("arm").and_then(|value| value.as_bool()).expect("arm is done");
        self.0.lock().unwrap().read_only = old;
        Ok(json!(null))
    }

    async fn undo(&self, _: &StepContext<'_>) -> Result<(), StepError> {
        Ok(())
    }
}

struct Reclaim {
    world: World,
    slip: Slip,
}

#[async_trait]
impl SagaUnderTest for Reclaim {
    async fn reset(&self) {
        *self.world.lock().unwrap() = START;
    }

    fn unit(&self) -> Unit {
        let world = || Arc::clone(&self.world);
        let steps: Vec<Box<dyn Step>> =
            vec![Box::new(Arm(world(), self.slip)), Box::new(Rebuild(world(), self.slip)), Box::new(Restore(world()))];
        Unit { key: "h:1/d/t".to_owned(), steps }
    }

    async fn assert_done(&self, what: &str) {
        assert_eq!(*self.world.lock().unwrap(), Server { rebuilt: 1, ..START }, "{what}");
    }

    async fn assert_undone(&self, what: &str) {
        assert_eq!(*self.world.lock().unwrap(), START, "{what}");
    }
}

fn reclaim(slip: Slip) -> Reclaim {
    Reclaim { world: Arc::new(Mutex::new(START)), slip }
}

#[tokio::test]
async fn a_careful_saga_passes() {
    check(&reclaim(Slip::None)).await;
}

#[tokio::test]
async fn each_slip_is_caught() {
    for slip in [Slip::NotesLate, Slip::NotesAgain, Slip::RebuildsAgain, Slip::RestoresDefault, Slip::UndoesRelatively]
    {
        let careless = reclaim(slip);
        let caught = AssertUnwindSafe(check(&careless)).catch_unwind().await;
        assert!(caught.is_err(), "{slip:?} went unnoticed");
    }
}

/// Cannot go on the first time, and may not the second time.
struct Hesitant(Mutex<u32>);

#[async_trait]
impl Step for Hesitant {
    fn name(&self) -> &'static str {
        "hesitant"
    }

    async fn act(&self, _: &StepContext<'_>) -> Result<Value, StepError> {
        let mut acts = self.0.lock().unwrap();
        *acts += 1;
        let failure = Failure::new(Code::ConnectFailed, "the server is away", "bring it up");
        match *acts {
            1 => Err(StepError::Parked(failure)),
            2 => Err(StepError::Paused),
            _ => Ok(json!(*acts)),
        }
    }

    async fn undo(&self, _: &StepContext<'_>) -> Result<(), StepError> {
        panic!("what is parked is not taken back");
    }
}

#[tokio::test]
async fn a_parked_or_paused_unit_goes_on_where_it_was() {
    let unit = Unit { key: "h:1/d/t".to_owned(), steps: vec![Box::new(Hesitant(Mutex::new(0)))] };
    let mut bench = Bench::new().await;
    assert!(matches!(bench.run(&unit).await, UnitOutcome::Stuck(_)));
    assert_eq!(bench.run(&unit).await, UnitOutcome::Paused);
    let UnitOutcome::Done(outputs) = bench.run(&unit).await else { panic!("it does not go on") };
    assert_eq!(outputs["hesitant"], json!(3));
}

#[tokio::test]
async fn a_unit_is_open_from_its_first_entry_until_it_is_done_or_wholly_taken_back() {
    let (store, clock) = (Arc::new(MemoryStore::new()), Clock::real());
    let claim = Claim { owner: "me".to_owned(), span: Duration::from_mins(1) };
    let new = NewJob { kind: "k".to_owned(), body: json!({}), created_at: clock.now() };
    let (job, lease) = store.create_held(new, &claim).await.unwrap();
    let journal = Journal::load(store, job.id, lease, clock).await.unwrap();
    let failed = || Event::Failed(Failure::new(Code::TimedOut, "too slow", "wait"));
    let done = || Event::Done(json!(null));
    let done_at_last = vec![
        ("arm", Event::Started, true),
        ("arm", done(), true),
        ("verify", Event::Started, true),
        ("verify", done(), false),
    ];
    let taken_back = vec![
        ("arm", Event::Started, true),
        ("arm", done(), true),
        ("rebuild", Event::Started, true),
        ("rebuild", failed(), true),
        ("rebuild", Event::Undone, true),
        ("arm", Event::Undone, false),
    ];
    let never_acted = vec![("arm", Event::Cancelled, false)];
    for (unit, history) in [("a", done_at_last), ("b", taken_back), ("c", never_acted)] {
        assert!(!is_open(&journal, unit, "verify"));
        for (step, event, open) in history {
            let what = format!("{unit} {step} {event:?}");
            journal.append(unit, step, event).await.unwrap();
            assert_eq!(is_open(&journal, unit, "verify"), open, "{what}");
            assert_eq!(end(&journal, unit, "verify").is_none(), open, "{what}");
        }
    }
    let ended = |unit: &str| end(&journal, unit, "verify");
    assert!(matches!(ended("a"), Some(UnitOutcome::Done(outputs)) if outputs.len() == 2));
    assert!(matches!(ended("b"), Some(UnitOutcome::Failed(_))) && ended("c") == Some(UnitOutcome::Cancelled));
}
