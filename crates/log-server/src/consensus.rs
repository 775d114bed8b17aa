//! One shard on one member: what raft-rs decides, written down and applied.
//!
//! No clock, no network, no task: whoever drives it ticks it, hands it messages, sends those it gives back, and decides when to sync.
//!
//! ```text
//!   step, tick, propose ─▶ wave ─▶ messages that may go at once ─▶ sync ─▶ land ─▶ messages that had to wait, outcomes
//! ```

mod command;
pub mod letter;
mod machine;
mod members;
mod recent;
mod rows;
mod shelf;
mod view;

pub use command::Command;
pub use machine::{Machine, Outcome};
pub use members::Members;
pub use raft::eraftpb::Message;
pub use view::{Found, View};

use crate::{Base, Promise, ReplicaLog, StorageError};
use log::{LogError, Most};
use members::Sum;
use protobuf::Message as _;
use raft::{
    Config, RawNode, ReadState, Ready, SnapshotStatus, StateRole,
    eraftpb::{ConfChangeSingle, ConfChangeTransition, ConfChangeType, ConfChangeV2, Entry, EntryType, MessageType},
};
use runtime::Random;
use shelf::Shelf;
use std::collections::BTreeMap;
use types::Lsn;

/// How a caller knows its question again.
pub type Ticket = u64;

/// How often things happen, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rhythm {
    /// Ticks without a leader before a member asks to be one; up to twice as many, by chance.
    pub election: usize,
    /// Ticks between two beats of a leader.
    pub heartbeat: usize,
    /// Bytes of applied commands between two checkpoints.
    pub checkpoint: usize,
}

impl Default for Rhythm {
    fn default() -> Self {
        Self { election: 10, heartbeat: 2, checkpoint: 4 << 20 }
    }
}

/// A change of one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// This replica votes from now on, and lies on this store.
    Voter(u64, String),
    /// This replica follows from now on, and lies on this store.
    Learner(u64, String),
    /// This replica takes no part any more.
    Gone(u64),
}

/// Some commands that are to lie one behind the other, and the ticket their answer comes under.
pub type Row = (Ticket, Vec<Command>);

/// What was decided and written, and is not on disk yet.
pub struct Wave {
    /// May be sent before it is on disk.
    pub now: Vec<Message>,
    /// May be sent once it is.
    held: Vec<Message>,
    ready: Ready,
}

impl Wave {
    /// Whether the log must be synced before the wave lands.
    pub fn must_sync(&self) -> bool {
        self.ready.must_sync()
    }
}

/// What a wave came to once it is on disk.
#[derive(Default)]
pub struct Landed {
    /// To be sent.
    pub messages: Vec<Message>,
    /// Answers to what was proposed here.
    pub done: Vec<(Ticket, Result<Outcome, LogError>)>,
    /// What is applied here includes everything that was agreed on when these were asked.
    pub confirmed: Vec<Ticket>,
}

/// Where a group stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The leader this member knows of; 0 is none.
    pub leader: u64,
    /// It leads itself.
    pub leads: bool,
    /// Of the election.
    pub term: u64,
    /// Agreed on, as far as it knows.
    pub commit: u64,
    /// Applied here.
    pub applied: u64,
}

/// A shard's replica.
pub struct Group {
    node: RawNode<Shelf>,
    sum: Sum,
    /// By the place of its last command: each row that is not answered.
    waiting: BTreeMap<u64, rows::Proposed>,
    /// Rows whose last place was proposed anew before anything was agreed on there.
    overtaken: Vec<Ticket>,
    rhythm: Rhythm,
    since_checkpoint: usize,
    random: Random,
    patience: Patience,
    /// Newcomers a snapshot was sent to, and ticks since.
    sent: BTreeMap<u64, usize>,
    /// What a confirmed ticket must see applied first.
    confirming: Vec<(u64, Ticket)>,
}

/// How long this member waits for a leader, and what it saw when that was drawn. raft-rs draws by itself, but not by our seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Patience {
    ticks: usize,
    seen: (u64, u64, u8),
}

/// Writes the begin of a new shard into an empty log: the same on each of its first members, which are voters. They are given with the
/// store each lies on.
pub fn bootstrap(log: &mut ReplicaLog, voters: &BTreeMap<u64, String>) -> Result<(), StorageError> {
    let base = Base { index: 1, term: 1 };
    let members = Members { voters: voters.keys().copied().collect(), on: voters.clone(), ..Members::default() };
    let sum = Sum { machine: Machine::begun(base.index), members: vec![(base.index, members)] };
    log.reset(base, sum.bytes())?;
    log.promise_to(Promise { term: 1, vote: 0, commit: 1 })?;
    log.sync()
}

