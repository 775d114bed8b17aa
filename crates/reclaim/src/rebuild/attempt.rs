//! One attempt at the statement: what is journaled before it, how it is watched, and how it is found again.

use super::{
    Work, arm, file, gate,
    gate::failed,
    look,
    progress::{self, Watched},
    recheck,
};
use crate::{
    ReclaimError,
    error::Limit,
    gates::{budget, errant, lease, writer},
};
use jiff::Timestamp;
use jobs::{StepContext, StepError};
use mysql::{Capabilities, Session, SqlError};
use runtime::Instant;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What must be found again after a crash; journaled before the statement is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Attempt {
    /// Connection id of the session that rebuilds.
    pub connection: u32,
    /// The marker its statement bears.
    pub marker: String,
    /// The table's files before.
    pub before: file::Identity,
    /// Its definition before.
    pub definition: String,
    /// Transactions the node had written itself before.
    pub own: String,
    /// The same table on nodes below that the logged statement will reach: `host:port` and files.
    pub below: Vec<(String, file::Identity)>,
    /// When, UTC.
    pub at: Timestamp,
    /// Bytes it is predicted to write; absent in journals of older versions.
    #[serde(default)]
    pub predicted: Option<u64>,
}

/// Looks in a row that found no statement although its session still waits for an answer: the connection is dead.
const GONE_LOOKS: u32 = 3;
/// Looks in a row that failed, after which the node is taken for a writer.
const BLIND_LOOKS: u32 = 20;

/// How the reason of an attempt begins whose statement vanished.
pub(super) const GONE: &str = "the statement was gone";

/// How an attempt ended.
pub(crate) enum Ended {
    /// The table lies in new files.
    Done(Attempt),
    /// It lies in its old files, whole, and may be tried again.
    NotDone(String),
}

/// Why a running statement was stopped.
#[derive(Debug, Clone, PartialEq)]
enum Stop {
    Cancelled,
    TooLong(Limit),
    Writer(String),
}

impl Stop {
    fn error(self, work: &Work) -> StepError {
        match self {
            Stop::Cancelled => StepError::Cancelled,
            Stop::TooLong(of) => {
                let node = work.node.endpoint.address.clone();
                let limit = if of == Limit::Table { work.timeout } else { work.longest };
                failed(ReclaimError::RanTooLong { node, limit, of })
            }
            Stop::Writer(reason) => failed(work.refused("writer", reason)),
        }
    }
}

/// Prepares a session, journals, checks once more, and runs the statement to its end.
pub(crate) async fn run(work: &Work, ctx: &StepContext<'_>) -> Result<Ended, StepError> {
    let mut session = work.connect().await.map_err(failed)?;
    let capabilities = Capabilities::probe(&mut session).await.map_err(failed)?;
    lease::take(&mut session, lease::WORK_LOCK).await.map_err(failed)?;
    // Asked before the attempt is noted, so that one that never began costs nothing, and once more right before the statement.
    recheck::own_file(work, &mut session).await.map_err(failed)?;
    recheck::trusted(work, &session, &capabilities).map_err(failed)?;
    last_writer_test(work, &mut session).await.map_err(failed)?;
    let attempt = describe(work, &mut session, &capabilities).await.map_err(failed)?;
    ctx.note(json!(attempt)).await?;
    arm::lower_again(work, &mut session, ctx).await.map_err(failed)?;
    prepare(work, &mut session).await.map_err(failed)?;
    recheck::own_file(work, &mut session).await.map_err(failed)?;
    last_writer_test(work, &mut session).await.map_err(failed)?;
    if let Some(reason) = gate::unheld(work).await.map_err(failed)? {
        // Back to the gates, which wait until they can be had again.
        return Ok(Ended::NotDone(reason));
    }
    work.sink.phase("rebuilding").await;
    let mut watch = Watch::new(work, &capabilities, &attempt);
    let result = {
        let alter = work.alter();
        let running = session.run_watched(&alter);
        tokio::pin!(running);
        loop {
            tokio::select! {
                biased;
                result = &mut running => break result,
                () = watch.beat(ctx.cancel()) => {
                    if watch.gone >= GONE_LOOKS {
                        let reason = "the statement is gone and its session does not say so".to_owned();
                        break Err(SqlError::Lost { address: work.node.endpoint.address.clone(), reason });
                    }
                    if watch.stop.is_some() && watch.blind >= BLIND_LOOKS {
                        let reason = "it is to be stopped, and no way to the server is open".to_owned();
                        break Err(SqlError::Lost { address: work.node.endpoint.address.clone(), reason });
                    }
                }
            }
        }
    };
    ended(work, ctx, &mut session, &capabilities, attempt, watch.stop.take(), result).await
}

