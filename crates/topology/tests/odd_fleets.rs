//! Discovery of fleets that are not as they should be, on real servers of both engines.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod support;

use api::Reach;
use runtime::Clock;
use support::{discover_from, edge, node_at, on_each_engine, options};
use testkit::{Engine, Fleet, Options, PASSWORD, Server, USER};
use topology::DiscoverOptions;

/// Two sources, one replica, a channel for each.
async fn a_replica_of_two_sources(engine: Engine) {
    let mut fleet = Fleet::start(engine, 0).await;
    fleet.servers.push(Server::start(engine, Options::default()).await);
    fleet.servers.push(Server::start(engine, Options::default()).await);
    let target = &fleet.servers[2];
    if engine == Engine::MariaDb {
        // Two domains, or the second source's numbers would collide with the first's.
        fleet.servers[1].run(&["SET GLOBAL gtid_domain_id = 7"]).await;
    }
    for (source, channel) in [(0, "north"), (1, "süd")] {
        support::attach_channel(&fleet.servers[source], target, channel).await;
    }
    fleet.protect(2).await;
    for seed in &fleet.servers {
        let picture = discover_from(seed, &options()).await;
        assert_eq!(picture.nodes.len(), 3, "{picture:#?}");
        assert!(picture.nodes.iter().all(|node| node.reach == Reach::Reached), "{picture:#?}");
        for (source, channel) in [(0, "north"), (1, "süd")] {
            let link = edge(&picture, &fleet.servers[source], target);
            assert_eq!((link.channel.as_str(), link.healthy), (channel, Some(true)), "{picture:#?}");
        }
        assert!(!node_at(&picture, target).writer);
        let tops = 1 + picture.topology.slaves.len();
        assert_eq!(tops, 2, "two roots, the replica drawn once: {:#?}", picture.topology);
    }
}

/// MySQL lists a silent replica with its port and no host, so its host is taken from its dump thread; MariaDB 10.11
/// fills in the host the replica came from.
async fn a_replica_without_report_host(engine: Engine) {
    let mut fleet = Fleet::start(engine, 0).await;
    fleet.servers.push(Server::start(engine, Options { silent: true, ..Options::default() }).await);
    fleet.attach(1, 0).await;
    fleet.protect(1).await;
    for seed in &fleet.servers {
        let picture = discover_from(seed, &options()).await;
        assert_eq!(picture.nodes.len(), 2, "{picture:#?}");
        assert_eq!(node_at(&picture, &fleet.servers[1]).reach, Reach::Reached);
        assert_eq!(edge(&picture, fleet.primary(), &fleet.servers[1]).healthy, Some(true));
        let warned = picture.warnings.iter().any(|text| text.contains("report_host"));
        assert_eq!(warned, engine == Engine::MySql, "{:?}", picture.warnings);
    }
}

/// The announced port leads nowhere, or to somebody else.
async fn a_replica_with_a_wrong_report_port(engine: Engine) {
    let stranger = Server::start(engine, Options::default()).await;
    for wrong in [testkit::free_port(), stranger.address().port] {
        let mut fleet = Fleet::start(engine, 0).await;
        let arguments = vec!["--report-host=127.0.0.1".to_owned(), format!("--report-port={wrong}")];
        fleet.servers.push(Server::start(engine, Options { silent: true, arguments, ..Options::default() }).await);
        fleet.attach(1, 0).await;
        let picture = discover_from(&fleet.servers[1], &options()).await;
        assert_eq!(picture.nodes.len(), 2, "the stranger is no member: {picture:#?}");
        assert_eq!(edge(&picture, fleet.primary(), &fleet.servers[1]).healthy, Some(true));
        assert!(picture.warnings.iter().any(|text| text.contains("report_port")), "{:?}", picture.warnings);
        let picture = discover_from(fleet.primary(), &options()).await;
        assert_eq!(picture.nodes.len(), 2, "{picture:#?}");
        let lost =
            picture.nodes.iter().find(|node| node.reach != Reach::Reached).expect("it cannot be reached that way");
        assert_eq!(lost.server_id, u32::from(fleet.servers[1].address().port), "but it is known to be there");
        assert!(matches!(lost.reach, Reach::Unreachable { .. }), "{lost:#?}");
    }
}