impl Group {
    /// A replica over its log, empty if it has yet to hear from the others. Nothing is applied before the first waves land.
    pub fn new(replica: u64, log: ReplicaLog, rhythm: Rhythm, random: Random) -> Result<Group, StorageError> {
        let (sum, snapshot) = (Sum::of(&log)?, Sum::snapshot(&log)?);
        let config = Config {
            id: replica,
            election_tick: rhythm.election,
            heartbeat_tick: rhythm.heartbeat,
            applied: sum.machine.applied().0,
            max_size_per_msg: 1 << 20,
            max_inflight_msgs: 256,
            check_quorum: true,
            pre_vote: true,
            // raft-rs 0.7 adds entries to an append that waits to be sent without looking whether they follow the place it names, and its
            // reader then acknowledges what it does not have. We propose together what belongs together instead.
            batch_append: false,
            max_uncommitted_size: 256 << 20,
            max_committed_size_per_ready: 16 << 20,
            ..Config::default()
        };
        let shelf = Shelf::new(log, sum.current().wire(), snapshot);
        let logger = slog::Logger::root(slog::Discard, slog::o!());
        let node = RawNode::new(&config, shelf, &logger).map_err(|error| StorageError::Misuse(error.to_string()))?;
        let (waiting, patience) = (BTreeMap::new(), Patience::default());
        let (sent, confirming, overtaken) = (BTreeMap::new(), Vec::new(), Vec::new());
        Ok(Group { node, sum, waiting, overtaken, rhythm, since_checkpoint: 0, random, patience, sent, confirming })
    }

    /// A tick of the clock went by.
    pub fn tick(&mut self) {
        self.draw_patience();
        self.node.raft.set_randomized_election_timeout(self.patience.ticks);
        self.node.tick();
        self.send_again();
    }

    /// A snapshot is a small message and may be lost as any other: raft-rs waits for it until it is told that it failed.
    fn send_again(&mut self) {
        let limit = self.rhythm.election;
        self.sent.values_mut().for_each(|ticks| *ticks += 1);
        for replica in self.sent.extract_if(.., |_, ticks| *ticks > limit).map(|(replica, _)| replica) {
            self.node.report_snapshot(replica, SnapshotStatus::Failure);
        }
    }

    /// raft-rs restores no snapshot in which its reader takes no part, and ours are as old as the begin of the log: whoever joined since is
    /// told that it follows, which the change that lies behind the snapshot will say again.
    fn note_snapshots(&mut self, messages: &mut [Message]) {
        for message in messages.iter_mut().filter(|message| message.get_msg_type() == MessageType::MsgSnapshot) {
            self.sent.insert(message.to, 0);
            let to = message.to;
            let state = message.mut_snapshot().mut_metadata().mut_conf_state();
            let known =
                [state.get_voters(), state.get_learners(), state.get_voters_outgoing(), state.get_learners_next()];
            if !known.iter().any(|members| members.contains(&to)) {
                state.mut_learners().push(to);
            }
        }
    }

    /// Anew whenever the election moved on.
    fn draw_patience(&mut self) {
        let raft = &self.node.raft;
        let seen = (raft.term, raft.leader_id, raft.state as u8);
        if self.patience.ticks == 0 || self.patience.seen != seen {
            let more = usize::try_from(self.random.below(self.rhythm.election as u64)).unwrap_or(0);
            self.patience = Patience { ticks: self.rhythm.election + more, seen };
        }
    }

    /// A message came. One that makes no sense here is dropped, as the network might have.
    pub fn step(&mut self, message: Message) {
        let _ = self.node.step(message);
    }

    /// A member cannot be reached: it is sent less until it answers.
    pub fn unreachable(&mut self, replica: u64) {
        self.node.report_unreachable(replica);
    }

    /// Asks the others whether this member still leads; once a majority said so and all agreed on by then is applied, the ticket comes up
    /// in [`Landed::confirmed`]. Never, if this member has just been elected or leads no longer: ask again.
    pub fn confirm(&mut self, ticket: Ticket) -> Result<(), LogError> {
        self.must_lead()?;
        self.node.read_index(ticket.to_le_bytes().to_vec());
        Ok(())
    }

