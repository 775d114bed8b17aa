//! A fleet starts, replicates, survives a crash of a member.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

use testkit::{Engine, Fleet};

async fn replicates_and_survives(engine: Engine) {
    let mut fleet = Fleet::start(engine, 1).await;
    fleet
        .primary()
        .run(&["CREATE DATABASE d", "CREATE TABLE d.t (i INT PRIMARY KEY)", "INSERT INTO d.t VALUES (1)"])
        .await;
    fleet.catch_up(1, 0).await;
    fleet.servers[1].kill();
    fleet.primary().run(&["INSERT INTO d.t VALUES (2)"]).await;
    fleet.servers[1].restart().await;
    fleet.catch_up(1, 0).await;
    assert_eq!(fleet.servers[1].value("SELECT COUNT(*) FROM d.t").await, "2");
}

#[tokio::test]
async fn mariadb_replicates_and_survives() {
    replicates_and_survives(Engine::MariaDb).await;
}

#[tokio::test]
async fn mysql_replicates_and_survives() {
    if Engine::MySql.is_available() {
        replicates_and_survives(Engine::MySql).await;
    }
}
