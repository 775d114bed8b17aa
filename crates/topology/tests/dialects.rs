//! Discovery of old and new dialects, by servers that pretend to be of versions that cannot be had.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

use api::{ClusterTopology, Reach};
use mysql::{Endpoint, Session};
use runtime::Clock;
use testkit::fake::{Dialect, FakeFleet, FakeNode, Script};
use topology::DiscoverOptions;
use wire::Answer;

const ALL: [Dialect; 4] = [Dialect::MySql57, Dialect::MySql80, Dialect::MySql84, Dialect::MariaDb1011];

fn three(dialect: Dialect) -> Vec<FakeNode> {
    vec![FakeNode::primary(dialect), FakeNode::replica(dialect, 0), FakeNode::replica(dialect, 0)]
}

fn as_is(_: usize, script: Script) -> Script {
    script
}

async fn from(endpoint: &Endpoint) -> ClusterTopology {
    let found = topology::discover(endpoint, &DiscoverOptions::default(), &Clock::real()).await;
    found.unwrap_or_else(|failure| panic!("{failure:#?}"))
}

fn denied(needed: &str) -> Answer {
    Answer::error(
        1227,
        "42000",
        format!("Access denied; you need (at least one of) the SUPER, {needed} privilege(s) for this operation"),
    )
}

#[tokio::test]
async fn every_dialect_is_seen_from_every_member() {
    for dialect in ALL {
        let fleet = FakeFleet::start(&three(dialect), as_is).await;
        for seed in &fleet.members {
            let picture = from(&seed.endpoint()).await;
            assert_eq!(picture.nodes.len(), 3, "{dialect:?}: {picture:#?}");
            assert!(picture.nodes.iter().all(|node| node.reach == Reach::Reached), "{dialect:?}");
            let master = picture.topology.master.expect("a primary was named");
            assert_eq!((master.port, master.slaves.len()), (fleet.address(0).port, 2), "{dialect:?}");
            assert!(picture.nodes.iter().filter(|node| node.writer).count() == 1, "{:#?}", picture.nodes);
        }
    }
}

/// S3: the seed tool read the list of replicas by position, four columns, and dropped every row of MySQL's five.
#[tokio::test]
async fn s3_registered_replicas_are_found_whatever_the_number_of_columns() {
    for dialect in ALL {
        // Without PROCESS the registrations are all there is to find them by.
        let blind =
            |_, script: Script| script.reply("SELECT COUNT(*) FROM information_schema.INNODB_CMP", denied("PROCESS"));
        let fleet = FakeFleet::start(&three(dialect), blind).await;
        let picture = from(&fleet.members[0].endpoint()).await;
        assert_eq!(picture.nodes.len(), 3, "{dialect:?}: {picture:#?}");
        let statement = dialect.hosts().pop().map(|(_, columns)| columns.len());
        assert_eq!(statement, Some(if dialect == Dialect::MariaDb1011 { 4 } else { 5 }), "the fixture is as recorded");
        let told = |edge: &api::Edge| edge.evidence.iter().any(|proof| proof.told_by == edge.source);
        assert!(picture.edges.iter().all(told), "{dialect:?}: {:#?}", picture.edges);
    }
}

/// S3 as well: one bad row, and the columns of `show_slave_auth_info`, cost nobody else its place.
#[tokio::test]
async fn s3_a_bad_row_hides_no_other() {
    let columns = ["Server_id", "Host", "User", "Password", "Port", "Master_id", "Slave_UUID"];
    let odd = |place: usize, script: Script| {
        if place != 0 {
            return script;
        }
        let script = script.reply("SELECT COUNT(*) FROM information_schema.INNODB_CMP", denied("PROCESS"));
        let Answer::Rows(mut list) = ask(&script, "SHOW SLAVE HOSTS") else { panic!("it lists its replicas") };
        for row in &mut list.rows {
            row.insert(2, Some("repl".into()));
            row.insert(3, Some("shown to nobody".into()));
        }
        list.rows.insert(0, vec![None; columns.len()]);
        script.rows("SHOW SLAVE HOSTS", &columns, list.rows)
    };
    let fleet = FakeFleet::start(&three(Dialect::MySql57), odd).await;
    let picture = from(&fleet.members[0].endpoint()).await;
    let reached = picture.nodes.iter().filter(|node| node.reach == Reach::Reached).count();
    assert_eq!(reached, 3, "{picture:#?}");
    assert!(!serde_json::to_string(&picture).unwrap().contains("shown to nobody"));
}

