//! How far behind a node is: what its channels tell, and a heartbeat table where there is one.

use crate::ask::{self, ApplierQueue};
use crate::facts::Channel;
use crate::heartbeat::Heartbeat;
use mysql::{Session, SqlError};

/// Age of the oldest transaction any applier works on now, by the clock of the server that committed it first.
const APPLYING: &str = "SELECT MAX(TIMESTAMPDIFF(MICROSECOND, APPLYING_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP, NOW(6))) \
     AS MICROS FROM performance_schema.replication_applier_status_by_worker WHERE APPLYING_TRANSACTION <> ''";

/// How far behind a node is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lag {
    /// Seconds. `None`: unknown, stopped, or fed by nobody; treat it as infinite.
    pub seconds: Option<f64>,
    /// What says so, where it is the heartbeat.
    pub told: Option<String>,
}

impl Lag {
    /// Whether it is known and no more than that.
    pub fn is_within(&self, seconds: f64) -> bool {
        self.seconds.is_some_and(|lag| lag <= seconds)
    }
}

/// How far behind the node is: the larger of what its channels tell and of the heartbeat's age, if one is kept.
///
/// # Errors
/// A broken session. A heartbeat that cannot be read is no error: the lag is unknown then.
pub async fn lag(session: &mut Session, heartbeat: Option<&Heartbeat>) -> Result<Lag, SqlError> {
    let told = by_channels(session).await?;
    let Some(heartbeat) = heartbeat else { return Ok(Lag { seconds: told, told: None }) };
    let age = heartbeat.age(session).await?;
    Ok(larger(told, age.as_ref().copied().map_err(String::as_str), |age| heartbeat.words(age)))
}

/// The rule for both: unknown is larger than everything.
fn larger(told: Option<f64>, age: Result<f64, &str>, words: impl Fn(f64) -> String) -> Lag {
    match (told, age) {
        (_, Err(why)) => Lag { seconds: None, told: Some(why.to_owned()) },
        (None, Ok(age)) => {
            Lag { seconds: None, told: Some(format!("replication is stopped or its lag is unknown; {}", words(age))) }
        }
        (Some(told), Ok(age)) if age > told => Lag { seconds: Some(age), told: Some(words(age)) },
        (told, Ok(_)) => Lag { seconds: told, told: None },
    }
}

/// Seconds behind, worst channel.
///
/// Takes the larger of `Seconds_Behind_*` (whole seconds; 0 while the I/O thread is behind) and, on MySQL, the age of
/// the transaction being applied (microseconds, by original commit timestamp). A group's member is fed by the group, whose
/// channel shows no seconds: there the queue of its applier tells.
async fn by_channels(session: &mut Session) -> Result<Option<f64>, SqlError> {
    let channels = match ask::inbound(session).await? {
        Ok(told) => told.value,
        Err(_) => return Ok(None),
    };
    let queue = ask::applier_queue(session).await?;
    let applying = match session.row(APPLYING).await {
        Ok(row) => row.and_then(|row| row.parse::<f64>("MICROS")).map(|micros| micros / 1e6),
        Err(SqlError::Server { .. }) => None,
        Err(error) => return Err(error),
    };
    Ok(behind(worst(&channels), channels.is_empty(), queue, applying))
}

/// The rule: what the channels count, what the group's applier has queued, and the age of what is being applied.
fn behind(counted: Option<i64>, no_channel: bool, queue: ApplierQueue, applying: Option<f64>) -> Option<f64> {
    #[allow(clippy::cast_precision_loss, reason = "a lag of 2^52 seconds is no lag to measure")]
    let counted = counted.map(|seconds| seconds as f64);
    let base = match queue {
        ApplierQueue::NoGroup => counted?,
        ApplierQueue::Unknown => return None,
        // It takes from a source beside its group.
        _ if !no_channel => counted?,
        ApplierQueue::Holds(_) => 0.0,
    };
    match (queue, applying) {
        // Something waits and nothing is being applied: the applier stands still.
        (ApplierQueue::Holds(1..), None) => None,
        (_, applying) => Some(base.max(applying.unwrap_or(0.0))),
    }
}

/// The largest count; `None` if a channel has none or does not run, or if there is no channel.
pub(crate) fn worst(channels: &[Channel]) -> Option<i64> {
    let behind = |channel: &Channel| channel.seconds_behind.filter(|_| channel.is_healthy());
    let all: Option<Vec<i64>> = channels.iter().map(behind).collect();
    all?.into_iter().max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_member_is_behind_by_what_its_applier_works_on() {
        assert_eq!(behind(None, true, ApplierQueue::Holds(0), None), Some(0.0));
        assert_eq!(behind(None, true, ApplierQueue::Holds(3), Some(2.5)), Some(2.5));
        assert_eq!(behind(None, true, ApplierQueue::Holds(3), None), None, "it stands still");
        assert_eq!(behind(None, true, ApplierQueue::Unknown, Some(0.1)), None);
        assert_eq!(behind(Some(7), false, ApplierQueue::Holds(0), None), Some(7.0), "its group follows another");
        assert_eq!(behind(None, false, ApplierQueue::Holds(0), None), None, "that channel is stopped");
    }

    #[test]
    fn the_larger_of_both_counts_and_unknown_is_the_largest() {
        let words = |age: f64| format!("{age} s old");
        let lag = |told, age| larger(told, age, words);
        assert_eq!(lag(Some(0.0), Ok(7.5)), Lag { seconds: Some(7.5), told: Some("7.5 s old".into()) });
        assert_eq!(lag(Some(9.0), Ok(7.5)), Lag { seconds: Some(9.0), told: None });
        assert_eq!(lag(Some(0.0), Err("no row")), Lag { seconds: None, told: Some("no row".into()) });
        assert_eq!(lag(None, Ok(0.1)).seconds, None, "a stopped thread is not made good by a fresh beat");
        assert!(lag(Some(1.0), Ok(0.5)).is_within(1.0) && !lag(None, Ok(0.5)).is_within(1e9));
    }

    #[test]
    fn without_a_group_the_channels_tell() {
        assert_eq!(behind(None, true, ApplierQueue::NoGroup, None), None);
        assert_eq!(behind(Some(1), false, ApplierQueue::NoGroup, Some(1.5)), Some(1.5));
    }
}