async fn ended(
    work: &Work,
    ctx: &StepContext<'_>,
    session: &mut Session,
    capabilities: &Capabilities,
    attempt: Attempt,
    stop: Option<Stop>,
    result: Result<(), SqlError>,
) -> Result<Ended, StepError> {
    match result {
        Ok(()) => {
            let now = file::identity(session, capabilities, &work.name()).await.map_err(failed)?;
            if now.renewed_since(&attempt.before, work.partitions()) {
                return Ok(Ended::Done(attempt));
            }
            Err(failed(changed(work, "still lies in its old file although the rebuild reported success")))
        }
        Err(SqlError::Server { .. }) if stop.is_some() => Err(stop.map_or(StepError::Cancelled, |s| s.error(work))),
        // The short lock wait ran out: back to the gates, and again after a pause.
        Err(SqlError::Server { code: 1205, message, .. }) => Ok(Ended::NotDone(message)),
        Err(SqlError::Server { address, code, message, .. }) => {
            Err(failed(ReclaimError::RebuildFailed { node: address, code, message }))
        }
        Err(_) => settle(work, ctx, attempt).await,
    }
}

fn changed(work: &Work, what: &str) -> ReclaimError {
    let node = work.node.endpoint.address.clone();
    ReclaimError::TableChanged { node, table: work.name().to_string(), what: what.to_owned() }
}

async fn describe(work: &Work, session: &mut Session, capabilities: &Capabilities) -> Result<Attempt, ReclaimError> {
    let table = work.name();
    let before = file::identity(session, capabilities, &table).await?;
    if before.spaces.is_empty() {
        return Err(changed(work, "has no file of its own any more"));
    }
    let mut below = Vec::new();
    for endpoint in &work.below {
        let mut session = Session::connect(endpoint).await?;
        let capabilities = Capabilities::probe(&mut session).await?;
        recheck::own_file(work, &mut session).await?;
        recheck::trusted(work, &session, &capabilities)?;
        below.push((endpoint.address.to_string(), file::identity(&mut session, &capabilities, &table).await?));
        session.close().await;
    }
    Ok(Attempt {
        connection: session.id(),
        marker: work.marker(),
        before,
        definition: super::verify::definition(session, &table).await?,
        own: errant::own(session, capabilities).await?.to_string(),
        below,
        at: work.clock.now(),
        predicted: Some(budget::predicted_bytes(&work.table.estimate)),
    })
}

/// Sets the session up and makes sure that it is: a pooled or reset session would write the binlog (S1).
pub(super) async fn prepare(work: &Work, session: &mut Session) -> Result<(), ReclaimError> {
    for setting in work.session_settings() {
        session.run(setting).await?;
    }
    if work.is_local() && session.value("SELECT @@SESSION.sql_log_bin").await?.as_deref() != Some("0") {
        return Err(ReclaimError::BinlogStillOn(session.address().clone()));
    }
    Ok(())
}

/// The writer test, in the session that runs the statement, right before it.
pub(super) async fn last_writer_test(work: &Work, session: &mut Session) -> Result<(), ReclaimError> {
    let test = writer::probe(session, work.node.sample.as_ref()).await?;
    if let Some(reason) = test.barred {
        return Err(work.refused("writer", reason));
    }
    if !work.exclude_primary {
        return Ok(());
    }
    // We stopped the applier ourselves; everything else must still speak for a replica.
    let ours = |reason: &String| work.stops_applier() && reason.starts_with("no inbound channel is healthy");
    if test.writer && !test.reasons.iter().all(ours) {
        return Err(work.refused("writer", format!("it may take writes: {}", test.reasons.join("; "))));
    }
    Ok(())
}

/// Finds out what became of an attempt whose session is gone: a crash of the tool, of the server, of the network.
///
/// Waits for the server, then for the statement if it still runs (killing it if the job is to stop), then decides by the
/// table's files.
pub(crate) async fn settle(work: &Work, ctx: &StepContext<'_>, attempt: Attempt) -> Result<Ended, StepError> {
    let mut watch: Option<Watch<'_>> = None;
    loop {
        let mut session = back(work, ctx.cancel()).await?;
        let (capabilities, now) = match survey(work, &mut session, &attempt).await {
            Ok(Found::Gone(capabilities, now)) => (capabilities, now),
            Ok(Found::Running(capabilities, running)) => {
                session.close().await;
                let watch = watch.get_or_insert_with(|| Watch::new(work, &capabilities, &attempt));
                watch.connection = running.connection;
                work.sink.phase("rebuilding (found again)").await;
                watch.beat(ctx.cancel()).await;
                continue;
            }
            Ok(Found::Lingers) => {
                session.close().await;
                linger(work, ctx.cancel()).await?;
                continue;
            }
            Err(error) => {
                hold_on(work, ctx.cancel(), &error).await?;
                continue;
            }
        };
        report_orphans(work, &mut session, &capabilities).await;
        session.close().await;
        if now.renewed_since(&attempt.before, work.partitions()) {
            return Ok(Ended::Done(attempt));
        }
        if now.spaces.is_empty() {
            return Err(failed(changed(work, "has no file of its own any more")));
        }
        if let Some(stop) = watch.and_then(|watch| watch.stop) {
            return Err(stop.error(work));
        }
        return Ok(Ended::NotDone(format!("{GONE} and the table lies in its old file")));
    }
}

