//! What is said when a connection is refused or lost: the system's words, each once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

use mysql::{Endpoint, Session, SqlError};
use testkit::{Engine, Options, PASSWORD, Server, USER};
use types::{Address, Secret};

/// The driver calls an error of the system an input/output error, and so it may, once.
fn said_once(error: &SqlError) {
    let text = error.to_string().to_lowercase();
    assert!(text.matches("error: ").count() <= 1, "{text}");
    assert!(text.matches("input/output").count() <= 1, "{text}");
}

#[tokio::test]
async fn where_nobody_listens() {
    let nobody = Address::new("127.0.0.1", testkit::free_port());
    let error = Session::connect(&Endpoint::new(nobody, USER, Secret::new(PASSWORD))).await.err().expect("refused");
    assert!(matches!(error, SqlError::Connect { .. }) && error.to_string().contains("refused"), "{error}");
    said_once(&error);
}

#[tokio::test]
async fn when_the_server_dies() {
    for engine in Engine::available() {
        let mut server = Server::start(engine, Options::default()).await;
        let mut session = server.session().await;
        server.kill();
        let error = session.run("SELECT 1").await.expect_err("nobody is there");
        assert!(matches!(error, SqlError::Lost { .. }), "{error}");
        said_once(&error);
    }
}