    /// Asks for changes of members that hold together: all or none, and never a moment with two majorities.
    pub fn change(&mut self, changes: &[Change]) -> Result<(), LogError> {
        self.must_lead()?;
        let dropped = |error: raft::Error| LogError::Unavailable(error.to_string());
        let mut wanted = ConfChangeV2::default();
        wanted.set_transition(ConfChangeTransition::Auto);
        wanted.set_changes(changes.iter().map(single).collect::<Vec<_>>().into());
        wanted.set_context(members::joining(changes));
        self.node.propose_conf_change(Vec::new(), wanted).map_err(dropped)
    }

    /// Hands the lead to another voter.
    pub fn transfer(&mut self, replica: u64) {
        if self.must_lead().is_ok() {
            self.node.transfer_leader(replica);
        }
    }

    /// Hands the lead to the voter that was heard of lately and has the most; nothing, if there is none.
    pub fn hand_over(&mut self) {
        let raft = &self.node.raft;
        let voters = raft.prs().conf().voters();
        let fit = raft
            .prs()
            .iter()
            .filter(|(replica, progress)| **replica != raft.id && progress.recent_active && voters.contains(**replica));
        if let Some((replica, _)) = fit.max_by_key(|(_, progress)| progress.matched) {
            self.transfer(*replica);
        }
    }

    fn must_lead(&self) -> Result<(), LogError> {
        if self.node.raft.state == StateRole::Leader {
            return Ok(());
        }
        Err(LogError::Unavailable(format!("replica {} leads, this is {}", self.node.raft.leader_id, self.node.raft.id)))
    }

    /// What is to be done next; `None` while nothing is. Written, not synced.
    pub fn wave(&mut self) -> Result<Option<Wave>, StorageError> {
        if !self.node.has_ready() {
            return Ok(None);
        }
        let mut ready = self.node.ready();
        let mut now = ready.take_messages();
        self.note_snapshots(&mut now);
        if !ready.snapshot().is_empty() {
            let snapshot = ready.snapshot().clone();
            self.sum = Sum::read(snapshot.get_data())?;
            let members = self.sum.current().wire();
            self.node.mut_store().install(&snapshot, members)?;
        }
        let promise = self.log().promise();
        let is_new = ready.hs().is_some_and(|hard| (hard.term, hard.vote) != (promise.term, promise.vote));
        // What is said in a new term waits until that is on disk: who forgets a term might lead in it twice.
        let held = if is_new { std::mem::take(&mut now) } else { Vec::new() };
        let entries = ready.take_entries();
        self.node.mut_store().write(entries, ready.hs())?;
        Ok(Some(Wave { now, held, ready }))
    }

    /// Puts on disk what waves wrote.
    pub fn sync(&mut self) -> Result<(), StorageError> {
        self.node.mut_store().log.sync()
    }

    /// Writes down that all is on disk. For moments of rest.
    pub fn rest(&mut self) -> Result<(), StorageError> {
        self.node.mut_store().log.mark()
    }

    /// The wave is on disk.
    pub fn land(&mut self, wave: Wave) -> Result<Landed, StorageError> {
        let (mut landed, mut ready) = (Landed::default(), wave.ready);
        self.confirming.extend(ready.take_read_states().iter().filter_map(asked));
        landed.messages = wave.held;
        landed.messages.append(&mut ready.take_persisted_messages());
        let mut committed = ready.take_committed_entries();
        let mut light = self.node.advance_append(ready);
        landed.messages.append(&mut light.take_messages());
        committed.append(&mut light.take_committed_entries());
        self.apply(committed, &mut landed.done)?;
        self.node.advance_apply();
        self.step_down_if_gone();
        self.note_snapshots(&mut landed.messages);
        let unknown = || LogError::Unknown("this member led again before its place was agreed on".to_owned());
        landed.done.extend(self.overtaken.drain(..).map(|ticket| (ticket, Err(unknown()))));
        self.keep_house()?;
        let applied = self.sum.machine.applied().0;
        landed.confirmed =
            self.confirming.extract_if(.., |(index, _)| *index <= applied).map(|(_, ticket)| ticket).collect();
        Ok(landed)
    }

    /// A leader that was taken out leads no longer; raft-rs leaves that to us, and trips over it otherwise.
    fn step_down_if_gone(&mut self) {
        let raft = &mut self.node.raft;
        if raft.state == StateRole::Leader && !raft.promotable() {
            raft.become_follower(raft.term, raft::INVALID_ID);
        }
    }