/// What became of a statement.
enum Found {
    Running(Capabilities, look::Running),
    /// Its session is still there, and does not show the statement.
    Lingers,
    Gone(Capabilities, file::Identity),
}

/// Looks for the statement, then for its session, then at the table's files.
///
/// The files have the last word only once the session is gone: it holds the work lock from before the attempt is noted until it
/// ends, and its statement ends before it does. A process list that does not show the statement proves nothing: it may be on
/// its way, or the server may leave its text out for a moment (MariaDB does while the session is busy).
async fn survey(work: &Work, session: &mut Session, attempt: &Attempt) -> Result<Found, SqlError> {
    let capabilities = Capabilities::probe(session).await?;
    if let Some(running) = look::running(session, &attempt.marker).await? {
        return Ok(Found::Running(capabilities, running));
    }
    if lingers(session, attempt).await? {
        end_if_idle(session, attempt.connection).await?;
        return Ok(Found::Lingers);
    }
    let now = file::identity(session, &capabilities, &work.name()).await?;
    Ok(Found::Gone(capabilities, now))
}

/// True while the attempt's session is there. Only one of ours can hold the lock under that id: the job's lock keeps others
/// away.
async fn lingers(session: &mut Session, attempt: &Attempt) -> Result<bool, SqlError> {
    let holder = lease::holder(session, lease::WORK_LOCK).await?;
    Ok(holder.is_some_and(|(connection, _)| connection == u64::from(attempt.connection)))
}

/// A session whose network is cut lives on at the server, and with it the lock that keeps every next attempt out. One that is at
/// work, on whatever, is left to end it.
pub(super) async fn end_if_idle(session: &mut Session, id: u32) -> Result<(), SqlError> {
    let command = format!("SELECT COMMAND FROM information_schema.PROCESSLIST WHERE ID = {id}");
    if session.value(&command).await?.as_deref() != Some("Sleep") {
        return Ok(());
    }
    match session.run(&format!("KILL {id}")).await {
        Err(SqlError::Server { code: 1094, .. }) => Ok(()),
        ended => ended,
    }
}

/// A beat's pause until the session of an attempt has ended, until the table's limit has run out.
async fn linger(work: &Work, cancel: &CancellationToken) -> Result<(), StepError> {
    if work.left().is_zero() {
        return Err(failed(work.waited_too_long("the session of the last attempt does not end")));
    }
    work.sink.phase("waiting: the session of the last attempt has not ended").await;
    gate::rest(work, cancel, work.beat).await
}

/// A beat's pause after a server did not answer, until the table's limit has run out.
async fn hold_on(work: &Work, cancel: &CancellationToken, error: &SqlError) -> Result<(), StepError> {
    if work.patience.is_zero() {
        return Err(StepError::Parked(ReclaimError::from(error.clone()).into()));
    }
    if work.left().is_zero() {
        let node = work.node.endpoint.address.clone();
        return Err(failed(ReclaimError::NotBack { node, reason: error.to_string(), limit: work.timeout }));
    }
    work.sink.phase(&format!("waiting: the server is not there: {error}")).await;
    gate::rest(work, cancel, work.beat).await
}

/// A session once the server is there again.
async fn back(work: &Work, cancel: &CancellationToken) -> Result<Session, StepError> {
    loop {
        match work.connect().await {
            Ok(session) => return Ok(session),
            Err(error) => hold_on(work, cancel, &error).await?,
        }
    }
}

async fn report_orphans(work: &Work, session: &mut Session, capabilities: &Capabilities) {
    if look::running_any(session).await.unwrap_or(true) {
        return;
    }
    for (name, bytes) in file::orphans(session, capabilities).await.unwrap_or_default() {
        let node = &work.node.endpoint.address;
        work.sink.note(format!("{node}: orphan of a broken rebuild: {name}, {bytes} bytes")).await;
    }
}

