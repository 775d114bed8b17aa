//! What must hold of every picture and every verdict, whatever the servers say: properties of the deciding half.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

use api::{ClusterTopology, DatabaseNode, Reach};
use jiff::Timestamp;
use mysql::Flavor;
use proptest::prelude::*;
use std::collections::BTreeSet;
use topology::{
    Asked, Channel, DiscoverOptions, DumpThread, Identity, NodeFacts, Observation, OwnWrites, Registered, Report, Told,
    Untold, judge, merge,
};
use types::Address;

const FIRST_PORT: u16 = 3301;

#[allow(clippy::unnecessary_wraps, reason = "facts hold answers, and this is one")]
fn told<T>(value: T) -> Result<Told<T>, Untold> {
    Ok(Told { value, statement: "SHOW".to_owned() })
}

#[allow(clippy::unnecessary_wraps, reason = "facts hold refusals, and this is one")]
fn untold<T>() -> Result<Told<T>, Untold> {
    Err(Untold { statement: "SHOW".to_owned(), error: "Access denied".to_owned(), denied: true })
}

fn address(place: usize) -> Address {
    Address::new("10.0.0.1", FIRST_PORT + u16::try_from(place).unwrap())
}

fn uuid(place: usize) -> String {
    format!("00000000-0000-4000-8000-{place:012x}")
}

fn facts(place: usize, uuids: bool) -> NodeFacts {
    let (flavor, version) = if uuids { (Flavor::MySql, "8.4.2") } else { (Flavor::MariaDb, "10.11.19-MariaDB") };
    NodeFacts {
        identity: Identity {
            server_uuid: uuids.then(|| uuid(place)),
            server_id: u32::try_from(place + 1).unwrap(),
            hostname: "db".to_owned(),
            port: address(place).port,
            flavor,
            version: version.to_owned(),
        },
        read_only: Some(true),
        super_read_only: None,
        inbound: told(Vec::new()),
        group: told(None),
        galera: told(None),
        own_writes: OwnWrites::Quiet,
        declared_primary: false,
    }
}

fn channel(source: usize, uuids: bool) -> Channel {
    Channel {
        name: format!("c{source}"),
        source_host: address(source).host,
        source_port: address(source).port,
        source_server_id: u32::try_from(source + 1).unwrap(),
        source_uuid: if uuids { uuid(source) } else { String::new() },
        io: "Yes".to_owned(),
        sql: "Yes".to_owned(),
        seconds_behind: Some(0),
        last_error: String::new(),
    }
}

/// A fleet as it really is: who follows whom, who answers.
#[derive(Debug, Clone)]
struct World {
    links: BTreeSet<(usize, usize)>,
    answers: Vec<bool>,
    announced: Vec<bool>,
    uuids: bool,
}

prop_compose! {
    fn world()(size in 1usize..7)(
        links in prop::collection::btree_set((0..size, 0..size), 0..10),
        answers in prop::collection::vec(prop::bool::weighted(0.8), size),
        announced in prop::collection::vec(prop::bool::weighted(0.7), size),
        uuids in any::<bool>(),
    ) -> World {
        let links = links.into_iter().filter(|(source, target)| source != target).collect();
        World { links, answers, announced, uuids }
    }
}

impl World {
    fn observe(&self, place: usize) -> Observation {
        let mut facts = facts(place, self.uuids);
        let sources = self.links.iter().filter(|(_, target)| *target == place);
        facts.inbound = told(sources.map(|(source, _)| channel(*source, self.uuids)).collect());
        let followers: Vec<usize> = self.links.iter().filter(|link| link.0 == place).map(|link| link.1).collect();
        let row = |follower: &usize| Registered {
            server_id: u32::try_from(follower + 1).unwrap(),
            uuid: if self.uuids { uuid(*follower) } else { String::new() },
            host: if self.announced[*follower] { address(*follower).host } else { String::new() },
            port: address(*follower).port,
        };
        let dump = |follower: &usize| DumpThread {
            id: *follower as u64,
            host: "10.0.0.1".to_owned(),
            ..DumpThread::default()
        };
        Observation {
            facts,
            registered: told(followers.iter().map(row).collect()),
            dumps: told(followers.iter().map(dump).collect()),
            shell: None,
            ips: vec!["10.0.0.1".parse().unwrap()],
        }
    }

    fn reports(&self, seed: usize) -> Vec<Report> {
        let size = self.answers.len();
        let others = (0..size).filter(|place| *place != seed);
        let outcome = |place: usize| {
            if place == seed || self.answers[place] {
                Ok(self.observe(place))
            } else {
                untold::<()>().map(|_| unreachable!())
            }
        };
        let report = |(order, place): (usize, usize)| Report {
            address: address(place),
            depth: u32::from(order > 0),
            guess: false,
            seen_at: Timestamp::UNIX_EPOCH,
            outcome: outcome(place),
        };
        std::iter::once(seed).chain(others).enumerate().map(report).collect()
    }

    fn picture(&self, seed: usize) -> ClusterTopology {
        merge(&self.reports(seed), &DiscoverOptions::default(), Timestamp::UNIX_EPOCH)
    }
}

fn drawn(node: &DatabaseNode, all: &mut Vec<Address>) {
    all.push(Address::new(node.host.clone(), node.port));
    node.slaves.iter().for_each(|below| drawn(below, all));
}

