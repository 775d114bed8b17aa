//! A heartbeat row, as pt-heartbeat writes it: it tells a lag below a second, and grows where a thread stands still.

use api::{ClusterTopology, EdgeKind, Reach};
use jiff::civil::DateTime;
use mysql::{Row, Session, SqlError};
use std::collections::BTreeSet;
use types::TableName;

/// Where a heartbeat is kept, and whose beats count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// The table.
    pub table: TableName,
    /// Whether `ts` is in UTC (`pt-heartbeat --utc`), not in the servers' own time.
    pub utc: bool,
    /// Server ids of the servers at which a node's changes begin; empty if they are not known.
    pub roots: Vec<u32>,
}

/// Rows a heartbeat table may have, one per server: with more it is another table, and reading all would be dear.
const MOST: usize = 1000;
/// Seconds a heartbeat may lie ahead: clocks differ a little, time zones a lot.
const AHEAD: f64 = 5.0;

impl Heartbeat {
    /// The same table, for one node of the fleet.
    ///
    /// pt-heartbeat marks its row with the id of the server it writes to, and several may run in one fleet. The row of the
    /// server a node's changes begin at has come the whole way; a newer row of a server in between would hide that this
    /// one is behind.
    #[must_use]
    pub fn of(&self, topology: &ClusterTopology, node: &str) -> Self {
        Self { roots: roots(topology, node).unwrap_or_default(), ..self.clone() }
    }

    /// Its name as errors and reasons show it.
    fn place(&self) -> String {
        format!("heartbeat in {}", mysql::table_ident(&self.table))
    }

    /// Seconds since the beat that counts, by the clock of the server asked; else why that is not known.
    ///
    /// # Errors
    /// Only a broken session.
    pub(crate) async fn age(&self, session: &mut Session) -> Result<Result<f64, String>, SqlError> {
        let (now, table) = (if self.utc { "UTC_TIMESTAMP(6)" } else { "NOW(6)" }, mysql::table_ident(&self.table));
        // Ours come first, because a column is found by its first name.
        let limit = MOST + 1;
        let sql = format!("SELECT {now} AS now_here, @@server_id AS id_here, h.* FROM {table} AS h LIMIT {limit}");
        match session.rows(&sql).await {
            Ok(rows) => Ok(self.read(&rows).and_then(|seen| self.judge(&seen))),
            Err(SqlError::Server { code, message, .. }) => {
                let next = "let pt-heartbeat create it, grant SELECT on it, or correct recycling.heartbeat.table";
                Ok(Err(format!("{} cannot be read: {message} ({code}): {next}", self.place())))
            }
            Err(error) => Err(error),
        }
    }

    fn read(&self, rows: &[Row]) -> Result<Seen, String> {
        let place = self.place();
        let Some(first) = rows.first() else { return Err(format!("{place} has no row: nobody writes it")) };
        if !(first.has("ts") && first.has("server_id")) {
            return Err(format!("{place} has no columns `ts` and `server_id`: it is not a table of pt-heartbeat"));
        }
        if rows.len() > MOST {
            return Err(format!("{place} has more than {MOST} rows: it is not a table of pt-heartbeat"));
        }
        let (now, own) = (first.text("now_here").as_deref().and_then(moment), first.parse("id_here"));
        let (Some(now), Some(own)) = (now, own) else {
            return Err(format!("{place}: the server tells neither its time nor its id"));
        };
        let beat = |row: &Row| Beat { server_id: row.parse("server_id"), ts: row.text("ts").unwrap_or_default() };
        Ok(Seen { now, own, beats: rows.iter().map(beat).collect() })
    }

    /// The rule: the oldest beat of the roots; where they are not known, the newest of any other server.
    fn judge(&self, seen: &Seen) -> Result<f64, String> {
        let place = self.place();
        let others = || seen.beats.iter().filter(|beat| beat.server_id != Some(seen.own));
        let age = |beat: &Beat| {
            let at = moment(&beat.ts)
                .ok_or_else(|| format!("{place}: `{}` is not a moment such as 2026-11-22T01:02:03.004500", beat.ts))?;
            Ok(seen.now.duration_since(at).as_secs_f64())
        };
        let ages: Result<Vec<f64>, String> = if self.roots.is_empty() {
            others().map(age).collect()
        } else {
            let of = |root: &u32| {
                let found = others().find(|beat| beat.server_id == Some(*root));
                found.ok_or_else(|| {
                    format!(
                        "{place} has no row of server id {root}, where this node's changes begin: run pt-heartbeat there"
                    )
                })
            };
            self.roots.iter().map(|root| of(root).and_then(age)).collect()
        };
        let worse: fn(f64, f64) -> f64 = if self.roots.is_empty() { f64::min } else { f64::max };
        let age = ages?.into_iter().reduce(worse).ok_or_else(|| format!("{place} has no row of another server"))?;
        if age < -AHEAD {
            let ahead = -age;
            return Err(format!(
                "{place} lies {ahead:.0} s ahead of the server's clock: set the clocks, or recycling.heartbeat.utc"
            ));
        }
        Ok(age.max(0.0))
    }

    /// An age in words.
    pub(crate) fn words(&self, age: f64) -> String {
        format!("{} is {age:.1} s old", self.place())
    }
}

/// What the table holds, and whose clock and id it is read with.
struct Seen {
    now: DateTime,
    own: u32,
    beats: Vec<Beat>,
}

struct Beat {
    server_id: Option<u32>,
    ts: String,
}

/// A moment without a zone, the day and the time parted by `T` or a blank.
fn moment(text: &str) -> Option<DateTime> {
    let text = text.trim();
    let plain = |byte: u8| byte.is_ascii_digit() || b":.".contains(&byte);
    let (_, time) = text.split_once(['T', ' '])?;
    text.parse().ok().filter(|_| time.bytes().all(plain))
}

/// Where the changes of a node begin; `None` if it is not plain: a ring, Galera, or a server that was not asked.
fn roots(topology: &ClusterTopology, node: &str) -> Option<Vec<u32>> {
    let (mut seen, mut open, mut ends) = (BTreeSet::from([node]), vec![node], BTreeSet::new());
    while let Some(id) = open.pop() {
        let mut above = topology.edges.iter().filter(|edge| edge.target == id && edge.source != id).peekable();
        if above.peek().is_none() {
            let end = topology.nodes.iter().find(|end| end.id == id)?;
            ends.insert((end.reach == Reach::Reached && id != node).then_some(end.server_id)?);
        }
        for edge in above {
            if edge.kind == EdgeKind::Galera {
                return None;
            }
            if seen.insert(edge.source.as_str()) {
                open.push(&edge.source);
            }
        }
    }
    Some(ends.into_iter().collect())
}

#[cfg(test)]
mod tests;
