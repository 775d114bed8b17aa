//! Servers that keep names in small letters (`lower_case_table_names = 1`): a table of mixed case is found, planned and
//! rebuilt, by whichever spelling it is asked for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod bed;

use api::{JobStatus, RecycleConfig, TableState};
use bed::Hall;
use reclaim::plan::{PlanOptions, plan};
use runtime::Clock;
use testkit::{Engine, Fleet, Options};
use topology::{DiscoverOptions, discover};

async fn mixed_case(engine: Engine) {
    let arguments = vec!["--innodb-buffer-pool-size=64M".into()];
    let fleet = Fleet::start_with(engine, 1, &Options { fold_names: true, arguments, ..Options::default() }).await;
    bed::fill(fleet.primary(), "Shop", "Orders", 20_000, "").await;
    bed::scatter(fleet.primary(), "Shop", "Orders").await;
    fleet.catch_up(1, 0).await;
    fleet.servers[1].purged().await;
    let clock = Clock::real();
    let found = discover(&fleet.servers[1].endpoint(), &DiscoverOptions::default(), &clock).await.expect("a picture");
    assert_eq!((found.nodes.len(), found.edges.len()), (2, 1), "{found:#?}");

    let replica = &fleet.servers[1];
    let asked = |databases: &[&str], tables: &[&str]| {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        RecycleConfig { databases: list(databases), tables: list(tables), ..bed::config(replica) }
    };
    let ask = async |config| plan(&replica.endpoint(), &config, &PlanOptions::default(), &clock).await;
    for (databases, tables) in [
        (&["Shop"][..], &["Orders"][..]),
        (&["shop"], &["ORDERS"]),
        (&[], &["Shop.Orders"]),
        (&[], &["shop.orders"]),
        (&["SHOP"], &[]),
    ] {
        let plan =
            ask(asked(databases, tables)).await.unwrap_or_else(|why| panic!("{databases:?} {tables:?}: {why:?}"));
        let work: Vec<_> = plan.work().map(|table| format!("{}.{}", table.database, table.table)).collect();
        assert_eq!(work, ["shop.orders"], "{databases:?} {tables:?}");
    }
    for (databases, tables) in [(&["Shopp"][..], &[][..]), (&[], &["Shop.Order"])] {
        assert!(ask(asked(databases, tables)).await.is_err(), "{databases:?} {tables:?} is there");
    }

    let (rows, file) = (bed::checksum(replica, "Shop.Orders").await, replica.file_bytes("shop/orders.ibd"));
    let job = Hall::new().run(replica, asked(&["Shop"], &["Shop.Orders"])).await;
    assert_eq!((job.status, job.progress.failed_tables), (JobStatus::Completed, 0), "{job:#?}");
    let result = &job.statistics.tables_processed[0];
    assert_eq!(result.state, TableState::Done, "{result:#?}");
    let lost = i64::try_from(file).unwrap() - i64::try_from(replica.file_bytes("shop/orders.ibd")).unwrap();
    assert!(lost > 1 << 20, "the file lost {lost} bytes");
    assert_eq!(result.freed_bytes, Some(lost), "{result:#?}");
    assert_eq!(bed::checksum(replica, "Shop.Orders").await, rows);
}

#[tokio::test]
async fn a_table_of_mixed_case_is_rebuilt() {
    bed::on_each(mixed_case).await;
}
