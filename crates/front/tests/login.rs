//! Who is let in: both proofs, with TLS and without, and what is said to those who are not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail by panic")]

mod support;

use front::{Accounts, FrontSettings};
use sha1::{Digest, Sha1};
use support::{
    Door,
    certificate::certificate,
    client::{Client, printed},
};
use tokio_util::sync::CancellationToken;
use types::Secret;
use wire::Credential;

const SHOW: &str = "show logservice settings";
const NATIVE: &str = "--default-auth=mysql_native_password";
const SHA2: &str = "--default-auth=caching_sha2_password";

/// With a certificate; `old` is an account of which only the older hash is kept.
fn encrypted(require_tls: bool) -> FrontSettings {
    let native = Sha1::digest(Sha1::digest("secret")).into();
    let accounts = Accounts::default().admin("old", Credential::of_native(native));
    FrontSettings { accounts, tls: Some(certificate()), require_tls, ..FrontSettings::default() }
}

/// The MySQL client has unlearned the older proof.
fn proofs(client: Client) -> &'static [&'static str] {
    if client == Client::MySql { &[SHA2] } else { &[NATIVE, SHA2] }
}

async fn comes_in(client: Client, port: u16, tls: &[&str], rest: &[&str]) -> bool {
    let arguments = [tls, rest].concat();
    client.run(port, &arguments, SHOW).await.status.success()
}

