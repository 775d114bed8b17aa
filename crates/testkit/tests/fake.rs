//! The real client logs in to a pretending server, by either proof, and is refused with the real errors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

use mysql::{Endpoint, Session};
use testkit::{USER, fake::Fake, fake::Script};
use types::Secret;

fn script(version: &str) -> Script {
    Script::new(version, "").rows(
        "SELECT x",
        &["a", "b"],
        vec![vec![Some("1".into()), None], vec![Some("x".repeat(70_000)), Some(String::new())]],
    )
}

#[tokio::test]
async fn a_client_logs_in_by_either_plugin_and_reads_rows() {
    for version in ["5.7.44", "8.4.2", "10.11.19-MariaDB"] {
        let fake = Fake::start(script(version)).await;
        let mut session = Session::connect(&fake.endpoint()).await.unwrap_or_else(|error| panic!("{version}: {error}"));
        for _ in 0..2 {
            let rows = session.rows("select  X;").await.unwrap();
            assert_eq!((rows[0].text("a").as_deref(), rows[0].text("b")), (Some("1"), None));
            assert_eq!((rows[1].text("a").unwrap().len(), rows[1].text("b").as_deref()), (70_000, Some("")));
        }
        assert_eq!(session.value("SELECT @@version").await.unwrap().as_deref(), Some(version));
        assert!(session.rows("SHOW NOTHING").await.is_err_and(|error| error.is_unknown_statement()));
        assert_eq!(session.run("SELECT @@nothing").await.unwrap_err().code(), Some(1193));
        session.close().await;
    }
}

#[tokio::test]
async fn a_wrong_password_or_account_is_1045() {
    for version in ["5.7.44", "8.4.2"] {
        let fake = Fake::start(script(version)).await;
        for (user, password) in [(USER, "wrong"), (USER, ""), ("nobody", testkit::PASSWORD)] {
            let endpoint = Endpoint::new(fake.address(), user, Secret::new(password));
            let error = Session::connect(&endpoint).await.err().expect("no way in");
            assert_eq!(error.code(), Some(1045), "{version} {user}: {error}");
        }
    }
}
