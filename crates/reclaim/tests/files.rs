//! Files that are not like the plain ones (encrypted, elsewhere, with other pages, shared): rebuilt with
//! their rows, within their estimate and where they were, or left with a true reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod bed;

use bed::kinds::{left, planned, rebuilds, server, waste};
use std::path::Path;
use testkit::{Engine, Options};

/// Rows that are all the same letters would stand out in a file in clear.
fn in_clear(file: &Path) -> bool {
    let bytes = std::fs::read(file).expect("the table's file");
    bytes.windows(32).any(|window| window.iter().all(|byte| *byte == b'x'))
}

async fn encrypted(engine: Engine) {
    let server = server(engine, Options { keyring: true, ..Options::default() }).await;
    waste(&server, "plain", "").await;
    waste(&server, "secret", if engine == Engine::MySql { "ENCRYPTION='Y'" } else { "ENCRYPTED=YES" }).await;
    server.settled().await;
    let file = |table| server.data_directory().join(format!("shop/{table}.ibd"));
    assert!(in_clear(&file("plain")) && !in_clear(&file("secret")), "the bed encrypts one table and not the other");
    rebuilds(&server, &["secret"]).await;
    server.settled().await;
    assert!(!in_clear(&file("secret")), "the rebuilt file is in clear");
}

#[tokio::test]
async fn an_encrypted_table_is_rebuilt_and_stays_encrypted() {
    bed::on_each(encrypted).await;
}

async fn elsewhere(engine: Engine) {
    let far = tempfile::tempdir().expect("a directory");
    let place = far.path().display();
    let arguments = match engine {
        Engine::MySql => vec![format!("--innodb-directories={place}")],
        Engine::MariaDb => vec![],
    };
    let server = server(engine, Options { arguments, ..Options::default() }).await;
    waste(&server, "far", &format!("DATA DIRECTORY='{place}'")).await;
    let file = far.path().join("shop/far.ibd");
    let length = || std::fs::metadata(&file).expect("the file, where it was").len();
    server.settled().await;
    let before = length();
    let (_, results) = rebuilds(&server, &["far"]).await;
    let lost = i64::try_from(before).unwrap() - i64::try_from(length()).unwrap();
    assert_eq!(results[0].freed_bytes, Some(lost), "{results:#?}");
    assert!(!server.data_directory().join("shop/far.ibd").exists(), "it came home");
    let others = std::fs::read_dir(far.path().join("shop")).unwrap().count();
    assert_eq!(others, 1, "something is left beside it");
}

#[tokio::test]
async fn a_table_of_another_directory_stays_there() {
    bed::on_each(elsewhere).await;
}

async fn shared(engine: Engine) {
    let server = server(engine, Options::default()).await;
    waste(&server, "plain", "").await;
    server.run(&["SET GLOBAL innodb_file_per_table = 0"]).await;
    waste(&server, "system", "").await;
    server.run(&["SET GLOBAL innodb_file_per_table = 1"]).await;
    let mut tables = vec![("system", "ibdata1")];
    if engine == Engine::MySql {
        server.run(&["CREATE TABLESPACE common ADD DATAFILE 'common.ibd'"]).await;
        waste(&server, "general", "TABLESPACE common").await;
        tables.push(("general", "common.ibd"));
    }
    server.settled().await;
    let plan = planned(&server).await;
    for (table, file) in tables {
        assert!(left(&plan, table).contains("shared tablespace"), "{table}");
        // The reason is true: a rebuild by hand moves pages within the file and gives nothing back.
        let before = server.file_bytes(file);
        server.run(&["SET GLOBAL innodb_file_per_table = 0", &format!("ALTER TABLE shop.{table} FORCE")]).await;
        assert!(server.file_bytes(file) >= before, "{file} shrank");
    }
    server.run(&["SET GLOBAL innodb_file_per_table = 1"]).await;
    rebuilds(&server, &["plain"]).await;
}

#[tokio::test]
async fn a_table_of_a_shared_tablespace_is_left() {
    bed::on_each(shared).await;
}

