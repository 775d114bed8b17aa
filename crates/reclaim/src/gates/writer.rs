//! Gate `writer`: nothing is rebuilt on a node that may take writes, unless the operator said so; and nothing at all on a
//! member its cluster could not spare.
//!
//! The rule is the topology room's writer test, run in the very session that is about to run the statement.

use super::{refuse, unanswered};
use api::GateVerdict;
use mysql::{Session, SqlError};
use topology::{OwnSample, WriterVerdict};

/// Runs the test: against an earlier sample of the node's own transactions if there is one.
pub async fn probe(session: &mut Session, before: Option<&OwnSample>) -> Result<WriterVerdict, SqlError> {
    match before {
        Some(before) => topology::writer_test_since(session, before).await,
        None => topology::writer_test(session).await,
    }
}

/// The gate. A server that went away under the test is waited for; a test that could not be run otherwise counts as a
/// writer.
pub fn verdict(test: &Result<WriterVerdict, SqlError>, exclude_primary: bool) -> GateVerdict {
    match test {
        Ok(WriterVerdict { barred: Some(reason), .. }) => refuse(reason.clone()),
        Err(error) if !exclude_primary => unanswered("whether a cluster depends on it", error),
        Ok(_) if !exclude_primary => GateVerdict::Pass,
        Err(error) if error.is_of_the_way() => unanswered("whether it takes writes", error),
        Err(error) => refuse(format!("whether it takes writes could not be decided: {error}")),
        Ok(test) if test.writer => refuse(format!("it may take writes: {}", test.reasons.join("; "))),
        Ok(_) => GateVerdict::Pass,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::Address;

    fn found(writer: bool, barred: Option<&str>) -> WriterVerdict {
        WriterVerdict { writer, reasons: vec!["why".to_owned()], barred: barred.map(str::to_owned) }
    }

    #[test]
    fn leave_to_touch_writers_is_no_leave_to_touch_a_cluster() {
        assert_eq!(verdict(&Ok(found(true, None)), false), GateVerdict::Pass);
        assert_eq!(verdict(&Ok(found(false, None)), true), GateVerdict::Pass);
        assert!(matches!(verdict(&Ok(found(true, None)), true), GateVerdict::Refuse { .. }));
        for exclude_primary in [true, false] {
            let address = Address::new("db", 3306);
            let (lost, reason) = (SqlError::Lost { address: address.clone(), reason: "killed".into() }, String::new());
            assert!(matches!(verdict(&Err(lost), exclude_primary), GateVerdict::Wait { .. }));
            let denied = SqlError::Server { address, code: 1227, state: "42000".into(), message: reason };
            assert!(matches!(verdict(&Err(denied), exclude_primary), GateVerdict::Refuse { .. }));
            assert!(matches!(verdict(&Ok(found(true, Some("Galera"))), exclude_primary), GateVerdict::Refuse { .. }));
        }
    }
}