fn ask(script: &Script, statement: &str) -> Answer {
    script.answer(statement)
}

/// S4: the seed tool knew only the SLAVE words and took 1064 for "not a replica".
#[tokio::test]
async fn s4_a_replica_of_8_4_is_known_as_one() {
    let fleet = FakeFleet::start(&three(Dialect::MySql84), as_is).await;
    let mut session = Session::connect(&fleet.members[1].endpoint()).await.unwrap();
    assert!(session.rows("SHOW SLAVE STATUS").await.is_err_and(|error| error.is_unknown_statement()));
    let verdict = topology::writer_test(&mut session).await.unwrap();
    assert!(!verdict.writer, "{verdict:?}");
    assert_eq!(topology::lag(&mut session, None).await.unwrap().seconds, Some(0.0));
    let picture = from(&fleet.members[1].endpoint()).await;
    assert_eq!(picture.topology.master.expect("its source was found").port, fleet.address(0).port);
}

/// S4, the other half: a server that knows none of the words, or refuses, is no proof that it has no source.
#[tokio::test]
async fn s4_no_answer_is_not_the_answer_no() {
    let unknown = Answer::error(1064, "42000", "You have an error in your SQL syntax");
    for answer in [unknown, denied("REPLICATION CLIENT")] {
        let silent = |_, script: Script| script.reply("SHOW REPLICA STATUS", answer.clone());
        let fleet = FakeFleet::start(&three(Dialect::MySql84), silent).await;
        let mut session = Session::connect(&fleet.members[1].endpoint()).await.unwrap();
        let verdict = topology::writer_test(&mut session).await.unwrap();
        assert!(verdict.writer, "{verdict:?}");
        assert!(verdict.reasons[0].contains("could not be read"), "{verdict:?}");
        assert_eq!(topology::lag(&mut session, None).await.unwrap().seconds, None);
    }
}

#[tokio::test]
async fn an_old_spelling_is_not_tried_after_a_refusal() {
    let refuse = |_, script: Script| script.reply("SHOW REPLICA STATUS", denied("REPLICATION CLIENT"));
    let fleet = FakeFleet::start(&three(Dialect::MySql80), refuse).await;
    let failure = topology::discover(&fleet.members[1].endpoint(), &DiscoverOptions::default(), &Clock::real())
        .await
        .expect_err("SHOW SLAVE STATUS would answer, but the right is missing");
    assert_eq!(failure.code.number(), 1008);
    assert!(failure.detail("next").contains("REPLICATION CLIENT"), "{failure:#?}");
}

#[tokio::test]
async fn a_server_that_does_not_say_who_it_is_is_1003() {
    let fake = testkit::fake::Fake::start(Script::new("8.0.39", "")).await;
    let failure = topology::discover(&fake.endpoint(), &DiscoverOptions::default(), &Clock::real())
        .await
        .expect_err("no server_id");
    assert_eq!(failure.code.number(), 1003, "{failure:#?}");
}

/// Old MariaDB does not list a replica without `report_host`: only its dump thread shows, and a port the operator names.
#[tokio::test]
async fn a_silent_replica_is_found_at_a_suggested_port_and_never_invented() {
    let dialect = Dialect::MariaDb1011;
    let nodes = [FakeNode::primary(dialect), FakeNode { announced: false, ..FakeNode::replica(dialect, 0) }];
    let fleet = FakeFleet::start(&nodes, as_is).await;
    let stranger = FakeFleet::start(&three(dialect), as_is).await;
    let picture = from(&fleet.members[0].endpoint()).await;
    assert_eq!(picture.nodes[1].reach, Reach::NotAServer, "{picture:#?}");
    assert!(picture.warnings.iter().any(|text| text.contains("report_host")), "{:?}", picture.warnings);
    let guess_ports = vec![stranger.address(0).port, fleet.address(1).port];
    let options = DiscoverOptions { guess_ports, ..DiscoverOptions::default() };
    let picture = topology::discover(&fleet.members[0].endpoint(), &options, &Clock::real()).await.unwrap();
    let ports: Vec<u16> = picture.nodes.iter().map(|node| node.address.port).collect();
    assert_eq!(ports, [fleet.address(0).port, fleet.address(1).port], "the stranger at a guessed port is no member");
}
