//! Accounts of every kind, on real servers: each gets in, or is told what to do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

use mysql::{Endpoint, Session, SqlError, TlsMode};
use testkit::{Engine, Options, Server};
use types::{Code, Failure, Secret};

const PASSWORD: &str = "a-secret-of-its-own";

fn account(server: &Server, name: &str) -> Endpoint {
    Endpoint::new(server.address(), name, Secret::new(PASSWORD))
}

async fn gets_in(endpoint: &Endpoint) {
    let mut session = Session::connect(endpoint).await.unwrap_or_else(|error| panic!("{}: {error}", endpoint.username));
    let user = session.value("SELECT CURRENT_USER()").await.unwrap().unwrap_or_default();
    assert!(user.starts_with(&endpoint.username), "{user}");
    session.close().await;
}

/// What is said to one that does not get in: never its password, always what to do.
async fn told(endpoint: &Endpoint) -> (Option<u16>, Failure) {
    let error: SqlError = Session::connect(endpoint).await.err().expect("it must not get in");
    let code = error.code();
    let failure = Failure::from(error);
    assert!(!format!("{failure:?}").contains(PASSWORD), "{failure:?}");
    assert_eq!(failure.code, Code::ConnectFailed, "{failure:?}");
    (code, failure)
}

/// Creates an account with nothing in memory of it, so that the whole exchange is gone through.
async fn create(server: &Server, name: &str, how: &str) {
    server.run(&[&format!("CREATE USER '{name}'@'%' IDENTIFIED {how}"), "FLUSH PRIVILEGES"]).await;
}

#[tokio::test]
async fn on_mysql() {
    if !Engine::MySql.is_available() {
        return eprintln!("skipped: MySQL cannot be had here");
    }
    let server = Server::start(Engine::MySql, Options::default()).await;
    create(&server, "sha2", &format!("WITH caching_sha2_password BY '{PASSWORD}'")).await;
    let sha2 = account(&server, "sha2");
    // Once through the server's public key, once by what it then remembers.
    gets_in(&sha2).await;
    gets_in(&sha2).await;
    let wrong = Endpoint { password: Secret::new("not it"), ..sha2.clone() };
    assert_eq!(told(&wrong).await.0, Some(1045));
    create(&server, "expired", &format!("BY '{PASSWORD}' PASSWORD EXPIRE")).await;
    create(&server, "locked", &format!("BY '{PASSWORD}' ACCOUNT LOCK")).await;
    assert!(told(&account(&server, "locked")).await.0.is_some());
    assert!(told(&account(&server, "expired")).await.0.is_some());
    let encrypted = Endpoint { tls: TlsMode::Required, ..sha2.clone() };
    gets_in(&encrypted).await;
    let ca = server.data_directory().join("ca.pem");
    // The server's own certificate names no host: identity cannot be shown, and that is an error, not a warning.
    let verified = Endpoint { tls: TlsMode::VerifyIdentity { ca }, ..sha2.clone() };
    assert!(Session::connect(&verified).await.is_err(), "its certificate does not name 127.0.0.1");
    server.run(&["SET GLOBAL require_secure_transport = ON"]).await;
    let (code, failure) = told(&sha2).await;
    assert_eq!(code, Some(3159));
    assert!(failure.detail("next").contains("TLS"), "{failure:?}");
    gets_in(&encrypted).await;
}

/// The way in of 5.7 and before, and MariaDB's own by default (the account of every test there); MySQL 8.4 has it where
/// it is turned on, MySQL 9 no more.
#[tokio::test]
async fn with_the_native_password() {
    for engine in Engine::available() {
        let arguments = vec!["--loose-mysql-native-password=ON".to_owned()];
        let server = Server::start(engine, Options { arguments, ..Options::default() }).await;
        let how = match engine {
            Engine::MariaDb => format!("VIA mysql_native_password USING PASSWORD('{PASSWORD}')"),
            Engine::MySql => format!("WITH mysql_native_password BY '{PASSWORD}'"),
        };
        let mut session = server.session().await;
        match session.run(&format!("CREATE USER 'native'@'%' IDENTIFIED {how}")).await {
            Ok(()) => {}
            Err(SqlError::Server { code: 1524, .. }) => {
                let version = server.value("SELECT @@version").await;
                assert!(version.starts_with("9."), "only MySQL 9 is without it, not {version}");
                eprintln!("skipped: MySQL {version} has no mysql_native_password");
                continue;
            }
            Err(error) => panic!("{error}"),
        }
        let native = account(&server, "native");
        gets_in(&native).await;
        for wrong in ["not it", ""] {
            let wrong = Endpoint { password: Secret::new(wrong), ..native.clone() };
            assert_eq!(told(&wrong).await.0, Some(1045));
        }
    }
}

#[tokio::test]
async fn on_mariadb() {
    let arguments = vec!["--plugin-load-add=auth_ed25519".to_owned()];
    let server = Server::start(Engine::MariaDb, Options { arguments, ..Options::default() }).await;
    create(&server, "native", &format!("VIA mysql_native_password USING PASSWORD('{PASSWORD}')")).await;
    create(&server, "edwards", &format!("VIA ed25519 USING PASSWORD('{PASSWORD}')")).await;
    gets_in(&account(&server, "native")).await;
    gets_in(&account(&server, "edwards")).await;
    let wrong = Endpoint { password: Secret::new("not it"), ..account(&server, "edwards") };
    assert_eq!(told(&wrong).await.0, Some(1045));
    // Known by the operating system, over a network that does not know it.
    create(&server, "local", "VIA unix_socket").await;
    let (code, failure) = told(&account(&server, "local")).await;
    assert!(matches!(code, Some(1045 | 1698)), "{failure:?}");
    assert!(failure.detail("next").contains("password"), "{failure:?}");
}
