//! New settings for a hall that runs: what is taken over, what needs a restart, what is refused and changes nothing.
#![allow(clippy::expect_used, reason = "a test stops where it fails")]

use control::{
    Budget, Caller, ClusterSettings, Concurrency, Control, Heartbeat, RecycleDefaults, Role, Settings, TokenSettings,
    Window,
};
use jiff::civil::time;
use jobs::MemoryStore;
use runtime::{Clock, Random};
use std::sync::Arc;
use types::{Address, Code, Secret, TableName};

async fn hall(settings: Settings) -> Control {
    let store = Arc::new(MemoryStore::default());
    Control::open(settings, store, Clock::real(), Random::real()).await.expect("opens")
}

fn admin() -> Caller {
    Caller::new("ann", Role::Admin)
}

fn cluster(name: &str) -> ClusterSettings {
    let address = Address::new("db1", 3306);
    let (username, password) = ("u".into(), Secret::new("hunter2"));
    ClusterSettings { name: name.into(), address, username, password, members: Vec::new(), group: None }
}

fn token(name: &str) -> TokenSettings {
    TokenSettings { name: name.into(), role: Role::Viewer, sha256: control::token_digest(name), groups: None }
}

#[tokio::test]
async fn what_can_be_taken_is_taken_and_the_rest_is_named_and_left() {
    let control = hall(Settings::default()).await;
    let new = Settings {
        defaults: RecycleDefaults { threshold_mb: 7, ..RecycleDefaults::default() },
        clusters: vec![cluster("prod")],
        tokens: vec![token("bob")],
        concurrency: Concurrency { max_workers: 3, ..Concurrency::default() },
        window: Some(Window { start: time(22, 0, 0, 0), end: time(6, 0, 0, 0) }),
        budget: Budget { bytes_per_hour: Some(1), minutes_per_day: None },
        heartbeat: Some(Heartbeat { table: TableName::new("a", "b"), utc: true, roots: Vec::new() }),
        ..Settings::default()
    };
    let later = control.reload(&admin(), new.clone()).await.expect("taken");
    assert_eq!(later, ["recycling.concurrency", "recycling.window", "recycling.budget", "recycling.heartbeat"]);
    let now = control.settings();
    assert_eq!((&now.defaults, &now.clusters, &now.tokens), (&new.defaults, &new.clusters, &new.tokens));
    assert_eq!(
        (&now.concurrency, now.window, now.budget),
        (&Concurrency::default(), None, Budget::default()),
        "as it began"
    );
    assert_eq!(now.heartbeat, None, "as it began");
    assert!(control.authenticate(Some("bob"), "peer").is_ok() && control.authenticate(None, "peer").is_err());
    let again = control.reload(&admin(), new).await.expect("taken");
    assert_eq!(again, later, "still to come until the restart");
}

#[tokio::test]
async fn what_cannot_work_is_refused_with_its_key_and_changes_nothing() {
    let began = Settings { tokens: vec![token("bob")], clusters: vec![cluster("prod")], ..Settings::default() };
    let control = hall(began.clone()).await;
    let with = |tokens: Vec<TokenSettings>, clusters: Vec<ClusterSettings>| Settings {
        tokens,
        clusters,
        ..Settings::default()
    };
    let broken = TokenSettings { sha256: "dd_the-token-itself".into(), ..token("eve") };
    let cases = [
        (with(vec![], vec![]), "auth.tokens", "at least one token while the server runs with tokens"),
        (with(vec![token("bob"), token("bob")], vec![]), "auth.tokens", "names must not be empty or repeated"),
        (with(vec![broken], vec![]), "auth.tokens", "no SHA-256"),
        (with(vec![token("bob")], vec![cluster("a"), cluster("a")]), "database.clusters", "a name each"),
        (with(vec![token("bob")], vec![cluster("../a")]), "name", "letters"),
        (two_people(vec![token("bob")]), "auth.two_person", "with 0 people who have a token of role admin"),
        (
            two_people(vec![admins("bob"), token("eve")]),
            "auth.two_person",
            "with 1 people who have a token of role admin",
        ),
        (
            two_people(vec![admins("bob"), admins("Bob")]),
            "auth.two_person",
            "with 1 people who have a token of role admin",
        ),
    ];
    for (settings, field, words) in cases {
        let refused = control.reload(&admin(), settings).await.expect_err(words);
        assert_eq!((refused.code, refused.detail("field")), (Code::InvalidArgument, field), "{refused}");
        assert!(refused.detail("error").contains(words), "{refused}");
        assert!(!refused.to_string().contains("dd_the-token-itself"), "{refused}");
        assert_eq!(*control.settings(), began, "{words}");
    }
}

fn admins(name: &str) -> TokenSettings {
    TokenSettings { role: Role::Admin, ..token(name) }
}

fn two_people(tokens: Vec<TokenSettings>) -> Settings {
    Settings { tokens, two_person: true, ..Settings::default() }
}

#[tokio::test]
async fn two_people_are_asked_for_only_where_there_are_two() {
    let store = || Arc::new(MemoryStore::default());
    let open = |settings| Control::open(settings, store(), Clock::real(), Random::real());
    let nobody = open(two_people(vec![])).await.expect_err("nobody can be told apart");
    assert_eq!((nobody.code, nobody.detail("field")), (Code::InvalidArgument, "auth.two_person"));
    assert!(nobody.detail("error").contains("all callers are one person"), "{nobody}");
    assert!(open(two_people(vec![admins("ann"), admins("bob")])).await.is_ok());
}

#[tokio::test]
async fn only_an_admin_reloads_and_the_audit_has_both() {
    let control = hall(Settings::default()).await;
    let refused = control.reload(&Caller::new("vic", Role::Operator), Settings::default()).await.expect_err("no admin");
    assert_eq!(refused.code, Code::Forbidden);
    control.reload(&admin(), Settings::default()).await.expect("taken");
    let entries = control.audit(&admin(), api::AuditQuery::default()).await.expect("entries");
    let told: Vec<(&str, &str, bool)> =
        entries.iter().map(|entry| (entry.actor.as_str(), entry.action.as_str(), entry.outcome == "ok")).collect();
    assert_eq!(told, [("ann", "config.reload", true), ("vic", "config.reload", false)]);
}
