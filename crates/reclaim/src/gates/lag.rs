//! Gate `lag`: a replica that is behind is left to catch up first.

use super::{unanswered, wait};
use api::GateVerdict;
use mysql::SqlError;

/// The gate. A node that replicates from nobody has no lag; for one that does, unknown or stopped counts as infinite.
pub fn verdict(lag: &Result<Option<f64>, SqlError>, max_seconds: f64, is_replica: bool) -> GateVerdict {
    if !is_replica {
        return GateVerdict::Pass;
    }
    match lag {
        Err(error) => unanswered("replication lag", error),
        Ok(None) => wait("replication is stopped or its lag is unknown"),
        Ok(Some(seconds)) if *seconds > max_seconds => wait(format!("lag {seconds:.1} s > {max_seconds} s")),
        Ok(Some(_)) => GateVerdict::Pass,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_lag_is_infinite() {
        assert!(matches!(verdict(&Ok(None), 10.0, true), GateVerdict::Wait { .. }));
        assert!(matches!(verdict(&Ok(Some(12.0)), 10.0, true), GateVerdict::Wait { .. }));
        assert_eq!(verdict(&Ok(Some(9.9)), 10.0, true), GateVerdict::Pass);
        assert_eq!(verdict(&Ok(None), 10.0, false), GateVerdict::Pass);
    }
}
