//! A survey of 1,000 tables: wall time, and bytes read against the data there is.
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

async fn read_by_server(session: &mut Session) -> u64 {
    let row = session.row("SHOW GLOBAL STATUS LIKE 'Innodb_data_read'").await.unwrap();
    row.and_then(|row| row.parse("Value")).unwrap()
}

async fn measure(session: &mut Session, caps: &Capabilities, files: FileAccess) -> (Survey, u64) {
    let before = read_by_server(session).await;
    let filter = Filter { databases: vec!["many".into()], tables: vec![] };
    let survey = survey_for(session, caps, &filter, &files, &Clock::real()).await.unwrap();
    (survey, read_by_server(session).await - before)
}

fn line(engine: Engine, way: &str, survey: &Survey, by_server: u64) -> Vec<String> {
    let percent = |bytes: u64| format!("{:.2} %", bytes as f64 * 100.0 / survey.data_bytes as f64);
    let by = |method: Method| survey.tables.iter().filter(|table| table.estimate.method == method).count();
    vec![
        engine.name().to_owned(),
        way.to_owned(),
        survey.tables.len().to_string(),
        table::mib(i64::try_from(survey.data_bytes).unwrap()),
        format!("{:.2}", survey.elapsed.as_secs_f64()),
        percent(survey.file_bytes_read),
        percent(by_server),
        format!("{} / {} / {}", by(Method::Pages), by(Method::Sql), by(Method::None)),
    ]
}

#[tokio::main]
async fn main() {
    let word = std::env::args().nth(1).unwrap_or_default();
    let part = std::env::args().nth(2).and_then(|word| word.parse().ok()).unwrap_or(1);
    let mut rows = Vec::new();
    for engine in Engine::available().into_iter().filter(|engine| word.is_empty() || engine.name() == word) {
        let arguments = [
            "--innodb-buffer-pool-size=64M",
            "--disable-log-bin",
            "--innodb-flush-log-at-trx-commit=0",
            // What the server reads to warm itself up after a restart is no cost of a survey.
            "--innodb-buffer-pool-load-at-startup=OFF",
        ];
        let options = Options { arguments: arguments.map(str::to_owned).into(), ..Options::default() };
        let mut server = Server::start(engine, options).await;
        let mut session = server.session().await;
        build(&mut session, part).await;
        // A fresh start: all purged and written, nothing in memory, every table to be opened again.
        session.close().await;
        server.settled().await;
        server.stop().await;
        server.restart().await;
        let mut session = server.session().await;
        let caps = Capabilities::probe(&mut session).await.unwrap();
        for (way, files) in [
            ("pages, first look", FileAccess::Auto),
            ("pages, again", FileAccess::Auto),
            ("SQL alone", FileAccess::Off),
        ] {
            let (survey, by_server) = measure(&mut session, &caps, files).await;
            rows.push(line(engine, way, &survey, by_server));
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
        "by pages / SQL / none",
    ];
    table::print("Survey of 1,000 tables", &heads, &rows);
}
