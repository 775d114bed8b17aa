//! A server that stops answering without a word: whoever asks is told in time, and told that nothing is known.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

use mysql::{Endpoint, Session, SqlError};
use std::time::Duration;
use testkit::{Engine, Options, Proxy, Server};
use types::{Code, Failure};

const LIMIT: Duration = Duration::from_millis(300);

async fn is_told(engine: Engine) {
    let server = Server::start(engine, Options::default()).await;
    let proxy = Proxy::start(server.address()).await;
    let endpoint = Endpoint { statement_limit: LIMIT, ..server.endpoint().at(proxy.address()) };
    let mut session = Session::connect(&endpoint).await.expect("the way is open");
    // A long statement says so: it outlives the limit of the others.
    session.rows_within(Duration::from_mins(1), "SELECT SLEEP(0.5)").await.expect("it has its own limit");
    proxy.silence();
    let error = session.run("CREATE DATABASE shop").await.expect_err("nobody answers");
    assert_eq!(error, SqlError::Unanswered { address: proxy.address(), limit: LIMIT });
    assert!(error.is_outcome_unknown());
    let failure = Failure::from(error);
    assert_eq!((failure.code, failure.detail("outcome")), (Code::TimedOut, "unknown"), "{failure:?}");
    // It did take effect or will: the answer that comes late must not be taken for the next one's.
    proxy.speak();
    let error = session.value("SELECT 1").await.expect_err("the session is of no more use");
    assert!(matches!(error, SqlError::Connect { .. }) && !error.is_outcome_unknown(), "{error:?}");
    session.close().await;
    let mut session = Session::connect(&endpoint).await.expect("a new session gets through");
    assert_eq!(session.value("SELECT 1").await.expect("an answer").as_deref(), Some("1"));
    proxy.silence();
    let connect_timeout = LIMIT;
    let error = Session::connect(&Endpoint { connect_timeout, ..endpoint }).await.err().expect("no way in");
    assert!(matches!(error, SqlError::TimedOut { .. }), "{error:?}");
}

#[tokio::test]
async fn a_silent_mariadb_is_told_in_time() {
    is_told(Engine::MariaDb).await;
}

#[tokio::test]
async fn a_silent_mysql_is_told_in_time() {
    if Engine::MySql.is_available() {
        is_told(Engine::MySql).await;
    } else {
        eprintln!("skipped: no mysql here");
    }
}