#[tokio::test]
async fn both_proofs_open_the_door_with_tls_and_without() {
    let door = Door::with(encrypted(false)).await;
    for client in Client::available() {
        for tls in [client.over_tls(), client.in_clear()] {
            for proof in proofs(client) {
                assert!(
                    comes_in(client, door.port, tls, &["-uroot", "-p111", proof]).await,
                    "{client:?} {tls:?} {proof}"
                );
                assert!(
                    !comes_in(client, door.port, tls, &["-uroot", "-p112", proof]).await,
                    "{client:?} {tls:?} {proof}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_client_that_asks_for_tls_gets_it() {
    let door = Door::with(encrypted(true)).await;
    for client in Client::available() {
        let commands: &[&str] = if client == Client::MySql { &["--commands"] } else { &[] };
        let arguments = [client.over_tls(), &["-uroot", "-p111"], commands].concat();
        let status = printed(client.run(door.port, &arguments, "\\s").await);
        let cipher = status.lines().find(|line| line.starts_with("SSL:")).unwrap_or_default();
        assert!(cipher.contains("Cipher in use is TLS_"), "{client:?}: {cipher}");
        assert!(status.contains("8.0.30-MatrixOne-v"), "{status}");
    }
}

#[tokio::test]
async fn where_tls_is_required_a_login_in_clear_is_refused_before_any_password() {
    let door = Door::with(encrypted(true)).await;
    for client in Client::available() {
        let arguments = [client.in_clear(), &["-uroot", "-p111"]].concat();
        let refusal = client.refusal(door.port, &arguments, SHOW).await;
        assert!(refusal.starts_with("ERROR 3159 (HY000)") && refusal.contains("connect with TLS"), "{refusal}");
    }
}

#[tokio::test]
async fn a_door_without_a_certificate_says_no_to_tls() {
    let door = Door::open().await;
    // The MariaDB client of 10.11 goes on in clear where it need not verify a certificate.
    for client in Client::available().into_iter().filter(|client| *client == Client::MySql) {
        let arguments = [client.over_tls(), &["-uroot", "-p111"]].concat();
        let refusal = client.refusal(door.port, &arguments, SHOW).await;
        assert!(refusal.contains("2026"), "the client itself gives up: {refusal}");
    }
}

#[tokio::test]
async fn wrong_names_and_passwords_are_1045() {
    let door = Door::open().await;
    for client in Client::available() {
        for (arguments, given) in [
            (["-uroot", "-pwrong"], "YES"),
            (["-unobody", "-p111"], "YES"),
            (["-uother#root", "-p111"], "YES"),
            (["-uroot", "--skip-password"], "NO"),
        ] {
            let refusal = client.refusal(door.port, &arguments, SHOW).await;
            let user = &arguments[0][2..];
            let expected = format!("ERROR 1045 (28000): Access denied for user '{user}' (using password: {given})");
            assert_eq!(refusal, expected, "{client:?}");
        }
    }
}

#[tokio::test]
async fn the_password_itself_is_asked_for_over_tls_only() {
    let door = Door::with(encrypted(false)).await;
    for client in Client::available() {
        let (tls, clear) = (client.over_tls(), client.in_clear());
        assert!(comes_in(client, door.port, tls, &["-uold", "-psecret", SHA2]).await, "{client:?}");
        assert!(!comes_in(client, door.port, tls, &["-uold", "-pwrong", SHA2]).await, "{client:?}");
        let refusal = client.refusal(door.port, &[clear, &["-uold", "-psecret", SHA2]].concat(), SHOW).await;
        assert!(refusal.contains("1045") && refusal.contains("connect with TLS"), "{client:?}: {refusal}");
    }
    assert!(comes_in(Client::MariaDb, door.port, Client::MariaDb.in_clear(), &["-uold", "-psecret", NATIVE]).await);
}

#[tokio::test]
async fn an_account_without_a_password_is_entered_without_one_only() {
    let accounts = Accounts::none().admin("open", Credential::of(&Secret::default()));
    let door = Door::with(FrontSettings { accounts, tls: Some(certificate()), ..FrontSettings::default() }).await;
    for client in Client::available() {
        for proof in proofs(client) {
            for tls in [client.over_tls(), client.in_clear()] {
                assert!(
                    comes_in(client, door.port, tls, &["-uopen", "--skip-password", proof]).await,
                    "{client:?} {proof}"
                );
                assert!(!comes_in(client, door.port, tls, &["-uopen", "-p111", proof]).await, "{client:?} {proof}");
            }
        }
    }
}

#[tokio::test]
async fn names_are_written_as_tenants_write_them() {
    let door = Door::open().await;
    for client in Client::available() {
        for user in ["-usys#root", "-usys:root", "-usys#root#moadmin"] {
            assert!(comes_in(client, door.port, &[], &[user, "-p111"]).await, "{client:?} {user}");
        }
    }
}

#[tokio::test]
async fn only_admins_see_and_set_the_log_service() {
    let accounts = Accounts::default().guest("reader", Credential::of(&Secret::new("r")));
    let door = Door::with(FrontSettings { accounts, ..FrontSettings::default() }).await;
    for client in Client::available() {
        for sql in [SHOW, "show logservice stores", "set logservice settings non_voting_locality = 'a:b'"] {
            for who in [["-ureader", "-pr"], ["-usys#root#public", "-p111"]] {
                let refusal = client.refusal(door.port, &who, sql).await;
                let expected = "internal error: do not have privilege to execute the statement";
                assert_eq!(refusal, format!("ERROR 20101 (HY000) at line 1: {expected}"), "{client:?} {who:?}");
            }
        }
        assert!(client.run(door.port, &["-ureader", "-pr"], "select 1").await.status.success());
    }
}

#[tokio::test]
async fn one_client_too_many_is_told_so_and_a_place_is_given_back() {
    let door = Door::with(FrontSettings { connections: 1, ..FrontSettings::default() }).await;
    let held = tokio::net::TcpStream::connect(("127.0.0.1", door.port)).await.unwrap();
    held.readable().await.unwrap();
    for client in Client::available() {
        let refusal = client.refusal(door.port, &["-uroot", "-p111"], SHOW).await;
        assert!(refusal.contains("1040") && refusal.contains("Too many connections"), "{client:?}: {refusal}");
    }
    drop(held);
    let mut tries = 0;
    while !comes_in(Client::MariaDb, door.port, &[], &["-uroot", "-p111"]).await {
        tries += 1;
        assert!(tries < 50, "the place is not given back");
    }
    door.close().await;
}

#[tokio::test]
async fn the_default_password_opens_no_door_that_others_can_reach() {
    let service = || std::sync::Arc::new(support::Memory(std::sync::Mutex::new(support::seed_state())));
    let anywhere = async || tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
    let open = FrontSettings::default();
    let refused = front::serve(anywhere().await, service(), open, CancellationToken::new()).unwrap_err();
    assert!(refused.to_string().contains("root has the default password"), "{refused}");
    let accounts = Accounts::none().admin("root", Credential::of(&Secret::new("its own")));
    let own = FrontSettings { accounts, ..FrontSettings::default() };
    let shutdown = CancellationToken::new();
    let handle = front::serve(anywhere().await, service(), own, shutdown.clone()).unwrap();
    assert!(comes_in(Client::MariaDb, handle.address.port(), &[], &["-uroot", "-pits own"]).await);
    shutdown.cancel();
    handle.ended().await;
}
