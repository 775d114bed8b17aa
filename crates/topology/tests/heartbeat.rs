//! Lag by a heartbeat row on real servers: the primary beats as pt-heartbeat does, the replica tells how old the beat is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod support;

use std::time::Duration;
use support::{discover_from, node_at, on_each_engine, options};
use testkit::{Engine, Fleet, Heart, Server};
use topology::{Heartbeat, Lag, lag};
use types::TableName;

fn heartbeat(utc: bool) -> Heartbeat {
    Heartbeat { table: TableName::new("percona", "heartbeat"), utc, roots: Vec::new() }
}

async fn lag_of(server: &Server, heartbeat: &Heartbeat) -> Lag {
    lag(&mut server.session().await, Some(heartbeat)).await.expect("the server answers")
}

async fn until(server: &Server, heartbeat: &Heartbeat, wanted: impl Fn(&Lag) -> bool) -> Lag {
    for _ in 0..1200 {
        let lag = lag_of(server, heartbeat).await;
        if wanted(&lag) {
            return lag;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the lag does not get there: {:?}", lag_of(server, heartbeat).await);
}

fn is_old(lag: &Lag) -> bool {
    lag.seconds.is_some_and(|seconds| seconds > 3.0)
}

async fn the_age_of_the_beat_is_the_lag(engine: Engine) {
    let fleet = Fleet::start(engine, 1).await;
    let replica = &fleet.servers[1];
    let heart = Heart::start(fleet.primary()).await;
    fleet.catch_up(1, 0).await;
    let picture = discover_from(replica, &options()).await;
    let ours = heartbeat(true).of(&picture, &node_at(&picture, replica).id);
    assert_eq!(ours.roots, [node_at(&picture, fleet.primary()).server_id], "its changes begin at the primary");
    until(replica, &ours, |lag| lag.is_within(2.0)).await;
    // The channel is as good as before and has nothing to do: only the beat tells that nothing comes any more.
    drop(heart);
    let old = until(replica, &ours, is_old).await;
    assert!(old.told.as_deref().is_some_and(|told| told.contains("heartbeat in `percona`.`heartbeat` is")), "{old:?}");
    assert_eq!(lag(&mut replica.session().await, None).await.unwrap().seconds, Some(0.0), "the channels see nothing");
    let primary = lag_of(fleet.primary(), &heartbeat(true)).await;
    assert!(primary.seconds.is_none(), "its own row tells the primary nothing: {primary:?}");
}

async fn a_stopped_applier_shows_in_the_beat(engine: Engine) {
    let fleet = Fleet::start(engine, 1).await;
    let replica = &fleet.servers[1];
    let _heart = Heart::start(fleet.primary()).await;
    fleet.catch_up(1, 0).await;
    until(replica, &heartbeat(true), |lag| lag.is_within(2.0)).await;
    let stop = if engine == Engine::MariaDb { "STOP SLAVE SQL_THREAD" } else { "STOP REPLICA SQL_THREAD" };
    replica.run(&[stop]).await;
    let shows = |lag: &Lag| lag.seconds.is_none() && lag.told.as_deref().is_some_and(|told| told.contains("s old"));
    until(replica, &heartbeat(true), shows).await;
    replica.run(&[stop.replace("STOP", "START").as_str()]).await;
    until(replica, &heartbeat(true), |lag| lag.is_within(2.0)).await;
}

async fn what_cannot_be_read_is_an_unknown_lag(engine: Engine) {
    let fleet = Fleet::start(engine, 1).await;
    let replica = &fleet.servers[1];
    fleet.catch_up(1, 0).await;
    let why = async |wanted: &str| {
        let lag = lag_of(replica, &heartbeat(true)).await;
        let told = lag.told.unwrap_or_default();
        assert!(lag.seconds.is_none() && told.contains("`percona`.`heartbeat`") && told.contains(wanted), "{told}");
    };
    why("cannot be read").await;
    let primary = fleet.primary();
    primary.run(&["CREATE DATABASE percona", "CREATE TABLE percona.heartbeat (id INT PRIMARY KEY, a INT)"]).await;
    fleet.catch_up(1, 0).await;
    why("has no row").await;
    primary.run(&["INSERT INTO percona.heartbeat VALUES (1, 1)"]).await;
    fleet.catch_up(1, 0).await;
    why("not a table of pt-heartbeat").await;
    let junk = [
        "DROP TABLE percona.heartbeat",
        testkit::HEARTBEAT,
        "INSERT INTO percona.heartbeat (ts, server_id) VALUES ('soon', 1)",
    ];
    primary.run(&junk).await;
    fleet.catch_up(1, 0).await;
    why("`soon` is not a moment").await;
    support::create_account(primary, "blind", "REPLICATION CLIENT").await;
    fleet.catch_up(1, 0).await;
    let mut session = mysql::Session::connect(&support::as_account(replica, "blind")).await.unwrap();
    let lag = lag(&mut session, Some(&heartbeat(true))).await.unwrap();
    assert!(lag.seconds.is_none() && lag.told.as_deref().is_some_and(|told| told.contains("grant SELECT")), "{lag:?}");
}

/// Written without `--utc` the row is in the servers' own time; read as UTC it lies hours off.
async fn local_time_is_read_as_such(engine: Engine) {
    let arguments = vec!["--default-time-zone=+08:00".to_owned()];
    let server = Server::start(engine, testkit::Options { arguments, ..testkit::Options::default() }).await;
    let beat = "INSERT INTO percona.heartbeat (ts, server_id) VALUES (DATE_FORMAT(NOW(6), '%Y-%m-%dT%H:%i:%s.%f'), 1)";
    server.run(&["CREATE DATABASE percona", testkit::HEARTBEAT, beat]).await;
    let (local, utc) = (lag_of(&server, &heartbeat(false)).await, lag_of(&server, &heartbeat(true)).await);
    assert!(local.told.as_deref().is_some_and(|told| told.contains("s old")), "{local:?}");
    assert!(utc.told.as_deref().is_some_and(|told| told.contains("ahead") && told.contains("utc")), "{utc:?}");
}

on_each_engine!(
    the_age_of_the_beat_is_the_lag,
    a_stopped_applier_shows_in_the_beat,
    what_cannot_be_read_is_an_unknown_lag,
    local_time_is_read_as_such,
);
