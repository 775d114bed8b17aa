//! Seed 004 as it stands: its files, its SQL, its tables; then a kill, a second process, a file that cannot work.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod bed;

use bed::{Site, masked};

const STORES: &str = "\
+--------------------------------------+------+-------------+----------------------------+-------------+-----------------+-----------------+-----------------+
| store_id                             | tick | replica_num | replicas                   | locality    | raft_address    | service_address | gossip_address  |
+--------------------------------------+------+-------------+----------------------------+-------------+-----------------+-----------------+-----------------+
| 4c4dccb4-4d3c-41f8-b482-5251dc7a41bd |  975 |           3 | 0:262148;1:262149;3:262150 | region:west | 127.0.0.1:32010 | 127.0.0.1:32011 | 127.0.0.1:32012 |
| 7c4dccb4-4d3c-41f8-b482-5251dc7a41bf |  974 |           3 | 0:131072;1:262145;3:262146 |             | 0.0.0.0:32000   | 0.0.0.0:32001   | 0.0.0.0:32002   |
+--------------------------------------+------+-------------+----------------------------+-------------+-----------------+-----------------+-----------------+
";

const REPLICAS: &str = "\
+----------+------------+--------------+-----------------------+------+-------+--------------------------------------+
| shard_id | replica_id | replica_role | replica_is_non_voting | term | epoch | store_info                           |
+----------+------------+--------------+-----------------------+------+-------+--------------------------------------+
|        0 |     131072 | Leader       | false                 |    2 |  1059 | 7c4dccb4-4d3c-41f8-b482-5251dc7a41bf |
|        0 |     262148 | Follower     | true                  |    2 |  1059 | 4c4dccb4-4d3c-41f8-b482-5251dc7a41bd |
|        1 |     262145 | Leader       | false                 |    2 |   120 | 7c4dccb4-4d3c-41f8-b482-5251dc7a41bf |
|        1 |     262149 | Follower     | true                  |    2 |   120 | 4c4dccb4-4d3c-41f8-b482-5251dc7a41bd |
|        3 |     262146 | Leader       | false                 |    2 |    12 | 7c4dccb4-4d3c-41f8-b482-5251dc7a41bf |
|        3 |     262150 | Follower     | true                  |    2 |    12 | 4c4dccb4-4d3c-41f8-b482-5251dc7a41bd |
+----------+------------+--------------+-----------------------+------+-------+--------------------------------------+
";

/// What changes from run to run.
const STORES_VARY: &[&str] = &["tick"];
const REPLICAS_VARY: &[&str] = &["term", "epoch"];

#[test]
fn the_seeds_files_and_sql_give_its_tables() {
    let Some(mut site) = Site::seed() else { return };
    let checked = site.run(&["-launch", "etc/launch/launch.toml", "-check"]);
    assert!(checked.0 && checked.1.contains("these files are in order: 4 services"), "{checked:?}");
    assert!(!checked.1.contains("error:"), "{checked:?}");
    site.start();
    // As the seed has it: the cluster is up, then it is told.
    site.has("show logservice replicas;", "262146 | Leader");
    site.sql(r#"set logservice settings non_voting_locality="region:west";"#);
    site.sql("set logservice settings non_voting_replica_num=1;");
    let whole = |site: &Site| {
        site.until("show logservice stores;", STORES_VARY, STORES);
        site.until("show logservice replicas;", REPLICAS_VARY, REPLICAS);
    };
    whole(&site);
    let second = site.run(&["-launch", "etc/launch/launch.toml"]);
    assert!(!second.0 && second.1.contains("is in use by another process"), "{second:?}");
    // Killed in mid-work, it comes back as it was; then it ends in good order.
    site.kill();
    site.start();
    whole(&site);
    let settings = site.sql("show logservice settings;");
    assert!(settings.contains("| non_voting_locality    | region:west; |"), "{settings}");
    assert!(site.end().success());
}

#[test]
fn a_file_that_cannot_work_is_told_and_nothing_starts() {
    let site = Site::empty();
    site.file("log1.toml", "service-type = \"LOG\"\n[logservice.BootstrapConfig]\nstandby-enable = true\n");
    for arguments in [&["-cfg", "log1.toml", "-check"][..], &["-cfg", "log1.toml"]] {
        let (fine, said) = site.run(arguments);
        assert!(!fine && said.contains("log1.toml:3") && said.contains("did you mean standby-enabled?"), "{said}");
    }
    assert!(!site.path("mo-data").exists());
}

#[test]
fn what_varies_is_masked_and_nothing_else() {
    let other = STORES.replace("|  975 |", "| 1975 |");
    assert_eq!(masked(&other, STORES_VARY), masked(STORES, STORES_VARY));
    assert_ne!(masked(&STORES.replace("0:262148", "0:262147"), STORES_VARY), masked(STORES, STORES_VARY));
}
