//! A survey of 1,000 tables: wall time, and bytes read against the data there is, those to open the tables apart.
//!
//! `cargo run --release -p bench --bin survey_1000 [mariadb|mysql [N]]`: with N each table has an Nth of
//! its rows, for a small disk.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a measuring program stops loudly")]

use api::Method;
use bench::table;
use mysql::{Capabilities, Session};
use reclaim::estimate::{FileAccess, Filter, Survey, survey_for};
use runtime::Clock;
use testkit::{Engine, Options, Server};

/// Tables and rows of each: many small, few large, as servers have them.
const SIZES: [(u64, u64); 3] = [(900, 2_500), (90, 30_000), (10, 240_000)];

async fn run(session: &mut Session, sql: &str) {
    session.run(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

async fn build(session: &mut Session, part: u64) {
    run(session, "CREATE DATABASE many").await;
    run(session, "USE many").await;
    run(session, "CREATE TABLE digits (d INT PRIMARY KEY)").await;
    run(session, "INSERT INTO digits VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)").await;
    run(session, "CREATE TABLE seed (id INT PRIMARY KEY, a INT, pad VARCHAR(300), KEY (a))").await;
    let numbers = "SELECT a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d + 100000 * f.d AS n \
                   FROM digits a, digits b, digits c, digits d, digits e, digits f";
    run(
        session,
        &format!(
            "INSERT INTO seed SELECT n, (n * 7919) MOD 100003, REPEAT('x', 180 + (n * 31) MOD 80) \
             FROM ({numbers}) numbers WHERE n < 240000 ORDER BY n"
        ),
    )
    .await;
    let mut number = 0;
    for (tables, rows) in SIZES.map(|(tables, rows)| (tables, rows / part)) {
        for _ in 0..tables {
            let name = format!("t{number:04}");
            run(session, &format!("CREATE TABLE {name} LIKE seed")).await;
            run(session, &format!("INSERT INTO {name} SELECT * FROM seed WHERE id < {rows} ORDER BY id")).await;
            if number % 3 == 0 {
                run(session, &format!("DELETE FROM {name} WHERE (id * 48271) MOD 100 < 60")).await;
            }
            number += 1;
        }
    }
    run(session, "DROP TABLE seed").await;
}

/// Bytes of data files the server read: all, by its own account of each file, and those it read into the buffer pool.
#[derive(Clone, Copy)]
struct Read {
    all: u64,
    pool: u64,
}

async fn read_by_server(session: &mut Session) -> Read {
    let sql = "SELECT SUM_NUMBER_OF_BYTES_READ AS bytes FROM performance_schema.file_summary_by_event_name \
               WHERE EVENT_NAME = 'wait/io/file/innodb/innodb_data_file'";
    let all = session.row(sql).await.unwrap().and_then(|row| row.parse("bytes")).unwrap();
    let row = session.row("SHOW GLOBAL STATUS LIKE 'Innodb_data_read'").await.unwrap();
    Read { all, pool: row.and_then(|row| row.parse("Value")).unwrap() }
}

/// What any tool would read that only lists the tables with their sizes.
async fn list(session: &mut Session, caps: &Capabilities) -> Read {
    let before = read_by_server(session).await;
    let spaces = if caps.is_mariadb() { "INNODB_SYS_TABLESPACES" } else { "INNODB_TABLESPACES" };
    if !caps.is_mariadb() {
        run(session, "SET SESSION information_schema_stats_expiry = 0").await;
    }
    for view in ["TABLES WHERE TABLE_SCHEMA = 'many'", spaces] {
        session.rows(&format!("SELECT * FROM information_schema.{view}")).await.unwrap();
    }
    since(before, read_by_server(session).await)
}

fn since(before: Read, after: Read) -> Read {
    Read { all: after.all - before.all, pool: after.pool - before.pool }
}

async fn measure(session: &mut Session, caps: &Capabilities, files: FileAccess) -> (Survey, Read) {
    let before = read_by_server(session).await;
    let filter = Filter { databases: vec!["many".into()], tables: vec![] };
    let survey = survey_for(session, caps, &filter, &files, &Clock::real()).await.unwrap();
    (survey, since(before, read_by_server(session).await))
}

fn line(engine: Engine, way: &str, survey: &Survey, by_server: Read, listing: Read) -> Vec<String> {
    let percent = |bytes: u64| format!("{:.2} %", bytes as f64 * 100.0 / survey.data_bytes as f64);
    let by = |method: Method| survey.tables.iter().filter(|table| table.estimate.method == method).count();
    let first = survey.opening_bytes > 0;
    vec![
        engine.name().to_owned(),
        way.to_owned(),
        survey.tables.len().to_string(),
        table::mib(i64::try_from(survey.data_bytes).unwrap()),
        format!("{:.2}", survey.elapsed.as_secs_f64()),
        percent(survey.file_bytes_read),
        percent(by_server.all),
        percent(by_server.pool),
        if first { percent(listing.all) } else { percent(0) },
        percent(survey.file_bytes_read + by_server.all - if first { listing.all.min(by_server.all) } else { 0 }),
        format!("{} / {} / {}", by(Method::Pages), by(Method::Sql), by(Method::None)),
    ]
}

/// A fresh start: all purged and written, nothing in memory, every table to be opened again.
async fn afresh(server: &mut Server) -> (Session, Capabilities) {
    server.settled().await;
    server.stop().await;
    server.restart().await;
    let mut session = server.session().await;
    let caps = Capabilities::probe(&mut session).await.unwrap();
    (session, caps)
}

fn options() -> Options {
    let arguments = [
        "--innodb-buffer-pool-size=64M",
        "--disable-log-bin",
        "--innodb-flush-log-at-trx-commit=0",
        // What the server reads to warm itself up after a restart is no cost of a survey.
        "--innodb-buffer-pool-load-at-startup=OFF",
        // Its status counts what goes through the buffer pool only: less than a fifth of what opening a table reads.
        "--performance-schema=ON",
        "--performance-schema-instrument=wait/io/file/innodb/%=ON",
        "--performance-schema-max-file-instances=20000",
    ];
    Options { arguments: arguments.map(str::to_owned).into(), ..Options::default() }
}

#[tokio::main]
async fn main() {
    let word = std::env::args().nth(1).unwrap_or_default();
    let part = std::env::args().nth(2).and_then(|word| word.parse().ok()).unwrap_or(1);
    let mut rows = Vec::new();
    for engine in Engine::available().into_iter().filter(|engine| word.is_empty() || engine.name() == word) {
        let mut server = Server::start(engine, options()).await;
        let mut session = server.session().await;
        build(&mut session, part).await;
        session.close().await;
        let (mut session, caps) = afresh(&mut server).await;
        let listing = list(&mut session, &caps).await;
        session.close().await;
        for (way, files, fresh) in [
            ("pages, first look", FileAccess::Auto, true),
            ("pages, again", FileAccess::Auto, false),
            ("SQL alone, first look", FileAccess::Off, true),
            ("SQL alone, again", FileAccess::Off, false),
        ] {
            let mut session = if fresh { afresh(&mut server).await.0 } else { server.session().await };
            let (survey, by_server) = measure(&mut session, &caps, files).await;
            session.close().await;
            rows.push(line(engine, way, &survey, by_server, listing));
            eprintln!("{}", rows.last().unwrap().join(" | "));
        }
    }
    let heads = [
        "engine",
        "way",
        "tables",
        "data MiB",
        "seconds",
        "read from files",
        "read by the server",
        "of it into its pool",
        "of it to list the tables",
        "all but listing",
        "by pages / SQL / none",
    ];
    table::print("Survey of 1,000 tables", &heads, &rows);
}
