//! What a rebuild frees, predicted by pages, by SQL alone and by the `DATA_FREE` rule, against what it freed.
//!
//! `cargo run --release -p bench --bin estimate [mariadb|mysql] [1|2] [part of a shape's name]`: one engine or both, the first
//! or the second set of shapes or both.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a measuring program stops loudly")]

use api::Estimate;
use bench::{shapes, shapes::Shape, table};
use mysql::{Capabilities, Session};
use reclaim::estimate::{FileAccess, Filter, Survey, survey_for};
use runtime::Clock;
use testkit::{Engine, Options, Server};
use types::TableName;

struct Bench {
    server: Server,
    session: Session,
    caps: Capabilities,
    clock: Clock,
}

/// What one shape came to.
struct Outcome {
    pages: Survey,
    sql: Survey,
    freed: i64,
}

impl Bench {
    async fn run(&mut self, sql: &str) {
        self.session.run(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    async fn build(&mut self, shape: &Shape) {
        self.run("DROP TABLE IF EXISTS t").await;
        self.run(&format!("CREATE TABLE t ({}) ENGINE=InnoDB {}", shape.columns, shape.options)).await;
        let into = if shape.into.is_empty() { String::new() } else { format!("({})", shape.into) };
        for from in (0..shape.rows).step_by(100_000) {
            let to = (from + 100_000).min(shape.rows);
            self.run(&format!(
                "INSERT INTO t {into} SELECT {} FROM numbers WHERE n >= {from} AND n < {to} ORDER BY n",
                shape.values
            ))
            .await;
        }
        for statement in shape.then {
            self.run(statement).await;
        }
        self.server.settled().await;
    }

    async fn survey(&mut self, files: FileAccess) -> Survey {
        let filter = Filter::table(&TableName::new("lab", "t"));
        survey_for(&mut self.session, &self.caps, &filter, &files, &self.clock).await.unwrap()
    }

    async fn measure(&mut self, shape: &Shape) -> Outcome {
        self.build(shape).await;
        let pages = self.survey(FileAccess::Auto).await;
        let sql = self.survey(FileAccess::Off).await;
        if !self.caps.is_mariadb() {
            self.run("SET GLOBAL innodb_segment_reserve_factor = 0.03").await;
        }
        // Nobody writes here; MariaDB has no LOCK=NONE for a table with an index on a virtual column.
        self.run("ALTER TABLE t FORCE, ALGORITHM=INPLACE").await;
        let after = self.survey(FileAccess::Off).await;
        let size = |survey: &Survey| i64::try_from(survey.tables[0].estimate.file_bytes).unwrap();
        Outcome { freed: size(&sql) - size(&after), pages, sql }
    }
}

/// Signed error in percent of the file.
fn error(predicted: i64, freed: i64, file: u64) -> String {
    format!("{:+.2}", (predicted - freed) as f64 * 100.0 / file as f64)
}

fn line(shape: &Shape, outcome: &Outcome) -> Vec<String> {
    let of = |survey: &Survey| -> Estimate { survey.tables[0].estimate.clone() };
    let (pages, sql, freed) = (of(&outcome.pages), of(&outcome.sql), outcome.freed);
    let file = pages.file_bytes;
    let inside = |e: &Estimate| e.predicted_low_bytes <= freed && freed <= e.predicted_high_bytes;
    let rule = i64::try_from(pages.data_free_bytes).unwrap();
    vec![
        shape.name.to_owned(),
        table::mib(i64::try_from(file).unwrap()),
        table::mib(freed),
        format!("{} {:?}", table::mib(pages.predicted_freed_bytes), pages.method),
        error(pages.predicted_freed_bytes, freed, file),
        table::mib(sql.predicted_freed_bytes),
        error(sql.predicted_freed_bytes, freed, file),
        format!("{} {}", if inside(&pages) { "yes" } else { "no" }, if inside(&sql) { "yes" } else { "no" }),
        table::mib(rule),
        error(rule, freed, file),
        format!("{:.2} %", outcome.pages.file_bytes_read as f64 * 100.0 / file as f64),
    ]
}

async fn start(engine: Engine) -> Bench {
    let mut arguments: Vec<String> =
        ["--innodb-buffer-pool-size=256M", "--disable-log-bin", "--innodb-flush-log-at-trx-commit=0"]
            .map(str::to_owned)
            .into();
    let log = match engine {
        Engine::MariaDb => "--innodb-log-file-size=512M",
        Engine::MySql => "--innodb-redo-log-capacity=512M",
    };
    arguments.push(log.to_owned());
    let server = Server::start(engine, Options { arguments, ..Options::default() }).await;
    let mut session = server.session().await;
    let caps = Capabilities::probe(&mut session).await.unwrap();
    let mut bench = Bench { server, session, caps, clock: Clock::real() };
    for sql in ["CREATE DATABASE lab", "USE lab", "CREATE TABLE digits (d INT PRIMARY KEY)"] {
        bench.run(sql).await;
    }
    bench.run("INSERT INTO digits VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)").await;
    bench.run("CREATE TABLE numbers (n INT PRIMARY KEY)").await;
    bench
        .run(
            "INSERT INTO numbers SELECT a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d + 100000 * f.d \
             FROM digits a, digits b, digits c, digits d, digits e, digits f",
        )
        .await;
    bench
}

/// What was asked for: an engine's name, a set's number, part of a shape's name; all where nothing was said.
struct Wish(Vec<String>);

impl Wish {
    fn named(&self, names: &[&str], name: &str) -> bool {
        let said: Vec<&String> = self.0.iter().filter(|word| names.contains(&word.as_str())).collect();
        said.is_empty() || said.iter().any(|word| *word == name)
    }

    fn engine(&self, engine: Engine) -> bool {
        self.named(&["mariadb", "mysql"], engine.name())
    }

    fn shapes(&self) -> impl Iterator<Item = Shape> {
        let part = self.0.iter().find(|word| !["mariadb", "mysql", "1", "2"].contains(&word.as_str()));
        let sets = [1, 2].into_iter().filter(|set: &u8| self.named(&["1", "2"], &set.to_string()));
        sets.flat_map(shapes::of_set).filter(move |shape| part.is_none_or(|part| shape.name.contains(part.as_str())))
    }
}

#[tokio::main]
async fn main() {
    let wish = Wish(std::env::args().skip(1).collect());
    for engine in Engine::available().into_iter().filter(|engine| wish.engine(*engine)) {
        let mut bench = start(engine).await;
        let mut rows = Vec::new();
        for shape in wish.shapes() {
            let outcome = bench.measure(&shape).await;
            rows.push(line(&shape, &outcome));
            eprintln!("{} {}", engine.name(), rows.last().unwrap().join(" | "));
        }
        let heads = [
            "shape",
            "file MiB",
            "freed MiB",
            "pages MiB",
            "error %",
            "SQL MiB",
            "error %",
            "in interval (pages, SQL)",
            "DATA_FREE MiB",
            "error %",
            "of the file read",
        ];
        table::print(&format!("Estimate, {}", bench.caps.version_text), &heads, &rows);
    }
}
