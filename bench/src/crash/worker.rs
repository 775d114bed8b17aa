//! The tool as a process of its own: runs whatever jobs lie in a store until it is killed.

use api::DatabaseTarget;
use async_trait::async_trait;
use jobs::{Runner, RunnerOptions};
use mysql::Endpoint;
use reclaim::trade::{Credentials, RecycleTrade, TradeOptions};
use runtime::{Clock, Random};
use std::{
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};
use testkit::PASSWORD;
use types::{Address, Secret};

struct Known;

#[async_trait]
impl Credentials for Known {
    async fn endpoint(&self, target: &DatabaseTarget) -> Option<Endpoint> {
        let address = Address::new(target.host.clone(), target.port);
        Some(Endpoint::new(address, target.username.clone(), Secret::new(PASSWORD)))
    }
}

/// Becomes a worker over the store at `place`; returns only if the store cannot be opened.
pub async fn work(place: &str) {
    let store = store::open(place, None).await.expect("the store opens");
    let beat = Duration::from_millis(100);
    let trade = RecycleTrade::new(Arc::new(Known), TradeOptions { beat, ..TradeOptions::default() }, Clock::real());
    let options = RunnerOptions {
        lease: Duration::from_secs(2),
        poll: Duration::from_millis(100),
        rest: Duration::from_millis(300),
        ..RunnerOptions::default()
    };
    let _runner = Runner::start(store, vec![Arc::new(trade)], options, Clock::real(), &Random::real());
    std::future::pending::<()>().await;
}

/// Starts one, which dies with this process.
pub fn spawn(program: &Path, place: &str) -> Child {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program).args(["worker", place]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("a worker starts")
}
