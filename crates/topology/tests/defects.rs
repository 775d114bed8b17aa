//! The writer test on real servers, and the seed tool's fifth defect: it failed open.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod support;

use support::{make_writable, on_each_engine};
use testkit::{Engine, Fleet, Server};
use topology::{OwnSample, WriterVerdict, sample_own_writes, writer_test, writer_test_since};

async fn verdict(server: &Server) -> WriterVerdict {
    writer_test(&mut server.session().await).await.expect("the server answers")
}

fn stop(engine: Engine) -> &'static str {
    match engine {
        Engine::MariaDb => "STOP SLAVE",
        Engine::MySql => "STOP REPLICA",
    }
}

/// S5: any replica status row made the seed tool say "not primary, high confidence", so it rebuilt on the live writers
/// of a dual-primary pair.
async fn s5_both_writers_of_a_ring_are_writers(engine: Engine) {
    let fleet = Fleet::start(engine, 1).await;
    fleet.attach(0, 1).await;
    make_writable(&fleet.servers[1]).await;
    for server in &fleet.servers {
        let verdict = verdict(server).await;
        assert!(verdict.writer, "{verdict:?}");
        assert_eq!(verdict.reasons[0], "read_only is OFF");
    }
}

/// S5 as well: a freshly promoted node still has the configuration of the replica it was.
async fn s5_a_promoted_replica_that_kept_its_configuration_is_a_writer(engine: Engine) {
    let fleet = Fleet::start(engine, 1).await;
    let replica = &fleet.servers[1];
    assert!(!verdict(replica).await.writer, "a healthy read-only replica is none");
    replica.run(&[stop(engine)]).await;
    let stopped = verdict(replica).await;
    assert!(stopped.writer, "still read-only, but no channel feeds it: {stopped:?}");
    make_writable(replica).await;
    let promoted = verdict(replica).await;
    assert!(promoted.writer && promoted.reasons.len() == 2, "{promoted:?}");
}

/// S5 as well: half a channel is no channel; the seed tool looked at neither thread.
async fn s5_one_stopped_thread_is_enough_to_doubt(engine: Engine) {
    let fleet = Fleet::start(engine, 1).await;
    let halves = match engine {
        Engine::MariaDb => ["STOP SLAVE SQL_THREAD", "STOP SLAVE IO_THREAD"],
        Engine::MySql => ["STOP REPLICA SQL_THREAD", "STOP REPLICA IO_THREAD"],
    };
    for half in halves {
        fleet.servers[1].run(&[half]).await;
        let verdict = verdict(&fleet.servers[1]).await;
        assert!(verdict.writer && verdict.reasons[0].contains("no inbound channel is healthy"), "{verdict:?}");
        assert_eq!(topology::lag(&mut fleet.servers[1].session().await, None).await.unwrap().seconds, None);
        let start = half.replace("STOP", "START");
        fleet.servers[1].run(&[start.as_str()]).await;
        support::until(&fleet.servers[1], topology::Channel::is_healthy).await;
    }
}

/// S5 as well: read-only stops no account with the right to pass it, and a node that is written to is a writer.
async fn s5_a_read_only_node_that_is_written_to_is_a_writer(engine: Engine) {
    let fleet = Fleet::start(engine, 1).await;
    let replica = &fleet.servers[1];
    fleet.primary().run(&["CREATE DATABASE d"]).await;
    fleet.catch_up(1, 0).await;
    if engine == Engine::MySql {
        replica.run(&["SET GLOBAL super_read_only = 0"]).await;
    }
    let mut session = replica.session().await;
    let before = sample_own_writes(&mut session).await.unwrap();
    assert!(matches!(before, OwnSample::Kept(_)));
    assert!(!writer_test_since(&mut session, &before).await.unwrap().writer, "nothing was written in between");
    fleet.primary().run(&["CREATE TABLE d.theirs (i INT)"]).await;
    fleet.catch_up(1, 0).await;
    assert!(!writer_test_since(&mut session, &before).await.unwrap().writer, "the primary's writes are not its own");
    replica.run(&["CREATE TABLE d.ours (i INT)"]).await;
    let verdict = writer_test_since(&mut session, &before).await.unwrap();
    assert!(verdict.writer && verdict.reasons[0].contains("of its own"), "{verdict:?}");
}

/// S5 as well: an account that may not see the status must not be told "no status".
async fn s5_missing_rights_make_a_writer_not_a_replica(engine: Engine) {
    let fleet = Fleet::start(engine, 1).await;
    support::create_account(fleet.primary(), "plain", "USAGE").await;
    fleet.catch_up(1, 0).await;
    let endpoint = support::as_account(&fleet.servers[1], "plain");
    let mut session = mysql::Session::connect(&endpoint).await.unwrap();
    let verdict = writer_test(&mut session).await.unwrap();
    assert!(verdict.writer, "{verdict:?}");
    assert!(verdict.reasons.iter().any(|reason| reason.contains("could not be read")), "{verdict:?}");
}

/// S4 on a server that knows only the new words (MySQL), or answers new words with old columns (MariaDB).
async fn s4_a_real_replica_is_known_as_one(engine: Engine) {
    let fleet = Fleet::start(engine, 1).await;
    let verdict = verdict(&fleet.servers[1]).await;
    assert!(!verdict.writer, "{verdict:?}");
    let source = fleet.primary().address().to_string();
    assert!(verdict.reasons.iter().any(|reason| reason.contains(&source)), "{verdict:?}");
    let lag = topology::lag(&mut fleet.servers[1].session().await, None).await.unwrap().seconds;
    assert!(lag.is_some_and(|seconds| (0.0..5.0).contains(&seconds)), "{lag:?}");
}

/// S3 on a server that answers with five columns (MySQL), or four (MariaDB).
async fn s3_a_real_primary_lists_its_replicas(engine: Engine) {
    let fleet = Fleet::start(engine, 2).await;
    let picture = support::discover_from(fleet.primary(), &support::options()).await;
    let wanted = if engine == Engine::MySql { "SHOW REPLICAS" } else { "SHOW SLAVE HOSTS" };
    for replica in &fleet.servers[1..] {
        let link = support::edge(&picture, fleet.primary(), replica);
        assert!(link.evidence.iter().any(|proof| proof.statement == wanted), "{link:#?}");
    }
}

on_each_engine!(
    s3_a_real_primary_lists_its_replicas,
    s4_a_real_replica_is_known_as_one,
    s5_both_writers_of_a_ring_are_writers,
    s5_a_promoted_replica_that_kept_its_configuration_is_a_writer,
    s5_one_stopped_thread_is_enough_to_doubt,
    s5_a_read_only_node_that_is_written_to_is_a_writer,
    s5_missing_rights_make_a_writer_not_a_replica,
);
