//! `docs/privileges.md` held against real servers: an account with exactly those rights does everything, and each right
//! is missed by something.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod bed;

use api::{DatabaseTarget, GateVerdict, JobStatus, RecycleConfig, Strategy, TableState};
use bed::Hall;
use mysql::{Capabilities, Endpoint, Session};
use reclaim::{
    census,
    estimate::FileAccess,
    plan::{PlanOptions, plan},
};
use runtime::Clock;
use testkit::{Engine, Fleet, PASSWORD, Server};
use topology::{DiscoverOptions, discover};
use types::Secret;

const DOCUMENT: &str = include_str!("../../../docs/privileges.md");
const NAME: &str = "recycler";

/// The statements of the document for an engine, for an account of the tests.
fn statements(engine: Engine) -> Vec<String> {
    let title = if engine == Engine::MySql { "On MySQL:" } else { "On MariaDB:" };
    let (_, after) = DOCUMENT.split_once(title).expect("a title");
    let (_, block) = after.split_once("```sql\n").expect("a block");
    let (block, _) = block.split_once("\n```").expect("its end");
    let text = block.replace("'recycler'@'10.%'", &format!("'{NAME}'@'%'")).replace('…', PASSWORD);
    let all: Vec<String> = text.split(";\n").map(|sql| sql.trim_end_matches(';').replace('\n', " ")).collect();
    assert!(
        all.len() >= 2 && all[0].starts_with("CREATE USER") && all[1..].iter().all(|sql| sql.starts_with("GRANT "))
    );
    all
}

/// Every right they grant, all on `*.*`.
fn rights(engine: Engine) -> Vec<String> {
    let of = |sql: &String| {
        let (list, _) = sql.trim_start_matches("GRANT ").split_once(" ON *.* TO ").expect("rights on everything");
        list.split(", ").map(str::to_owned).collect::<Vec<_>>()
    };
    statements(engine)[1..].iter().flat_map(of).collect()
}

async fn run(fleet: &Fleet, statements: &[String]) {
    fleet.primary().run(&statements.iter().map(String::as_str).collect::<Vec<_>>()).await;
    fleet.catch_up(1, 0).await;
}

/// A replica on which every arm there is by default has something to do: protected, impatient, with a table to be copied.
async fn demanding(engine: Engine) -> Fleet {
    let fleet = bed::impatient(engine).await;
    run(&fleet, &statements(engine)).await;
    fleet.servers[1].settled().await;
    fleet
}

fn endpoint(server: &Server) -> Endpoint {
    Endpoint::new(server.address(), NAME, Secret::new(PASSWORD))
}

fn config(server: &Server) -> RecycleConfig {
    let config = bed::config(server);
    RecycleConfig { target: DatabaseTarget { username: NAME.into(), ..config.target.clone() }, ..config }
}

/// What the account cannot do, in words; empty if it can do everything.
async fn troubles(fleet: &Fleet) -> Vec<String> {
    let clock = Clock::real();
    let mut all = Vec::new();
    match discover(&endpoint(fleet.primary()), &DiscoverOptions::default(), &clock).await {
        Err(failure) => all.push(format!("topology refused: {failure:?}")),
        Ok(found) => all.extend(found.warnings.iter().map(|warning| format!("topology warns: {warning:?}"))),
    }
    let replica = &fleet.servers[1];
    match plan(&endpoint(replica), &config(replica), &PlanOptions::default(), &clock).await {
        Err(failure) => all.push(format!("plan refused: {failure:?}")),
        Ok(plan) => {
            let of_nodes = plan.nodes.iter().flat_map(|node| &node.gates);
            let tables =
                plan.nodes.iter().flat_map(|node| node.left.iter().chain(node.batches.iter().flat_map(|b| &b.tables)));
            let gates = of_nodes.chain(tables.flat_map(|table| &table.gates));
            let refused = gates.filter(|gate| matches!(gate.verdict, GateVerdict::Refuse { .. }));
            all.extend(refused.map(|gate| format!("plan refuses: {gate:?}")));
        }
    }
    let mut session = Session::connect(&endpoint(replica)).await.expect("a session");
    let capabilities = Capabilities::probe(&mut session).await.expect("capabilities");
    match census::take(&mut session, &capabilities, &FileAccess::Auto).await {
        Err(error) => all.push(format!("census refused: {error}")),
        Ok(census) => {
            let denied = census.items.iter().filter(|item| item.advice.contains("not allowed"));
            all.extend(denied.map(|item| format!("census lacks {}: {}", item.kind, item.advice)));
        }
    }
    session.close().await;
    all
}

async fn does_everything(engine: Engine) {
    let fleet = demanding(engine).await;
    let replica = &fleet.servers[1];
    assert_eq!(troubles(&fleet).await, Vec::<String>::new());
    let before = (bed::settings(replica).await, bed::gtids(replica).await);
    let hall = Hall::new();
    // Once cancelled while it waits for a lock, once to its end.
    let mut holder = replica.session().await;
    holder.run("BEGIN").await.expect("begin");
    holder.run("SELECT * FROM shop.orders LIMIT 1").await.expect("a lock");
    let planned = plan(&endpoint(replica), &config(replica), &PlanOptions::default(), &Clock::real()).await;
    let planned = planned.expect("a plan");
    let stops = |table: &&api::TablePlan| table.strategy == Strategy::Copy { stop_applier: true };
    assert!(planned.work().any(|table| stops(&table)), "{planned:#?}");
    assert_eq!(planned.work().count(), 2, "{planned:#?}");
    let id = hall.submit_plan(planned.clone()).await;
    hall.until(&id, |job| job.progress.phase.starts_with("waiting")).await;
    hall.runner.cancel(&id).await.expect("it can be cancelled");
    assert_eq!(hall.finished(&id).await.status, JobStatus::Cancelled);
    holder.close().await;
    let id = hall.submit_plan(planned).await;
    let job = hall.finished(&id).await;
    assert_eq!(job.status, JobStatus::Completed, "{job:#?}");
    let done = |result: &&api::TableResult| result.state == TableState::Done;
    assert_eq!(job.statistics.tables_processed.iter().filter(done).count(), 2, "{job:#?}");
    assert_eq!((bed::settings(replica).await, bed::gtids(replica).await), before);
    assert_eq!(job.notes, Vec::<String>::new());
}

#[tokio::test]
async fn an_account_with_the_documented_rights_does_everything() {
    bed::on_each(does_everything).await;
}

async fn none_is_superfluous(engine: Engine) {
    let fleet = demanding(engine).await;
    for right in rights(engine) {
        run(&fleet, &[format!("REVOKE {right} ON *.* FROM '{NAME}'@'%'")]).await;
        let troubles = troubles(&fleet).await;
        eprintln!("{}: without {right}: {troubles:#?}", engine.name());
        assert!(!troubles.is_empty(), "nothing misses {right}");
        run(&fleet, &[format!("GRANT {right} ON *.* TO '{NAME}'@'%'")]).await;
    }
    assert_eq!(troubles(&fleet).await, Vec::<String>::new());
}

#[tokio::test]
async fn each_documented_right_is_missed_by_something() {
    bed::on_each(none_is_superfluous).await;
}
