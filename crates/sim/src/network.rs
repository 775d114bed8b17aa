//! Messages under way, and who reaches whom.

use log_server::consensus::Message;
use runtime::Random;
use std::collections::BTreeSet;

/// Most messages under way: beyond, old ones are lost, as in a full buffer.
const MOST: usize = 2000;

/// The network between the members.
#[derive(Default)]
pub struct Network {
    under_way: Vec<Message>,
    /// Pairs whose messages are lost, one way.
    cut: BTreeSet<(u64, u64)>,
    /// Of a hundred messages so many are lost, and so many arrive twice.
    pub lossy: u64,
    pub doubling: u64,
}

/// What an append carries lies right behind the place it names: its reader counts from there.
fn follows(message: &Message) {
    let places = message.entries.iter().map(|entry| entry.index);
    assert!(places.eq((message.index + 1..).take(message.entries.len())), "an append with a gap: {message:?}");
}

impl Network {
    pub fn send(&mut self, messages: Vec<Message>, random: &Random) {
        for message in messages {
            follows(&message);
            if self.cut.contains(&(message.from, message.to)) || random.below(100) < self.lossy {
                continue;
            }
            if random.below(100) < self.doubling {
                self.under_way.push(message.clone());
            }
            self.under_way.push(message);
        }
        if self.under_way.len() > MOST {
            self.under_way.drain(..self.under_way.len() - MOST);
        }
    }

    /// The next to arrive: mostly the oldest, now and then any.
    pub fn arrive(&mut self, random: &Random) -> Option<Message> {
        if self.under_way.is_empty() {
            return None;
        }
        let any = usize::try_from(random.below(self.under_way.len() as u64)).unwrap_or(0);
        let which = if random.below(4) == 0 { any } else { 0 };
        let message = self.under_way.remove(which);
        (!self.cut.contains(&(message.from, message.to))).then_some(message)
    }

    pub fn cut(&mut self, from: u64, to: u64) {
        self.cut.insert((from, to));
    }

    pub fn heal(&mut self) {
        self.cut.clear();
        (self.lossy, self.doubling) = (0, 0);
    }

    pub fn is_empty(&self) -> bool {
        self.under_way.is_empty()
    }
}
