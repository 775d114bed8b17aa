//! What clients ask of their own accord is answered, and what needs a database is refused in so many words.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail by panic")]

mod support;

use async_trait::async_trait;
use front::{FrontSettings, LogService, ServiceError};
use log_server::keeper::{Addresses, Heartbeat, Locality, Setting, State};
use mysql_async::{Conn, OptsBuilder, Row, prelude::Queryable};
use std::sync::Arc;
use std::time::Duration;
use support::{Door, client::Client};

async fn connect(port: u16) -> Conn {
    let options = OptsBuilder::default().ip_or_hostname("127.0.0.1").tcp_port(port).user(Some("root"));
    Conn::new(options.pass(Some("111"))).await.unwrap()
}

async fn refused(conn: &mut Conn, sql: &str) -> (u16, String) {
    match conn.query_drop(sql).await.unwrap_err() {
        mysql_async::Error::Server(error) => (error.code, error.message),
        other => panic!("{sql}: {other}"),
    }
}

/// As traced from the Python SDK.
#[tokio::test]
async fn the_statements_of_a_connecting_client_are_answered() {
    let door = Door::open().await;
    let mut conn = connect(door.port).await;
    for sql in [
        "SET NAMES utf8mb4",
        "SET AUTOCOMMIT = 0",
        "SELECT @@version_comment LIMIT 1",
        "SELECT VERSION()",
        "SELECT DATABASE()",
        "SELECT @@transaction_isolation",
        "SELECT @@sql_mode",
        "SELECT @@lower_case_table_names",
        "SELECT version()",
        "SET experimental_ivf_index = 1",
        "SELECT 1",
        "SHOW WARNINGS",
        "SHOW VARIABLES LIKE 'sql_mode'",
        "BEGIN",
        "COMMIT",
        "ROLLBACK",
    ] {
        conn.query_drop(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    let names: Option<i64> = conn.query_first("SELECT @@lower_case_table_names").await.unwrap();
    assert_eq!(names, Some(1));
    let facts: Option<(u64, u64, Option<String>)> =
        conn.query_first("SELECT @@max_allowed_packet,@@wait_timeout,@@socket").await.unwrap();
    assert_eq!(facts, Some((67_108_864, 28_800, None)));
    let shown: Vec<(String, String)> = conn.query("SHOW SESSION VARIABLES LIKE 'character\\_set\\_c%'").await.unwrap();
    assert_eq!(shown.len(), 2);
    let version: Vec<(String, String)> = conn.query("show variables like 'VERSION'").await.unwrap();
    let expected = concat!("8.0.30-MatrixOne-v", env!("CARGO_PKG_VERSION"));
    assert_eq!(version, [("version".to_owned(), expected.to_owned())]);
}

#[tokio::test]
async fn a_database_is_used_by_word_and_by_command() {
    let door = Door::open().await;
    let mut conn = connect(door.port).await;
    let database = async |conn: &mut Conn| conn.query_first::<Option<String>, _>("select database()").await.unwrap();
    assert_eq!(database(&mut conn).await, Some(None));
    conn.query_drop("use `my db`").await.unwrap();
    assert_eq!(database(&mut conn).await, Some(Some("my db".to_owned())));
    for client in Client::available() {
        let printed = client.table(door.port, "use other; select database() as d").await;
        assert!(printed.contains("| other |"), "{client:?}: {printed}");
    }
}

#[tokio::test]
async fn what_needs_a_database_is_refused_with_what_is_answered() {
    let door = Door::open().await;
    let mut conn = connect(door.port).await;
    for sql in ["SELECT * FROM t", "INSERT INTO t VALUES (1)", "SHOW TABLES", "SET GLOBAL x = 1"] {
        let (code, words) = refused(&mut conn, sql).await;
        assert_eq!(code, 20105, "{sql}");
        assert!(words.starts_with("not supported: ") && words.contains("until a database is behind it"), "{words}");
    }
    assert_eq!(refused(&mut conn, "show logservice shards").await.0, 1064);
    assert_eq!(refused(&mut conn, "select @@nonsense").await.0, 1193);
    assert_eq!(refused(&mut conn, "-- nothing").await.0, 1065);
    conn.query_drop("select 1").await.unwrap();
}

#[tokio::test]
async fn a_leader_comes_first_in_its_shard_whatever_its_id() {
    let door = Door::open().await;
    {
        let mut state = door.service.0.lock().unwrap();
        for store in state.stores.values_mut() {
            store.told.held[1].leader = 262_149;
        }
    }
    let mut conn = connect(door.port).await;
    let rows: Vec<Row> = conn.query("show logservice replicas").await.unwrap();
    let told = |row: &Row| (row.get::<u64, _>("replica_id").unwrap(), row.get::<String, _>("replica_role").unwrap());
    let told: Vec<(u64, String)> = rows.iter().map(told).collect();
    assert_eq!(told[2..4], [(262_149, "Leader".to_owned()), (262_145, "Follower".to_owned())]);
}

#[tokio::test]
async fn a_store_that_holds_nothing_comes_last_and_two_leaders_both_say_so() {
    let door = Door::open().await;
    {
        let mut state = door.service.0.lock().unwrap();
        let idle = Heartbeat {
            born: 0,
            store: "0-idle".to_owned(),
            addresses: Addresses::default(),
            locality: Locality::read("b:2;a:1"),
            held: Vec::new(),
        };
        state.hear(idle);
        let west = state.stores.get_mut(support::WEST).unwrap();
        west.told.held[2].leader = 262_150;
        west.told.held[2].replica = 262_150;
        west.told.held.reverse();
    }
    let mut conn = connect(door.port).await;
    let rows: Vec<Row> = conn.query("show logservice replicas").await.unwrap();
    let role = |place: usize| rows[place].get::<Option<String>, _>("replica_role").unwrap();
    assert_eq!((role(4).as_deref(), role(5).as_deref()), (Some("Leader"), Some("Leader")));
    let (last, nothing) = (rows[6].clone().unwrap(), mysql_async::Value::NULL);
    assert_eq!(last[..6], vec![nothing; 6]);
    assert_eq!(last[6], mysql_async::Value::from("0-idle"));
    let stores: Vec<Row> = conn.query("show logservice stores").await.unwrap();
    assert_eq!(stores[0].get::<String, _>("store_id").as_deref(), Some("0-idle"));
    assert_eq!(stores[0].get::<String, _>("locality").as_deref(), Some("a:1;b:2"));
    assert_eq!(stores[0].get::<u64, _>("replica_num"), Some(0));
    let replicas = stores[1].get::<String, _>("replicas");
    assert_eq!(replicas.as_deref(), Some("0:262148;1:262149;3:262150"), "by shard, however they were told");
}

/// A log service without a majority, or one that never answers.
struct Lame {
    silent: bool,
}

impl Lame {
    async fn fail<T>(&self) -> Result<T, ServiceError> {
        if self.silent {
            std::future::pending::<()>().await;
        }
        Err(ServiceError::Unavailable("1 of 3 stores answers".to_owned()))
    }
}

#[async_trait]
impl LogService for Lame {
    async fn state(&self) -> Result<State, ServiceError> {
        self.fail().await
    }

    async fn set(&self, _: Setting) -> Result<(), ServiceError> {
        self.fail().await
    }
}

#[tokio::test]
async fn a_log_service_that_cannot_answer_is_an_error_and_never_a_wait_for_ever() {
    let settings = FrontSettings { answer_limit: Duration::from_millis(50), ..FrontSettings::default() };
    for (silent, shown, set) in [
        (
            false,
            "internal error: the log service cannot answer now: 1 of 3 stores answers",
            "internal error: the log service",
        ),
        (
            true,
            "internal error: the log service cannot answer now: it took too long",
            "internal error: it is not known whether",
        ),
    ] {
        let (handle, shutdown) = Door::over(Arc::new(Lame { silent }), settings.clone()).await;
        let mut conn = connect(handle.address.port()).await;
        let (code, words) = refused(&mut conn, "show logservice stores").await;
        assert!(code == 20101 && words.starts_with(shown), "{words}");
        let (code, words) = refused(&mut conn, "set logservice settings non_voting_replica_num = 1").await;
        assert!(code == 20101 && words.starts_with(set), "{words}");
        shutdown.cancel();
        handle.ended().await;
    }
}

#[tokio::test]
async fn a_silent_client_is_let_go() {
    let settings = FrontSettings { idle_limit: Duration::from_millis(100), ..FrontSettings::default() };
    let door = Door::with(settings).await;
    let mut conn = connect(door.port).await;
    conn.query_drop("select 1").await.unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(conn.query_drop("select 1").await.is_err());
}