/// A real binlog client beside a real replica.
async fn a_reader_that_is_no_server(engine: Engine) {
    let fleet = Fleet::start(engine, 1).await;
    support::create_account(fleet.primary(), "cdc", "REPLICATION SLAVE").await;
    let reader = support::BinlogReader::start(fleet.primary(), "cdc").await;
    let ignoring = DiscoverOptions { ignore_users: vec!["cdc".to_owned()], ..options() };
    for seed in &fleet.servers {
        let picture = discover_from(seed, &ignoring).await;
        let clients: Vec<_> = picture.nodes.iter().filter(|node| node.reach == Reach::NotAServer).collect();
        assert_eq!((clients.len(), picture.nodes.len()), (1, 3), "{picture:#?}");
        assert_eq!((clients[0].role.as_str(), clients[0].writer), ("binlog-client", false));
        assert!(clients[0].id.contains("cdc"), "{:?}", clients[0]);
        assert_eq!(picture.topology.master.as_ref().unwrap().slaves.len(), 1, "it is not in the tree");
        let link = edge(&picture, fleet.primary(), &fleet.servers[1]);
        assert!(link.evidence.len() >= 3, "the replica's own dump thread is still its proof: {link:#?}");
    }
    let picture = discover_from(fleet.primary(), &options()).await;
    assert_eq!(picture.nodes.len(), 3, "known even where nobody named its account: {picture:#?}");
    // MySQL's performance_schema tells the program's name; MariaDB's is off, so there a doubt is left and told.
    assert_eq!(picture.warnings.is_empty(), engine == Engine::MySql, "{:?}", picture.warnings);
    drop(reader);
}

/// Two replicas of one server id.
async fn two_members_of_one_server_id(engine: Engine) {
    let mut fleet = Fleet::start(engine, 1).await;
    let twin = fleet.primary().address().port;
    fleet.servers.push(Server::start(engine, Options { server_id: u32::from(twin), ..Options::default() }).await);
    fleet.attach(2, 1).await;
    let picture = discover_from(&fleet.servers[1], &options()).await;
    assert_eq!(picture.nodes.len(), 3, "one id, two servers: {picture:#?}");
    assert!(picture.warnings.iter().any(|text| text.contains("share server id")), "{:?}", picture.warnings);
    let ids: std::collections::BTreeSet<&str> = picture.nodes.iter().map(|node| node.id.as_str()).collect();
    assert_eq!(ids.len(), 3, "{ids:?}");
}

/// `localhost` and 127.0.0.1 are two addresses of one server.
async fn one_server_under_two_addresses(engine: Engine) {
    let fleet = Fleet::start(engine, 1).await;
    let seed = fleet.servers[1].endpoint().at(types::Address::new("localhost", fleet.servers[1].address().port));
    let picture = topology::discover(&seed, &options(), &Clock::real()).await.unwrap();
    assert_eq!(picture.nodes.len(), 2, "{picture:#?}");
    assert_eq!(picture.edges.len(), 1, "{picture:#?}");
}

/// Without rights: 1008, with what is missing; without an account or a server: 1002.
async fn who_may_not_see_is_told_so(engine: Engine) {
    let fleet = Fleet::start(engine, 1).await;
    let monitor = if engine == Engine::MySql { "REPLICATION CLIENT" } else { "SLAVE MONITOR" };
    let master = if engine == Engine::MySql { "REPLICATION SLAVE" } else { "REPLICATION MASTER ADMIN" };
    support::create_account(fleet.primary(), "plain", "USAGE").await;
    support::create_account(fleet.primary(), "half", monitor).await;
    support::create_account(fleet.primary(), "enough", &format!("{monitor}, {master}")).await;
    let ask = async |endpoint: mysql::Endpoint| topology::discover(&endpoint, &options(), &Clock::real()).await;
    for (account, privilege) in [("plain", monitor), ("half", master)] {
        let failure = ask(support::as_account(fleet.primary(), account)).await.expect_err("it may not see");
        assert_eq!(failure.code.number(), 1008, "{failure:#?}");
        assert!(failure.detail("next").contains(privilege), "{failure:#?}");
    }
    fleet.catch_up(1, 0).await;
    let picture = ask(support::as_account(fleet.primary(), "enough")).await.expect("PROCESS only helps");
    assert_eq!(picture.nodes.iter().filter(|node| node.reach == Reach::Reached).count(), 2, "{picture:#?}");
    assert!(picture.warnings.iter().any(|text| text.contains("PROCESS")), "{:?}", picture.warnings);
    let wrong = mysql::Endpoint::new(fleet.primary().address(), USER, types::Secret::new("not-it"));
    let nobody = mysql::Endpoint::new(
        types::Address::new("127.0.0.1", testkit::free_port()),
        USER,
        types::Secret::new(PASSWORD),
    );
    for endpoint in [wrong, nobody] {
        let failure = ask(endpoint).await.expect_err("no way in");
        assert_eq!(failure.code.number(), 1002, "{failure:#?}");
        assert!(!format!("{failure:?}").contains(PASSWORD));
    }
}

on_each_engine!(
    a_replica_of_two_sources,
    a_replica_without_report_host,
    a_replica_with_a_wrong_report_port,
    a_reader_that_is_no_server,
    two_members_of_one_server_id,
    one_server_under_two_addresses,
    who_may_not_see_is_told_so,
);
