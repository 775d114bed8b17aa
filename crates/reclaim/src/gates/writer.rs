//! Gate `writer`: nothing is rebuilt on a node that may take writes, unless the operator said so.
//!
//! The rule is the topology room's writer test, run in the very session that is about to run the statement.

use super::refuse;
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

/// The gate. A test that could not be run counts as a writer.
pub fn verdict(test: &Result<WriterVerdict, SqlError>, exclude_primary: bool) -> GateVerdict {
    if !exclude_primary {
        return GateVerdict::Pass;
    }
    match test {
        Err(error) => refuse(format!("whether it takes writes could not be decided: {error}")),
        Ok(test) if test.writer => refuse(format!("it may take writes: {}", test.reasons.join("; "))),
        Ok(_) => GateVerdict::Pass,
    }
}
