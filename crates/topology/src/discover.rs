//! Discovery: asks level by level, several members at a time, each within its limit; then draws what was told.

use crate::facts::{Observation, Untold};
use crate::failure::{refuse_blind, seed_failure};
use crate::options::DiscoverOptions;
use crate::survey::{Report, guesses, told_next};
use crate::{ask, merge};
use api::ClusterTopology;
use futures::{StreamExt, stream};
use mysql::{Endpoint, Session, SqlError};
use runtime::Clock;
use std::{net::IpAddr, time::Duration};
use types::{Address, Failure};

/// Longest wait for an address nobody told us: wrong guesses mostly lead nowhere.
const GUESS_LIMIT: Duration = Duration::from_secs(2);

/// Works out the cluster `seed` belongs to, from any member, with the same account on every member.
///
/// # Errors
/// 1002 if the seed cannot be reached or refuses the login; 1008 if the account lacks the rights to see replication on
/// the seed; 1003 if the seed answers and yet does not say who it is. Members that fail are part of the result.
pub async fn discover(seed: &Endpoint, options: &DiscoverOptions, clock: &Clock) -> Result<ClusterTopology, Failure> {
    let first = visit(seed, options.member_timeout).await.map_err(|error| seed_failure(seed, &error))?;
    refuse_blind(seed, &first)?;
    let mut reports = vec![Report {
        address: seed.address.clone(),
        depth: 0,
        guess: false,
        seen_at: clock.now(),
        outcome: Ok(first),
    }];
    for depth in 0..options.max_depth {
        let told = told_next(&reports, depth, options);
        reports.extend(visit_all(seed, told, depth + 1, false, options, clock).await);
        let guessed = guesses(&reports, depth, options);
        reports.extend(visit_all(seed, guessed, depth + 1, true, options, clock).await);
        if reports.iter().all(|report| report.depth <= depth || report.outcome.is_err()) {
            break;
        }
    }
    Ok(merge(&reports, options, clock.now()))
}

async fn visit_all(
    seed: &Endpoint,
    addresses: Vec<Address>,
    depth: u32,
    guess: bool,
    options: &DiscoverOptions,
    clock: &Clock,
) -> Vec<Report> {
    let limit = if guess { options.member_timeout.min(GUESS_LIMIT) } else { options.member_timeout };
    let visits = addresses.into_iter().map(|address| async move {
        let endpoint = seed.at(address);
        let outcome = visit(&endpoint, limit).await.map_err(|error| Untold {
            statement: "connect".to_owned(),
            error: error.to_string(),
            denied: error.is_denied(),
        });
        Report { address: endpoint.address, depth, guess, seen_at: clock.now(), outcome }
    });
    // In order, not as they come: the drawing must not depend on who answers first.
    stream::iter(visits).buffered(options.parallel.max(1)).collect().await
}

/// One session to one member, all questions, within the limit.
async fn visit(endpoint: &Endpoint, limit: Duration) -> Result<Observation, SqlError> {
    let asking = async {
        let ips = addresses(&endpoint.address).await;
        let mut session = Session::connect(endpoint).await?;
        let seen = ask::observe(&mut session, ips).await?;
        session.close().await;
        Ok(seen)
    };
    let too_late = SqlError::TimedOut { address: endpoint.address.clone(), limit };
    tokio::time::timeout(limit, asking).await.unwrap_or(Err(too_late))
}

/// The IP addresses of a name, to recognise the member among its source's dump threads; none if it has none.
async fn addresses(address: &Address) -> Vec<IpAddr> {
    let found = tokio::net::lookup_host((address.host.as_str(), address.port)).await;
    found.map(|all| all.map(|socket| socket.ip()).collect()).unwrap_or_default()
}
