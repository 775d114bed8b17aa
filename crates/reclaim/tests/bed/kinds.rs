//! One server with tables of every kind, and what holds for each of them.

use api::{JobStatus, Plan, RecycleConfig, Scope, Strategy, TableResult, TableState};
use reclaim::plan::{PlanOptions, plan};
use runtime::Clock;
use testkit::{Engine, Options, Server};

/// A request for a server by itself, which takes writes.
pub fn config(server: &Server) -> RecycleConfig {
    RecycleConfig { exclude_primary: false, scope: Scope::Node, ..super::config(server) }
}

/// A server with a pool large enough to work in.
pub async fn server(engine: Engine, options: Options) -> Server {
    let mut arguments = vec!["--innodb-buffer-pool-size=64M".to_owned()];
    arguments.extend(options.arguments.clone());
    Server::start(engine, Options { arguments, ..options }).await
}

/// `shop.table` with nine tenths of its rows deleted.
pub async fn waste(server: &Server, table: &str, options: &str) {
    super::fill(server, "shop", table, 30_000, options).await;
    super::scatter(server, "shop", table).await;
}

/// The plan for it.
pub async fn planned(server: &Server) -> Plan {
    plan(&server.endpoint(), &config(server), &PlanOptions::default(), &Clock::real()).await.expect("a plan")
}

/// Why the plan leaves a table.
pub fn left(plan: &Plan, table: &str) -> String {
    let found = plan.nodes[0].left.iter().find(|left| left.table == table);
    let Some(Strategy::Skip { reason }) = found.map(|left| &left.strategy) else {
        panic!("{table} is not left: {plan:#?}")
    };
    reason.clone()
}

/// Plans, runs, and checks what holds for every table: rebuilt, within its estimate, and with the rows it had.
pub async fn rebuilds(server: &Server, tables: &[&str]) -> (Plan, Vec<TableResult>) {
    server.settled().await;
    let mut before = Vec::new();
    for table in tables {
        before.push(super::checksum(server, &format!("shop.{table}")).await);
    }
    let plan = planned(server).await;
    let hall = super::Hall::new();
    let id = hall.submit_plan(plan.clone()).await;
    let job = hall.finished(&id).await;
    assert_eq!((job.status, job.progress.failed_tables), (JobStatus::Completed, 0), "{job:#?}");
    let mut results = Vec::new();
    for (table, before) in tables.iter().zip(&before) {
        let result = job.statistics.tables_processed.iter().find(|result| result.table == *table);
        let result = result.unwrap_or_else(|| panic!("{table} was left: {plan:#?}")).clone();
        assert_eq!(result.state, TableState::Done, "{result:#?}");
        assert_eq!(super::checksum(server, &format!("shop.{table}")).await, *before, "rows of {table}");
        let (freed, estimate) = (result.freed_bytes.expect("it was measured"), &result.estimate);
        let interval = estimate.predicted_low_bytes..=estimate.predicted_high_bytes;
        assert!(interval.contains(&freed), "{table} freed {freed}: {result:#?}");
        results.push(result);
    }
    assert_eq!(super::leftovers(server), Vec::<String>::new());
    (plan, results)
}