    fn apply(
        &mut self,
        entries: Vec<Entry>,
        done: &mut Vec<(Ticket, Result<Outcome, LogError>)>,
    ) -> Result<(), StorageError> {
        for entry in entries {
            self.since_checkpoint += entry.data.len();
            let command = if entry.get_entry_type() == EntryType::EntryNormal {
                Command::read(&entry.data)
            } else {
                self.apply_change(&entry)?;
                None
            };
            let outcome = self.sum.machine.apply(Lsn(entry.index), command.as_ref());
            self.answer(entry.index, entry.term, outcome.as_ref(), done);
        }
        Ok(())
    }

    fn apply_change(&mut self, entry: &Entry) -> Result<(), StorageError> {
        let odd =
            |error: String| StorageError::Misuse(format!("the change at {} cannot be made: {error}", entry.index));
        let change = ConfChangeV2::parse_from_bytes(&entry.data).map_err(|error| odd(error.to_string()))?;
        let state = self.node.apply_conf_change(&change).map_err(|error| odd(error.to_string()))?;
        self.sum.members.push((entry.index, self.sum.current().after(&state, change.get_context())));
        self.node.mut_store().members = state;
        Ok(())
    }

    /// Checkpoints, and lets go of what was truncated.
    fn keep_house(&mut self) -> Result<(), StorageError> {
        let applied = self.sum.machine.applied().0;
        let log = &mut self.node.mut_store().log;
        if self.since_checkpoint >= self.rhythm.checkpoint {
            self.since_checkpoint = 0;
            // A checkpoint must not know more than the promise says is agreed on.
            let promise = log.promise();
            log.promise_to(Promise { commit: promise.commit.max(applied), ..promise })?;
            log.write_checkpoint(applied, self.sum.bytes())?;
        }
        let through = self.sum.machine.truncated().0.min(applied);
        if through <= log.base().index {
            return Ok(());
        }
        log.compact(through, self.sum.until(through).bytes())?;
        let behind = self.sum.members.partition_point(|(from, _)| *from <= through);
        self.sum.members.drain(..behind.saturating_sub(1));
        let snapshot = Sum::snapshot(log)?;
        self.node.mut_store().snapshot = snapshot;
        Ok(())
    }

    /// Where it stands.
    pub fn standing(&self) -> Standing {
        let raft = &self.node.raft;
        Standing {
            leader: raft.leader_id,
            leads: raft.state == StateRole::Leader,
            term: raft.term,
            commit: raft.raft_log.committed,
            applied: self.sum.machine.applied().0,
        }
    }

    /// What its log adds up to here.
    pub fn machine(&self) -> &Machine {
        &self.sum.machine
    }

    /// Who takes part, as far as it applied.
    pub fn members(&self) -> Members {
        self.sum.current()
    }

    /// The place of the last change of members it applied.
    pub fn membership(&self) -> u64 {
        self.sum.members.last().map_or(0, |(index, _)| *index)
    }

    /// Where agreed entries from a place on are found, at least as far as so many records reach.
    pub fn look(&self, from: Lsn, most: Most) -> Result<View, LogError> {
        let machine = &self.sum.machine;
        let (truncated, to, most) = (machine.truncated(), machine.applied().next(), view::reach(most));
        if from <= truncated && truncated > Lsn::ZERO {
            return Err(LogError::Truncated { asked: from, truncated });
        }
        let kept = self.node.store();
        let found = kept
            .recent(from.0, to.0, most)
            .map_or_else(|| Found::Rows(kept.log.stretches(from.0, to.0, most)), Found::Entries);
        Ok(View { from, to, machine: machine.clone(), found })
    }

    /// Its log.
    pub fn log(&self) -> &ReplicaLog {
        &self.node.store().log
    }
}

/// Up to where a question must see the log applied.
fn asked(read: &ReadState) -> Option<(u64, Ticket)> {
    Some((read.index, Ticket::from_le_bytes(read.request_ctx.as_slice().try_into().ok()?)))
}

fn single(change: &Change) -> ConfChangeSingle {
    let (kind, replica) = match change {
        Change::Voter(replica, _) => (ConfChangeType::AddNode, replica),
        Change::Learner(replica, _) => (ConfChangeType::AddLearnerNode, replica),
        Change::Gone(replica) => (ConfChangeType::RemoveNode, replica),
    };
    let mut single = ConfChangeSingle::default();
    single.set_change_type(kind);
    single.node_id = *replica;
    single
}
