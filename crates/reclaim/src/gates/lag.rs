//! Gate `lag`: a replica that is behind is left to catch up first.

use super::{unanswered, wait};
use api::GateVerdict;
use mysql::SqlError;
use topology::Lag;

/// The gate. A node that replicates from nobody has no lag; for one that does, unknown or stopped counts as infinite.
pub fn verdict(lag: &Result<Lag, SqlError>, max_seconds: f64, is_replica: bool) -> GateVerdict {
    if !is_replica {
        return GateVerdict::Pass;
    }
    match lag {
        Err(error) => unanswered("replication lag", error),
        Ok(lag) if lag.is_within(max_seconds) => GateVerdict::Pass,
        Ok(Lag { seconds: None, told }) => {
            wait(told.as_deref().unwrap_or("replication is stopped or its lag is unknown"))
        }
        Ok(Lag { seconds: Some(seconds), told }) => {
            let told = told.as_ref().map(|told| format!(": {told}")).unwrap_or_default();
            wait(format!("lag {seconds:.1} s > {max_seconds} s{told}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(seconds: Option<f64>, is_replica: bool) -> GateVerdict {
        verdict(&Ok(Lag { seconds, told: None }), 10.0, is_replica)
    }

    #[test]
    fn unknown_lag_is_infinite() {
        assert!(matches!(of(None, true), GateVerdict::Wait { .. }));
        assert!(matches!(of(Some(12.0), true), GateVerdict::Wait { .. }));
        assert!(matches!(of(Some(f64::NAN), true), GateVerdict::Wait { .. }));
        assert_eq!(of(Some(9.9), true), GateVerdict::Pass);
        assert_eq!(of(None, false), GateVerdict::Pass);
    }

    #[test]
    fn the_reason_says_what_tells_the_lag() {
        let told = Some("heartbeat in `a`.`b` is 12.0 s old".to_owned());
        for seconds in [None, Some(12.0)] {
            let lag = Ok(Lag { seconds, told: told.clone() });
            let GateVerdict::Wait { reason } = verdict(&lag, 10.0, true) else { panic!("it passes") };
            assert!(reason.contains("`a`.`b` is 12.0 s old"), "{reason}");
        }
    }
}
