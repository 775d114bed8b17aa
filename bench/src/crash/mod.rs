//! Rounds of sudden death: the tool in a process of its own and the servers it works on are killed with `kill -9` at random
//! moments; whatever was under way is resumed, and at the end everything must be as if nothing had happened.

pub mod bed;
pub mod check;
pub mod worker;

use api::{JobStatus, RecycleJob};
use bed::Bed;
use runtime::Random;
use std::{path::Path, process::Child, time::Duration};
use testkit::Engine;
use types::JobId;

/// What happened in one round.
#[derive(Debug, Default, Clone)]
pub struct Round {
    /// Times the tool was killed.
    pub tools: u32,
    /// Times a server was killed.
    pub servers: u32,
    /// Times a server's recovery logged our statement: the job said what to do, that was done, and the job began anew.
    pub cured: u32,
    /// Times a job failed before it touched anything, because a server was dead at its very start.
    pub unbegun: u32,
    /// How the job ended.
    pub ended: String,
    /// What was wrong afterwards; empty if nothing was.
    pub wrong: Vec<String>,
}

/// Plays rounds on one engine; `program` is the one that becomes a worker when its first argument is `worker`.
pub async fn play(engine: Engine, program: &Path, rounds: u32, random: &Random) -> Vec<Round> {
    let mut bed = Bed::start(engine).await;
    let mut all = Vec::new();
    for number in 1..=rounds {
        let round = play_one(&mut bed, program, random).await;
        eprintln!("{} round {number}: {round:?}", engine.name());
        all.push(round);
    }
    all
}

async fn play_one(bed: &mut Bed, program: &Path, random: &Random) -> Round {
    bed.waste().await;
    let before = check::state(bed).await;
    let mut id = bed.submit().await.expect("work");
    let mut round = Round::default();
    let mut tool = Tool(worker::spawn(program, bed.store_path()));
    for _ in 0..=random.below(3) {
        tokio::time::sleep(Duration::from_millis(random.below(2500))).await;
        if bed.is_final(&id).await {
            break;
        }
        if random.below(3) == 0 {
            round.servers += 1;
            bed.kill_a_replica(usize::try_from(random.below(2)).unwrap_or(0) + 1, random).await;
        } else {
            round.tools += 1;
            tool.kill();
            tokio::time::sleep(Duration::from_millis(random.below(1500))).await;
            tool = Tool(worker::spawn(program, bed.store_path()));
        }
    }
    let mut job = bed.finished(&id).await;
    // As its operator would: what the job says is to be done is done, and it is started again.
    while round.is_to_begin_anew(bed, &id, &job).await {
        let Some(next) = bed.submit().await else {
            job.status = JobStatus::Completed;
            break;
        };
        id = next;
        job = bed.finished(&id).await;
    }
    tool.kill();
    round.ended = format!("{} {}", job.status.as_str(), job.error).trim().to_owned();
    round.wrong = check::after(bed, &before, &id, &job).await;
    round
}

impl Round {
    async fn is_to_begin_anew(&mut self, bed: &Bed, id: &JobId, job: &RecycleJob) -> bool {
        if self.servers > 0 && job.status == JobStatus::Failed && !bed.has_begun(id).await {
            self.unbegun += 1;
            return true;
        }
        let cured = bed.cure(job).await;
        self.cured += u32::from(cured);
        cured
    }
}

/// A worker process that never outlives its round.
struct Tool(Child);

impl Tool {
    fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        self.kill();
    }
}
