//! Two drivers at the door: statements as text and prepared, with rows in binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail by panic")]

mod support;

use front::FrontSettings;
use mysql_async::{Conn, OptsBuilder, Row, SslOpts, Value, consts::ColumnType, prelude::Queryable};
use sqlx::{
    Column, ConnectOptions, Connection, Row as _, TypeInfo,
    mysql::{MySqlConnectOptions, MySqlSslMode},
};
use support::{Door, HOME, WEST, certificate::certificate};

fn options(port: u16) -> OptsBuilder {
    OptsBuilder::default().ip_or_hostname("127.0.0.1").tcp_port(port).user(Some("root")).pass(Some("111"))
}

async fn encrypted() -> Door {
    Door::with(FrontSettings { tls: Some(certificate()), ..FrontSettings::default() }).await
}

#[tokio::test]
async fn mysql_async_reads_the_same_as_text_and_in_binary() {
    let door = encrypted().await;
    let tls = SslOpts::default().with_danger_accept_invalid_certs(true);
    for options in [options(door.port), options(door.port).ssl_opts(tls), options(door.port).prefer_socket(true)] {
        let mut conn = Conn::new(options).await.unwrap();
        let sql = "show logservice replicas";
        let text: Vec<(u64, u64, String, String, u64, u64, String)> = conn.query(sql).await.unwrap();
        let binary: Vec<(u64, u64, String, String, u64, u64, String)> = conn.exec(sql, ()).await.unwrap();
        assert_eq!(text, binary);
        assert_eq!(text.len(), 6);
        assert_eq!(text[0], (0, 131_072, "Leader".into(), "false".into(), 2, 1059, HOME.into()));
        assert_eq!(text[5], (3, 262_150, "Follower".into(), "true".into(), 2, 12, WEST.into()));
        conn.ping().await.unwrap();
        conn.disconnect().await.unwrap();
    }
}

#[tokio::test]
async fn columns_have_the_kinds_matrixone_gives_them() {
    let door = Door::open().await;
    let mut conn = Conn::new(options(door.port)).await.unwrap();
    let row: Row = conn.query_first("show logservice stores").await.unwrap().unwrap();
    let told: Vec<(String, ColumnType)> =
        row.columns_ref().iter().map(|column| (column.name_str().into_owned(), column.column_type())).collect();
    let (text, long) = (ColumnType::MYSQL_TYPE_VAR_STRING, ColumnType::MYSQL_TYPE_LONG);
    let expected = [
        ("store_id", text),
        ("tick", long),
        ("replica_num", long),
        ("replicas", text),
        ("locality", text),
        ("raft_address", text),
        ("service_address", text),
        ("gossip_address", text),
    ];
    assert_eq!(told, expected.map(|(name, kind)| (name.to_owned(), kind)));
    let row: Row = conn.query_first("show logservice replicas").await.unwrap().unwrap();
    let kinds: Vec<ColumnType> = row.columns_ref().iter().map(mysql_async::Column::column_type).collect();
    assert_eq!(kinds, [long, long, text, text, long, long, text]);
}

#[tokio::test]
async fn numbers_beyond_32_bits_survive_binary_rows() {
    let door = Door::open().await;
    door.service.0.lock().unwrap().stores.get_mut(WEST).unwrap().tick = 1 << 40;
    let mut conn = Conn::new(options(door.port)).await.unwrap();
    let row: Row = conn.exec_first("show logservice stores", ()).await.unwrap().unwrap();
    assert_eq!(row.get::<u64, _>("tick"), Some(1 << 40));
}

