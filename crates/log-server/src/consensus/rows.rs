//! Rows of commands from their proposal to their answer.

use super::{Command, Group, Message, Outcome, Row, Ticket};
use log::LogError;
use raft::eraftpb::{Entry, MessageType};

/// A row that was proposed here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Proposed {
    /// The place of its first command.
    first: u64,
    /// Of the leader this member was.
    term: u64,
    ticket: Ticket,
}

impl Group {
    /// Asks for a command to be agreed on; the answer comes under the ticket from a later wave.
    pub fn propose(&mut self, ticket: Ticket, command: &Command) -> Result<(), LogError> {
        self.propose_rows(&[(ticket, vec![command.clone()])])
    }

    /// Asks for rows of commands to be agreed on, all or none; of each row the answer is what its last command came to.
    pub fn propose_rows(&mut self, rows: &[Row]) -> Result<(), LogError> {
        self.must_lead()?;
        let entry = |command: &Command| Entry { data: command.bytes(), ..Entry::default() };
        let mut message = Message { from: self.node.raft.id, ..Message::default() };
        message.set_msg_type(MessageType::MsgPropose);
        message.set_entries(rows.iter().flat_map(|row| row.1.iter().map(entry)).collect::<Vec<_>>().into());
        let mut index = self.node.raft.raft_log.last_index();
        self.node.raft.step(message).map_err(|error| LogError::Unavailable(error.to_string()))?;
        let term = self.node.raft.term;
        for (ticket, commands) in rows {
            let first = index + 1;
            index += commands.len() as u64;
            let before = self.waiting.insert(index, Proposed { first, term, ticket: *ticket });
            // An earlier row of ours ended there before others led. Somebody may still have it, and lead again.
            self.overtaken.extend(before.map(|row| row.ticket));
        }
        Ok(())
    }

    /// Whoever asked for what should lie here hears what lies here.
    pub(super) fn answer(
        &mut self,
        index: u64,
        term: u64,
        outcome: Option<&Outcome>,
        done: &mut Vec<(Ticket, Result<Outcome, LogError>)>,
    ) {
        while let Some(first) = self.waiting.first_entry().filter(|first| *first.key() <= index) {
            let (at, row) = first.remove_entry();
            let answer = match outcome {
                Some(outcome) if at == index && row.term == term => Ok(outcome.clone()),
                _ if at == index => Err(self.replaced(row)),
                _ => Err(LogError::Unknown("a snapshot went past it".to_owned())),
            };
            done.push((row.ticket, answer));
        }
    }

    /// Why a row whose end was replaced is not what was asked for. Another leader may have taken over its begin: of such a row nobody may
    /// say that nothing was done.
    fn replaced(&self, row: Proposed) -> LogError {
        let begin = self.log().term(row.first);
        if begin.is_none_or(|term| term == row.term) {
            return LogError::Unknown("another leader came after it was agreed on in part".to_owned());
        }
        LogError::Unavailable("another leader came before it was agreed on".to_owned())
    }
}
