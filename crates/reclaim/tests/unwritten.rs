//! Tables whose changes still stand in the server's memory only: planned for all the same, with the truth in the interval.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod bed;

use api::TablePlan;
use reclaim::plan::{PlanOptions, plan};
use runtime::Clock;
use testkit::{Engine, Fleet, Options, Server};

const ROWS: u64 = 40_000;
/// What is done to each table, of a file of some 20 MB, and whether that leaves waste.
const TABLES: [(&str, &str, bool); 6] = [
    ("scattered", "DELETE FROM shop.scattered WHERE id % 10 <> 0", true),
    ("runs", "DELETE FROM shop.runs WHERE id DIV 400 % 10 <> 3", true),
    ("oldest", "DELETE FROM shop.oldest WHERE id < 36000", true),
    ("newest", "DELETE FROM shop.newest WHERE id > 4000", true),
    ("shortened", "UPDATE shop.shortened SET v = LEFT(v, 9)", true),
    ("fresh", "DO 0", false),
];

/// A replica that writes no page it is not forced to: room in the pool, room in the log, no zeal when idle.
async fn lazy(engine: Engine) -> Fleet {
    let mut arguments: Vec<String> =
        ["--innodb-buffer-pool-size=256M", "--innodb-max-dirty-pages-pct=90"].map(str::to_owned).into();
    arguments.extend(match engine {
        Engine::MariaDb => vec!["--innodb-log-file-size=512M".to_owned()],
        Engine::MySql => {
            ["--innodb-redo-log-capacity=512M", "--innodb-max-dirty-pages-pct-lwm=80", "--innodb-idle-flush-pct=0"]
                .map(str::to_owned)
                .into()
        }
    });
    Fleet::start_with(engine, 1, &Options { arguments, ..Options::default() }).await
}

async fn dirty(server: &Server) -> u64 {
    let mut session = server.session().await;
    let row = session.row("SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'").await.expect("status");
    session.close().await;
    row.and_then(|row| row.parse("Value")).expect("a number")
}

/// Carries a table's statements out and says what its file lost.
async fn freed(server: &Server, table: &TablePlan) -> i64 {
    let file = format!("shop/{}.ibd", table.table);
    let before = server.file_bytes(&file);
    server.run(&table.statements.iter().map(String::as_str).collect::<Vec<_>>()).await;
    i64::try_from(before).unwrap() - i64::try_from(server.file_bytes(&file)).unwrap()
}

async fn unwritten(engine: Engine) {
    let fleet = lazy(engine).await;
    let (primary, replica) = (fleet.primary(), &fleet.servers[1]);
    for (table, then, _) in TABLES {
        bed::fill(primary, "shop", table, ROWS, "").await;
        primary.run(&[then]).await;
    }
    fleet.catch_up(1, 0).await;
    replica.purged().await;
    let pages = dirty(replica).await;
    assert!(pages > 1000, "{}: only {pages} pages are left to write", engine.name());
    let drawn = plan(&replica.endpoint(), &bed::config(replica), &PlanOptions::default(), &Clock::real()).await;
    let drawn = drawn.expect("a plan");
    let left: Vec<_> =
        drawn.nodes.iter().flat_map(|node| &node.left).map(|table| (&table.table, &table.estimate)).collect();
    for (name, _, wasted) in TABLES {
        let work = drawn.work().find(|work| work.table == name);
        assert!(
            work.is_some() || !wasted,
            "{}: {name} is not worked on, with {pages} pages unwritten: {left:#?}",
            engine.name()
        );
        let Some(work) = work else { continue };
        let (freed, estimate) = (freed(replica, work).await, &work.estimate);
        let inside = estimate.predicted_low_bytes..=estimate.predicted_high_bytes;
        eprintln!("{} {name}: freed {freed}, predicted {estimate:?}", engine.name());
        assert!(inside.contains(&freed), "{} {name}: {freed} not in {estimate:?}", engine.name());
    }
}

#[tokio::test]
async fn what_is_not_written_yet_is_planned_for_all_the_same() {
    bed::on_each(unwritten).await;
}
