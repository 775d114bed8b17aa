//! Seed 004's statements, typed into the command-line clients, print seed 004's tables.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail by panic")]

mod support;

use support::{Door, client::Client};

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

const SETTINGS: &str = "\
+------------------------+--------------+
| name                   | value        |
+------------------------+--------------+
| non_voting_replica_num | 1            |
| non_voting_locality    | region:west; |
+------------------------+--------------+
";

#[tokio::test]
async fn the_tables_of_the_seed_are_printed_byte_for_byte() {
    let door = Door::open().await;
    for client in Client::available() {
        assert_eq!(client.table(door.port, "show logservice stores;").await, STORES, "{client:?}");
        assert_eq!(client.table(door.port, "show logservice replicas;").await, REPLICAS, "{client:?}");
    }
}

#[tokio::test]
async fn the_settings_of_the_seed_are_taken_and_shown() {
    for client in Client::available() {
        let door = Door::open().await;
        let set = r#"set logservice settings non_voting_locality="region:west"; set logservice settings non_voting_replica_num=1;"#;
        assert_eq!(client.table(door.port, set).await, "");
        assert_eq!(client.table(door.port, "show logservice settings;").await, SETTINGS, "{client:?}");
    }
}

#[tokio::test]
async fn settings_are_refused_in_the_words_operators_know() {
    for client in Client::available() {
        let door = Door::open().await;
        let refused = async |sql: &str| client.refusal(door.port, &["-uroot", "-p111"], sql).await;
        let internal = |text: &str| format!("ERROR 20101 (HY000) at line 1: internal error: {text}");
        for (set, text) in [
            ("non_voting_replica_num=1", "non-voting replica locality has not been set"),
            ("non_voting_replica_num='one'", "wrong value type: one"),
            ("non_voting_locality=1", "wrong value type: 1"),
            ("voters=1", "unsupported logservice settings var: voters"),
        ] {
            assert_eq!(refused(&format!("set logservice settings {set}")).await, internal(text), "{client:?}");
        }
        client.table(door.port, "set logservice settings non_voting_locality := 'region:west'").await;
        let scarce = internal("there are not enough log store number: only 1 stores are avaiable");
        for number in ["2", "-1"] {
            assert_eq!(refused(&format!("set logservice settings non_voting_replica_num={number}")).await, scarce);
        }
    }
}
