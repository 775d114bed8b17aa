//! How far behind a node is, by what SQL alone can tell; a heartbeat table tells more where there is one.

use crate::ask;
use crate::facts::Channel;
use mysql::{Session, SqlError};

/// Age of the oldest transaction any applier works on now, by the clock of the server that committed it first.
const APPLYING: &str = "SELECT MAX(TIMESTAMPDIFF(MICROSECOND, APPLYING_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP, NOW(6))) \
     AS MICROS FROM performance_schema.replication_applier_status_by_worker WHERE APPLYING_TRANSACTION <> ''";

/// Seconds behind, worst channel. `None`: unknown, stopped, or no channel at all; treat it as infinite.
///
/// Takes the larger of `Seconds_Behind_*` (whole seconds; 0 while the I/O thread is behind) and, on MySQL, the age of
/// the transaction being applied (microseconds, by original commit timestamp).
pub async fn lag(session: &mut Session) -> Result<Option<f64>, SqlError> {
    let channels = match ask::inbound(session).await? {
        Ok(told) => told.value,
        Err(_) => return Ok(None),
    };
    let Some(counted) = worst(&channels) else { return Ok(None) };
    #[allow(clippy::cast_precision_loss, reason = "a lag of 2^52 seconds is no lag to measure")]
    let counted = counted as f64;
    let measured = match session.row(APPLYING).await {
        Ok(row) => row.and_then(|row| row.parse::<f64>("MICROS")).unwrap_or(0.0) / 1e6,
        Err(SqlError::Server { .. }) => 0.0,
        Err(error) => return Err(error),
    };
    Ok(Some(counted.max(measured)))
}

/// The largest count; `None` if a channel has none or does not run, or if there is no channel.
pub(crate) fn worst(channels: &[Channel]) -> Option<i64> {
    let behind = |channel: &Channel| channel.seconds_behind.filter(|_| channel.is_healthy());
    let all: Option<Vec<i64>> = channels.iter().map(behind).collect();
    all?.into_iter().max()
}
