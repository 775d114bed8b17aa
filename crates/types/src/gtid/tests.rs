//! What must hold of GTID sets, by example and by property.

use super::*;
use proptest::prelude::*;

const A: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const B: &str = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

fn set(text: &str) -> GtidSet {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn mysql_texts_read_and_print_as_the_server_does() {
    let printed = set(&format!("{A}:1-5:7:9-9,\n{B}:tag_1:1-2:5:1"));
    assert_eq!(printed.to_string(), format!("{A}:1-5:7:9,{B}:tag_1:1-2:5"), "the last :1 belongs to the tag");
    assert_eq!(set(&format!("{A}:7:1-3:4")).to_string(), format!("{A}:1-4:7"));
    assert_eq!(set(&format!("{A}:1-3:Domain:5")).to_string(), format!("{A}:1-3:domain:5"));
    assert!(set("").is_empty());
}

#[test]
fn what_is_no_gtid_is_refused() {
    for text in ["x", "1-2", "1-2-x", "1-2-3-4", A, &format!("{A}:0"), &format!("{A}:5-3"), &format!("{A}:9tag:1")] {
        assert!(text.parse::<GtidSet>().is_err(), "{text}");
    }
    assert!(format!("{A}:1-2").parse::<Gtid>().is_err(), "two are not one");
}

#[test]
fn subtract_shows_an_errant_transaction_on_either_engine() {
    let errant = set(&format!("{A}:1-100,{B}:1")).subtract(&set(&format!("{A}:1-120")));
    assert_eq!(errant.to_string(), format!("{B}:1"));
    let errant = set("0-11-100,0-12-10").subtract(&set("0-11-120"));
    assert_eq!(errant.to_string(), "0-12-10");
    assert_eq!(set("0-1-9").subtract(&set("0-1-6")).to_string(), "0-1-7..9");
    assert_eq!(set("0-1-7..9").to_string(), "0-1-7..9");
}

#[test]
fn a_mariadb_position_is_reached_whoever_wrote_last() {
    let after_failover = set("0-2-105");
    assert!(after_failover.covers(&set("0-1-100")));
    assert!(!after_failover.covers(&set("0-1-106")) && !after_failover.covers(&set("1-1-1")));
    assert!(set(&format!("{A}:1-9")).covers(&set(&format!("{A}:3"))));
    assert!(!set(&format!("{A}:1-9")).covers(&set(&format!("{B}:3"))));
}

#[test]
fn one_transaction_is_found() {
    let all = set(&format!("{A}:1-5,{A}:t:7"));
    assert!(all.contains(&format!("{A}:5").parse().unwrap()));
    assert!(all.contains(&format!("{A}:T:7").parse().unwrap()));
    assert!(!all.contains(&format!("{A}:7").parse().unwrap()), "the tag is part of the name");
    assert!(set("0-1-8").contains(&"0-1-8".parse().unwrap()));
    assert!(!set("0-1-8").contains(&"0-2-8".parse().unwrap()));
}

fn origin() -> impl Strategy<Value = Origin> {
    prop_oneof![
        (0u128..3, prop_oneof![Just(String::new()), Just("t".to_owned())])
            .prop_map(|(n, tag)| Origin::MySql { uuid: uuid::Uuid::from_u128(n), tag }),
        (0u32..2, 1u32..3).prop_map(|(domain, server)| Origin::MariaDb { domain, server }),
    ]
}

prop_compose! {
    fn any_set()(ranges in prop::collection::vec((origin(), 1u64..40, 0u64..12), 0..12)) -> GtidSet {
        let mut set = GtidSet::new();
        for (origin, first, more) in ranges {
            set.insert(origin, first, first + more);
        }
        set
    }
}

fn every_gtid() -> Vec<Gtid> {
    let uuids = (0u128..3).flat_map(|n| ["", "t"].map(|tag| (uuid::Uuid::from_u128(n), tag.to_owned())));
    let mysql = uuids.map(|(uuid, tag)| Origin::MySql { uuid, tag });
    let mariadb = (0..2).flat_map(|domain| (1..3).map(move |server| Origin::MariaDb { domain, server }));
    mysql.chain(mariadb).flat_map(|origin| (1..60).map(move |number| Gtid { origin: origin.clone(), number })).collect()
}

proptest! {
    #[test]
    fn a_printed_set_reads_back(a in any_set()) {
        prop_assert_eq!(set(&a.to_string()), a);
    }

    #[test]
    fn subtract_and_union_agree_with_membership(a in any_set(), b in any_set()) {
        let (rest, all) = (a.subtract(&b), a.union(&b));
        for gtid in every_gtid() {
            prop_assert_eq!(rest.contains(&gtid), a.contains(&gtid) && !b.contains(&gtid), "{}", &gtid);
            prop_assert_eq!(all.contains(&gtid), a.contains(&gtid) || b.contains(&gtid), "{}", &gtid);
        }
    }

    #[test]
    fn subset_is_an_order(a in any_set(), b in any_set()) {
        let all = a.union(&b);
        prop_assert!(a.is_subset(&a) && a.is_subset(&all) && b.is_subset(&all));
        prop_assert!(all.covers(&a) && all.covers(&b));
        prop_assert_eq!(a.is_subset(&b) && b.is_subset(&a), a == b);
        prop_assert_eq!(a.subtract(&b).union(&b), all);
    }
}