/// Tables with files of their own on a server that has turned to sharing one: what is rebuilt keeps its file, and what
/// would be copied is left, for the copy would go into `ibdata1` for good.
async fn sharing(engine: Engine) {
    let server = server(engine, Options::default()).await;
    for table in ["plain", "texts"] {
        waste(&server, table, "").await;
    }
    server.run(&["ALTER TABLE shop.texts ADD FULLTEXT (v)", "SET GLOBAL innodb_file_per_table = 0"]).await;
    server.settled().await;
    let plan = planned(&server).await;
    assert!(left(&plan, "texts").contains("innodb_file_per_table = ON"));
    if engine == Engine::MySql {
        // This release rebuilds nothing online.
        assert!(left(&plan, "plain").contains("innodb_file_per_table = ON"));
        return;
    }
    let before = server.file_bytes("shop/plain.ibd");
    rebuilds(&server, &["plain"]).await;
    assert!(server.file_bytes("shop/plain.ibd") < before);
}

#[tokio::test]
async fn no_table_is_copied_into_the_system_tablespace() {
    bed::on_each(sharing).await;
}

/// The setting is changed between the plan and the job: the table stays in its file, and the job says why.
async fn shares_since(engine: Engine) {
    let server = server(engine, Options::default()).await;
    bed::fill(&server, "shop", "texts", 30_000, "").await;
    server.run(&["ALTER TABLE shop.texts ADD FULLTEXT (v)"]).await;
    bed::scatter(&server, "shop", "texts").await;
    server.settled().await;
    let (drawn, before) = (planned(&server).await, server.file_bytes("shop/texts.ibd"));
    server.run(&["SET GLOBAL innodb_file_per_table = 0"]).await;
    let hall = bed::Hall::new();
    let id = hall.submit_plan(drawn).await;
    let job = hall.finished(&id).await;
    assert_eq!(job.status, api::JobStatus::Failed, "{job:#?}");
    assert!(format!("{job:?}").contains("innodb_file_per_table is OFF on"), "{job:#?}");
    assert_eq!(server.file_bytes("shop/texts.ibd"), before);
}

#[tokio::test]
async fn a_copy_is_not_begun_once_the_server_shares_one_file() {
    bed::on_each(shares_since).await;
}

/// A plan made for a build that is sound, carried out on one that may lose rows: the statement is not sent.
#[tokio::test]
async fn an_online_rebuild_is_not_begun_on_a_build_that_may_lose_rows() {
    if !Engine::MySql.is_available() {
        return eprintln!("skipped: MySQL cannot be had here");
    }
    let server = server(Engine::MySql, Options::default()).await;
    waste(&server, "plain", "").await;
    server.settled().await;
    let (mut drawn, before) = (planned(&server).await, server.file_bytes("shop/plain.ibd"));
    for table in drawn.nodes.iter_mut().flat_map(|node| &mut node.batches).flat_map(|batch| &mut batch.tables) {
        table.strategy = api::Strategy::InPlace;
    }
    let hall = bed::Hall::new();
    let id = hall.submit_plan(drawn).await;
    let job = hall.finished(&id).await;
    assert_eq!(job.status, api::JobStatus::Failed, "{job:#?}");
    assert!(format!("{job:?}").contains("may lose rows"), "{job:#?}");
    assert_eq!(server.file_bytes("shop/plain.ibd"), before);
}

/// One size a test: each starts two servers and fills them.
async fn pages_of(page_kib: u32) {
    bed::on_each(|engine| async move {
        let server = server(engine, Options { page_kib, ..Options::default() }).await;
        waste(&server, "plain", "").await;
        drop(rebuilds(&server, &["plain"]).await);
    })
    .await;
}

#[tokio::test]
async fn pages_of_4_kib_are_understood() {
    pages_of(4).await;
}

#[tokio::test]
async fn pages_of_8_kib_are_understood() {
    pages_of(8).await;
}

#[tokio::test]
async fn pages_of_32_kib_are_understood() {
    pages_of(32).await;
}

#[tokio::test]
async fn pages_of_64_kib_are_understood() {
    pages_of(64).await;
}