#[tokio::test]
async fn mysql_async_binds_values_and_hears_errors_by_their_numbers() {
    let door = Door::open().await;
    let mut conn = Conn::new(options(door.port)).await.unwrap();
    let hostile = "region:west'; set logservice settings non_voting_replica_num = 9; --";
    conn.exec_drop("set logservice settings non_voting_locality = ?", (hostile,)).await.unwrap();
    assert_eq!(door.service.0.lock().unwrap().settings.learners, 0);
    conn.exec_drop("set logservice settings non_voting_locality = ?", ("region:west",)).await.unwrap();
    let statement = conn.prep("set logservice settings non_voting_replica_num = ?").await.unwrap();
    for wrong in [Value::from("1"), Value::NULL, Value::from(1.5), Value::from(u64::MAX), Value::from(7)] {
        let error = conn.exec_drop(&statement, (wrong.clone(),)).await.unwrap_err();
        let mysql_async::Error::Server(error) = error else { panic!("{wrong:?}: {error}") };
        assert_eq!((error.code, error.state.as_str()), (20101, "HY000"), "{wrong:?}");
    }
    conn.exec_drop(&statement, (1,)).await.unwrap();
    conn.close(statement).await.unwrap();
    let shown: Vec<(String, String)> = conn.exec("show logservice settings", ()).await.unwrap();
    let expected = [("non_voting_replica_num", "1"), ("non_voting_locality", "region:west;")];
    assert_eq!(shown, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[tokio::test]
async fn a_value_in_pieces_and_a_statement_beyond_16_mib_arrive_whole() {
    let door = Door::open().await;
    let mut conn = Conn::new(options(door.port)).await.unwrap();
    // Longer than mysql_async sends in one packet, so it goes ahead in pieces.
    let long = format!("region:{}", "w".repeat(20 << 20));
    conn.exec_drop("set logservice settings non_voting_locality = ?", (long.as_str(),)).await.unwrap();
    assert_eq!(door.service.0.lock().unwrap().settings.locality.text(), long);
    conn.query_drop(format!("set logservice settings non_voting_locality = '{long}x'")).await.unwrap();
    assert_eq!(door.service.0.lock().unwrap().settings.locality.text().len(), long.len() + 1);
    let shown: Vec<(String, String)> = conn.query("show logservice settings").await.unwrap();
    assert_eq!(shown[1].1.len(), long.len() + 2);
}

#[tokio::test]
async fn mysql_async_starts_anew_and_becomes_somebody_else() {
    let door = Door::open().await;
    let mut conn = Conn::new(options(door.port).db_name(Some("first"))).await.unwrap();
    let statement = conn.prep("select ?").await.unwrap();
    assert_eq!(conn.exec_first::<i64, _, _>(&statement, (5,)).await.unwrap(), Some(5));
    assert!(conn.reset().await.unwrap(), "COM_RESET_CONNECTION");
    let change = mysql_async::ChangeUserOpts::new().with_user(Some("sys#root".to_owned()));
    conn.change_user(change.with_pass(Some("111".to_owned())).with_db_name(Some("second".to_owned()))).await.unwrap();
    let who: Option<(String, String)> = conn.query_first("select user(), database()").await.unwrap();
    assert_eq!(who, Some(("sys#root@127.0.0.1".to_owned(), "second".to_owned())));
    let wrong = mysql_async::ChangeUserOpts::new().with_user(Some("root".to_owned())).with_pass(Some("no".to_owned()));
    assert!(conn.change_user(wrong).await.is_err());
}

#[tokio::test]
async fn sqlx_connects_reads_and_sets() {
    let door = encrypted().await;
    for mode in [MySqlSslMode::Disabled, MySqlSslMode::Required] {
        let options = MySqlConnectOptions::new().host("127.0.0.1").port(door.port).username("root").password("111");
        let mut conn = options.ssl_mode(mode).connect().await.unwrap();
        let text = sqlx::raw_sql("show logservice stores").fetch_all(&mut conn).await.unwrap();
        let binary = sqlx::query("show logservice stores").fetch_all(&mut conn).await.unwrap();
        for rows in [&text, &binary] {
            assert_eq!((rows.len(), rows[0].get::<String, _>("store_id").as_str()), (2, WEST));
            assert_eq!((rows[1].get::<i64, _>("tick"), rows[1].get::<String, _>("locality").as_str()), (974, ""));
        }
        assert_eq!((text[0].columns()[1].name(), text[0].columns()[1].type_info().name()), ("tick", "INT"));
        let set = "set logservice settings non_voting_locality = ?";
        sqlx::query(set).bind("region:west").execute(&mut conn).await.unwrap();
        let error = sqlx::query("set logservice settings x = ?").bind(1_i64).execute(&mut conn).await.unwrap_err();
        assert!(error.to_string().contains("internal error: unsupported logservice settings var: x"), "{error}");
        conn.ping().await.unwrap();
        conn.close().await.unwrap();
    }
}