proptest! {
    #[test]
    fn every_picture_is_sound(world in world()) {
        let picture = world.picture(0);
        let ids: BTreeSet<&str> = picture.nodes.iter().map(|node| node.id.as_str()).collect();
        prop_assert_eq!(ids.len(), picture.nodes.len(), "ids are unique: {:#?}", picture);
        for edge in &picture.edges {
            prop_assert!(ids.contains(edge.source.as_str()) && ids.contains(edge.target.as_str()));
            prop_assert!(!edge.evidence.is_empty(), "no link without a proof: {:#?}", edge);
            prop_assert!(edge.evidence.iter().all(|proof| ids.contains(proof.told_by.as_str())));
        }
        let mut tree = Vec::new();
        picture.topology.master.iter().chain(&picture.topology.slaves).for_each(|top| drawn(top, &mut tree));
        let servers = picture.nodes.iter().filter(|node| node.reach != Reach::NotAServer).count();
        prop_assert_eq!(tree.len(), servers, "each server is drawn once, rings or not: {:#?}", picture);
        prop_assert!(!picture.nodes.iter().any(|node| node.reach == Reach::NotAServer), "no reader is invented: {:#?}", picture);
    }

    #[test]
    fn every_true_link_of_who_answers_is_found_and_no_other(world in world()) {
        let picture = world.picture(0);
        let place = |id: &str| picture.nodes.iter().find(|node| node.id == id).map(|node| node.server_id as usize - 1).unwrap();
        for edge in &picture.edges {
            prop_assert!(world.links.contains(&(place(&edge.source), place(&edge.target))), "{:#?}", edge);
        }
        let found: BTreeSet<usize> = picture.nodes.iter().map(|node| place(&node.id)).collect();
        for (source, target) in &world.links {
            let told = [source, target].into_iter().any(|end| found.contains(end) && (*end == 0 || world.answers[*end]));
            let drawn = picture.edges.iter().any(|edge| (place(&edge.source), place(&edge.target)) == (*source, *target));
            prop_assert!(drawn || !told, "{} -> {} is missing: {:#?}", source, target, picture);
        }
    }

    #[test]
    fn whoever_does_not_answer_is_taken_for_a_writer(world in world()) {
        for node in world.picture(0).nodes {
            prop_assert!(node.reach == Reach::Reached || node.writer, "{:#?}", node);
        }
    }

    #[test]
    fn pictures_can_be_printed(world in world()) {
        let picture = world.picture(0);
        let (text, dot) = (topology::table(&picture), topology::dot(&picture));
        for node in &picture.nodes {
            prop_assert!(text.contains(&node.address.to_string()), "{}", text);
            prop_assert!(dot.contains(&node.id));
        }
    }

    #[test]
    fn only_a_node_that_is_known_in_every_respect_is_no_writer(
        read_only in prop_oneof![Just(None), Just(Some(false)), Just(Some(true))],
        inbound in 0..4usize,
        group in any::<bool>(),
        galera in any::<bool>(),
        writes in 0..4usize,
        declared in any::<bool>(),
        stranger in any::<bool>(),
    ) {
        let mut facts = facts(1, true);
        facts.read_only = read_only;
        facts.declared_primary = declared;
        let broken = Channel { io: "Connecting".to_owned(), ..channel(0, true) };
        let statuses: [Asked<Vec<Channel>>; 4] =
            [told(vec![channel(0, true)]), told(vec![broken]), told(Vec::new()), untold()];
        facts.inbound = statuses[inbound].clone();
        if group { facts.group = untold(); }
        if galera { facts.galera = untold(); }
        let wrote = OwnWrites::Advanced("0-2-7".parse().unwrap());
        facts.own_writes = [OwnWrites::Quiet, OwnWrites::NotKept, wrote, OwnWrites::Unknown("?".to_owned())][writes].clone();
        if stranger { facts.identity.flavor = Flavor::Other; }
        let safe = read_only == Some(true) && inbound == 0 && !group && !galera && writes < 2 && !declared && !stranger;
        let verdict = judge(&facts);
        prop_assert_eq!(verdict.writer, !safe, "{:?}", verdict);
        prop_assert!(!verdict.reasons.is_empty());
    }
}

#[test]
fn a_copied_uuid_does_not_make_two_servers_one() {
    let mut reports = World {
        links: BTreeSet::from([(0, 1), (0, 2)]),
        answers: vec![true; 3],
        announced: vec![true; 3],
        uuids: true,
    }
    .reports(0);
    let Ok(twin) = &mut reports[2].outcome else { panic!("it answers") };
    twin.facts.identity.server_uuid = Some(uuid(1));
    let picture = merge(&reports, &DiscoverOptions::default(), Timestamp::UNIX_EPOCH);
    assert_eq!(picture.nodes.len(), 4, "the two, their source, and the uuid nobody owns: {picture:#?}");
    assert!(picture.warnings.iter().any(|text| text.contains("share server uuid")), "{:?}", picture.warnings);
}

/// Quotes, line ends and other scripts in names must not break the drawing; Graphviz itself says so.
#[test]
fn graphviz_draws_it() {
    let world = World {
        links: BTreeSet::from([(0, 1), (1, 0), (1, 2), (3, 2)]),
        answers: vec![true, true, false, true],
        announced: vec![true; 4],
        uuids: false,
    };
    let name = Some("a \"quoted\" \\ cluster\nof 数据库".to_owned());
    let options = DiscoverOptions { cluster_name: name, ..DiscoverOptions::default() };
    let text = topology::dot(&merge(&world.reports(0), &options, Timestamp::UNIX_EPOCH));
    let mut child = match std::process::Command::new("dot")
        .arg("-Tsvg")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
    {
        Ok(child) => child,
        Err(error) => return eprintln!("skipped: no Graphviz here ({error})"),
    };
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let drawn = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && drawn.matches("class=\"node\"").count() == 4, "{text}\n{drawn}");
    assert_eq!(drawn.matches("class=\"edge\"").count(), 4, "{drawn}");
}
