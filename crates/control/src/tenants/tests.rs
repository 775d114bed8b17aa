//! The rule by itself: who sees which cluster, and which settings are refused.

use super::*;
use crate::{Role, Settings, TokenSettings};
use types::Secret;

fn cluster(name: &str, port: u16, group: Option<&str>) -> ClusterSettings {
    ClusterSettings {
        name: name.into(),
        address: Address::new("h", port),
        username: "u".into(),
        password: Secret::default(),
        members: Vec::new(),
        group: group.map(str::to_owned),
    }
}

fn limited(groups: &[&str]) -> Caller {
    Caller::new("ann", Role::Admin).limited_to(groups.iter().map(|group| (*group).to_owned()))
}

fn told(clusters: Vec<ClusterSettings>, groups: Option<&[&str]>) -> Result<(), Failure> {
    let groups = groups.map(|groups| groups.iter().map(|group| (*group).to_owned()).collect());
    let token = TokenSettings { name: "ann".into(), role: Role::Viewer, sha256: crate::token_digest("dd_a"), groups };
    Settings { clusters, tokens: vec![token], ..Settings::default() }.check()
}

#[test]
fn a_cluster_is_there_for_its_group_and_for_tokens_without_groups() {
    let everyone = Caller::new("root", Role::Viewer);
    for (group, seen) in [(Some("a"), true), (Some("b"), true), (Some("c"), false), (Some("A"), false), (None, false)] {
        let cluster = cluster("x", 1, group);
        assert_eq!((limited(&["a", "b"]).sees(&cluster), everyone.sees(&cluster)), (seen, true), "{group:?}");
        assert!(!limited(&[]).sees(&cluster), "no groups are no clusters");
    }
}

#[test]
fn what_is_not_about_one_cluster_is_refused_whatever_the_role() {
    let refused = limited(&["a"]).require(Role::Viewer, "audit.read").unwrap_err();
    assert_eq!(refused.code, Code::Forbidden);
    assert!(refused.detail("next").contains("cluster of your group"), "{refused}");
    assert_eq!(limited(&["a"]).require_role(Role::Admin, "jobs.approve"), Ok(()));
    assert_eq!(Caller::new("root", Role::Admin).require(Role::Admin, "audit.read"), Ok(()));
}

#[test]
fn who_is_kept_to_groups_is_another_caller() {
    assert_ne!(limited(&["a"]), limited(&["b"]));
    assert_ne!(limited(&["a"]), Caller::new("ann", Role::Admin));
}

#[test]
fn groups_that_say_nothing_or_share_a_member_are_refused() {
    let one = || vec![cluster("x", 1, Some("a"))];
    assert_eq!((told(one(), None), told(one(), Some(&["a", "nobodys"]))), (Ok(()), Ok(())));
    for groups in [&[][..], &[""], &["a", " b"]] {
        assert_eq!(told(one(), Some(groups)).unwrap_err().detail("field"), "auth.tokens", "{groups:?}");
    }
    assert_eq!(told(vec![cluster("x", 1, Some(""))], None).unwrap_err().detail("field"), "database.clusters");
    let shared = vec![cluster("x", 1, Some("a")), cluster("y", 1, Some("b"))];
    assert!(told(shared, None).unwrap_err().to_string().contains("h:1"));
    assert_eq!(told(vec![cluster("x", 1, Some("a")), cluster("y", 1, None)], None), Ok(()));
}
