//! The files of seed 004 as they stand there: no error, and what the seed says of the cluster they make.

mod desk;

use desk::{CN, LAUNCH, LOG1, LOG2, TN, errors, found, read};
use mo_config::{Cn, Launch, LogStore, Source, Tn, load_launch};
use std::{path::Path, time::Duration};

const FIRST: &str = "7c4dccb4-4d3c-41f8-b482-5251dc7a41bf";
const SECOND: &str = "4c4dccb4-4d3c-41f8-b482-5251dc7a41bd";

#[test]
fn the_whole_launch_has_no_error() {
    assert_eq!(errors(&found(&[LOG1, LOG2, TN, CN])), Vec::<String>::new());
}

/// What we ship says what the seed says, and gives nothing to find.
#[test]
fn the_launch_that_is_shipped_is_in_order() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let loaded = load_launch("etc/launch/launch.toml", &root);
    assert_eq!((loaded.findings, loaded.services.len()), (vec![], 4));
}

#[test]
fn the_launch_names_its_files_in_the_order_they_start() {
    let read = Launch::read(Source::new("launch.toml", "/srv"), LAUNCH);
    assert_eq!(read.findings, []);
    let files: Vec<&str> = read.value.files().map(|(_, file)| file).collect();
    assert_eq!(
        files,
        ["./etc/launch/log1.toml", "./etc/launch/log2.toml", "./etc/launch/tn.toml", "./etc/launch/cn.toml"]
    );
}

#[test]
fn a_program_run_above_etc_reads_all_of_it() {
    let base = std::env::temp_dir().join(format!("mo-config-{}", std::process::id()));
    let etc = base.join("etc/launch");
    std::fs::create_dir_all(&etc).unwrap();
    for (name, text) in [("launch", LAUNCH), ("log1", LOG1), ("log2", LOG2), ("tn", TN), ("cn", CN)] {
        std::fs::write(etc.join(format!("{name}.toml")), text).unwrap();
    }
    let loaded = load_launch("etc/launch/launch.toml", &base);
    std::fs::remove_file(etc.join("cn.toml")).unwrap();
    let lacking = load_launch("etc/launch/launch.toml", &base);
    std::fs::remove_dir_all(&base).unwrap();
    assert_eq!(errors(&loaded.findings), Vec::<String>::new());
    assert_eq!(loaded.services.len(), 4);
    assert_eq!(loaded.services[0].data_dir, base.join("mo-data"));
    desk::says(&lacking.findings, &["error: ./etc/launch/cn.toml", "cannot be read", "paths start at"]);
    desk::says(&load_launch("no.toml", Path::new("/nowhere")).findings, &["error: no.toml: cannot be read"]);
}

#[test]
fn the_first_store_founds_shards_0_1_and_3() {
    let store = LogStore::of(&read("log1.toml", LOG1).0, "alpha");
    let founding = store.bootstrap.as_ref().unwrap();
    assert_eq!(founding.shards(), [0, 1, 3]);
    assert_eq!(founding.members, [(131_072, FIRST.to_owned())]);
    assert_eq!((founding.log_shards, founding.replicas, founding.standby), (1, 1, true));
    assert_eq!((store.uuid.as_str(), store.founding_replica), (FIRST, Some(131_072)));
    assert_eq!(store.raft.advertised, "0.0.0.0:32000");
    assert_eq!(store.service.advertised, "0.0.0.0:32001");
    assert_eq!(store.gossip.advertised, "0.0.0.0:32002");
    // Nobody asked for every interface.
    assert_eq!(store.service.listen, "127.0.0.1:32001");
    assert_eq!(store.locality, "");
    assert_eq!(store.standby_dir.as_deref(), Some(Path::new("/srv/mo-data/standby")));
    assert_eq!(store.cluster_id, "deployment-1");
    let dir = format!("/srv/mo-data/logservice-data/{FIRST}/alpha/00000000000000000001");
    assert_eq!(store.data_dir, Path::new(&dir));
}

#[test]
fn the_first_store_keeps_the_times_of_the_original() {
    let store = LogStore::of(&read("log1.toml", LOG1).0, "alpha");
    let ms = Duration::from_millis;
    assert_eq!((store.tick_interval, store.check_interval, store.heartbeat_interval), (ms(100), ms(3000), ms(1000)));
    assert_eq!((store.log_store_timeout, store.tn_store_timeout), (ms(300_000), ms(10_000)));
    assert_eq!((store.cn_store_timeout, store.ticks_per_second), (ms(30_000), 10));
    assert_eq!((store.truncate_interval, store.keeper_truncate_interval), (ms(10_000), ms(7_200_000)));
    assert_eq!((store.segment_size, store.max_message), (64 << 20, 100 << 20));
}

#[test]
fn the_second_store_joins_with_its_locality() {
    let store = LogStore::of(&read("log2.toml", LOG2).0, "beta");
    assert_eq!((store.uuid.as_str(), store.locality.as_str()), (SECOND, "region:west"));
    assert_eq!((store.bootstrap.as_ref(), store.founding_replica), (None, None));
    assert_eq!((store.raft.advertised.as_str(), store.raft.listen.as_str()), ("127.0.0.1:32010", "127.0.0.1:32010"));
    assert_eq!(
        (store.service.advertised.as_str(), store.service.listen.as_str()),
        ("127.0.0.1:32011", "0.0.0.0:32011")
    );
    assert_eq!(store.gossip.advertised, "127.0.0.1:32012");
    assert_eq!(store.seeds, ["127.0.0.1:32002", "127.0.0.1:32012"]);
    assert_eq!(store.discovery, ["127.0.0.1:32001"]);
    let dir = format!("/srv/mo-data/logservice-data/{SECOND}/beta/00000000000000000001");
    assert_eq!(store.data_dir, Path::new(&dir));
}

#[test]
fn the_neighbours_look_for_the_keeper_where_it_is_by_default() {
    let (tn, cn) = (Tn::of(&read("tn.toml", TN).0), Cn::of(&read("cn.toml", CN).0));
    assert_eq!(tn.uuid, "dd4dccb4-4d3c-41f8-b482-5251dc7a41bf");
    assert_eq!((tn.service.advertised.as_str(), tn.discovery), ("127.0.0.1:19000", vec!["127.0.0.1:32001".to_owned()]));
    assert_eq!(tn.data_dir, Path::new("/srv/mo-data/dn-data/dd4dccb4-4d3c-41f8-b482-5251dc7a41bf"));
    assert_eq!((cn.sql.as_str(), cn.service.listen.as_str()), ("127.0.0.1:6001", "127.0.0.1:18000"));
    assert_eq!(cn.sql_tls, None);
}