/// Kills the statement until it and its session are gone. Never hits a reused connection: the marker is looked for first.
pub(crate) async fn kill_until_gone(work: &Work, attempt: &Attempt, limit: Duration) -> Result<(), ReclaimError> {
    let begun = work.clock.instant();
    loop {
        let reason = match kill_once(work, attempt).await {
            Ok(false) => return Ok(()),
            Ok(true) => "the statement does not end".to_owned(),
            Err(error) => error.to_string(),
        };
        if work.clock.since(begun) >= limit {
            let node = work.node.endpoint.address.clone();
            return Err(ReclaimError::NotRestored { node, reason });
        }
        work.clock.sleep(work.beat.min(Duration::from_millis(200))).await;
    }
}

/// True if it was still running, or its session still there.
async fn kill_once(work: &Work, attempt: &Attempt) -> Result<bool, SqlError> {
    let mut session = work.connect().await?;
    let running = look::running(&mut session, &attempt.marker).await?;
    let lingers = lingers(&mut session, attempt).await?;
    if lingers && running.is_none() {
        end_if_idle(&mut session, attempt.connection).await?;
    }
    session.close().await;
    if let Some(running) = &running {
        mysql::kill_query(&work.node.endpoint, running.connection, &attempt.marker).await?;
    }
    Ok(running.is_some() || lingers)
}

/// Looks at a running statement from a second session, once a beat.
struct Watch<'a> {
    work: &'a Work,
    capabilities: Capabilities,
    connection: u32,
    marker: String,
    known: Vec<u64>,
    predicted: u64,
    /// When the watch began, and how old the statement was then: one found again had run before.
    begun: Instant,
    age: Duration,
    session: Option<Session>,
    stop: Option<Stop>,
    /// Looks in a row that did not find the statement.
    gone: u32,
    /// Looks in a row that failed.
    blind: u32,
}

impl<'a> Watch<'a> {
    fn new(work: &'a Work, capabilities: &Capabilities, attempt: &Attempt) -> Self {
        Self {
            work,
            capabilities: capabilities.clone(),
            connection: attempt.connection,
            marker: attempt.marker.clone(),
            known: attempt.before.ids(),
            predicted: budget::predicted_bytes(&work.table.estimate).max(1),
            begun: work.clock.instant(),
            age: work.clock.now().duration_since(attempt.at).try_into().unwrap_or_default(),
            session: None,
            stop: None,
            gone: 0,
            blind: 0,
        }
    }

    /// Waits a beat, reports progress, and kills the statement if it is to stop. A look that fails is repeated next time.
    async fn beat(&mut self, cancel: &CancellationToken) {
        let already = self.stop.is_some();
        tokio::select! {
            () = cancel.cancelled(), if !already => drop(self.stop.get_or_insert(Stop::Cancelled)),
            () = self.work.clock.sleep(self.work.beat) => {}
        }
        if let Some(limit) = self.over() {
            self.stop.get_or_insert(Stop::TooLong(limit));
        }
        match self.look().await {
            Ok(()) => self.blind = 0,
            Err(error) => self.failed_look(&error),
        }
        if self.stop.is_some() {
            self.work.sink.phase("stopping the statement").await;
            let _ = mysql::kill_query(&self.work.node.endpoint, self.connection, &self.marker).await;
        }
    }

    /// The limit that has run out, if one has.
    fn over(&self) -> Option<Limit> {
        let ran = self.age.saturating_add(self.work.clock.since(self.begun));
        if self.work.left().is_zero() {
            return Some(Limit::Table);
        }
        (ran >= self.work.longest).then_some(Limit::Statement)
    }

    /// A node nobody can look at for so long may have been promoted.
    fn failed_look(&mut self, error: &SqlError) {
        self.session = None;
        self.blind += 1;
        if self.work.exclude_primary && self.blind >= BLIND_LOOKS {
            let reason = format!("whether it became a writer could not be seen: {error}");
            self.stop.get_or_insert(Stop::Writer(reason));
        }
    }

    async fn look(&mut self) -> Result<(), SqlError> {
        let mut session = match self.session.take() {
            Some(session) => session,
            None => self.work.connect_to_watch().await?,
        };
        let read_only = session.value(look::READ_ONLY).await?;
        if self.work.exclude_primary && !look::is_read_only(read_only.as_deref()) && self.stop.is_none() {
            self.stop = Some(Stop::Writer("read_only was turned OFF while the table was being rebuilt".to_owned()));
        }
        let running = look::running(&mut session, &self.marker).await?;
        self.gone = if running.is_some() { 0 } else { self.gone + 1 };
        let table = self.work.name();
        let watched = Watched {
            table: &table,
            connection: self.connection,
            predicted_bytes: self.predicted,
            known_spaces: &self.known,
        };
        if let Some(fraction) = progress::fraction(&mut session, &self.capabilities, &watched).await? {
            self.work.sink.fraction(fraction).await;
        }
        self.session = Some(session);
        Ok(())
    }
}
