//! Every trap the original lays, found before a service starts: one test each.

mod desk;

use desk::{CN, FOUNDER, LOG1, LOG2, TN, errors, found, founder, says, silent};
use mo_config::{Launch, ServiceConfig, Source, check_launch};

const B: &str = "logservice.BootstrapConfig";
const FIRST: &str = "7c4dccb4-4d3c-41f8-b482-5251dc7a41bf";

/// A founder whose bootstrap table says this.
fn founding(line: &str) -> String {
    founder(B, line)
}

fn with(line: &str) -> String {
    founder("logservice", line)
}

#[test]
fn a_founder_alone_has_no_finding() {
    assert_eq!(found(&[FOUNDER]), []);
}

#[test]
fn what_must_be_set_is_told_in_the_words_of_the_original() {
    for (table, line, what) in [
        ("logservice", "uuid = \"\"", "logservice.uuid: uuid not set"),
        ("logservice", "uuid = \"x\"", "logservice.uuid: x is not a uuid"),
        ("logservice", "deployment-id = 0", "deploymentID not set"),
        (
            "logservice",
            "logservice-address = \"\"\nlogservice-listen-address = \"a:1\"",
            "ServiceAddress and LogServicePort not set",
        ),
        ("logservice", "raft-address = \"\"\nraft-listen-address = \"a:1\"", "RaftAddress and RaftPort not set"),
        (
            "logservice",
            "gossip-address = \"\"\ngossip-listen-address = \"a:1\"",
            "GossipAddress and GossipPort not set",
        ),
        ("logservice", "logdb-buffer-size = 0", "LogDBBufferSize not set"),
        ("logservice", "gossip-seed-addresses = []", "GossipSeedAddress not set"),
        ("logservice", "gossip-probe-interval = \"0s\"", "GossipProbeInterval not set"),
        ("logservice", "truncate-interval = 0", "TruncateInterval not set"),
        ("logservice", "hakeeper-truncate-interval = \"0s\"", "HAKeeperTruncateInterval not set"),
        ("logservice", "hakeeper-tick-interval = \"0s\"", "HAKeeperTickInterval not set"),
        ("logservice", "hakeeper-check-interval = \"0s\"", "HAKeeperCheckInterval not set"),
        ("logservice", "logservice-heartbeat-interval = \"0s\"", "HeartbeatInterval not set"),
        ("logservice", "logdb-max-log-file-size = 0", "LogDBMaxLogFileSize not set"),
        ("logservice.rpc", "max-message-size = 0", "MaxMessageSize not set"),
        ("logservice.HAKeeperConfig", "tick-per-second = 0", "TickPerSecond not set"),
        ("logservice.HAKeeperConfig", "log-store-timeout = \"0s\"", "LogStoreTimeout not set"),
        ("logservice.HAKeeperConfig", "tn-store-timeout = \"0s\"", "DNStoreTimeout not set"),
        ("logservice.HAKeeperConfig", "cn-store-timeout = \"0s\"", "CNStoreTimeout not set"),
        (B, "num-of-log-shards = 0", "NumOfLogShards not set"),
        (B, "num-of-tn-shards = 0", "NumOfDNShards not set"),
        (B, "num-of-log-shard-replicas = 0", "NumOfLogShardReplica not set"),
        (B, "num-of-tn-shards = 2", "NumOfDNShards does not match NumOfLogShards"),
        (B, "num-of-tn-shards = 2\nnum-of-log-shards = 2", "only 1 log shard can be"),
        (B, "init-hakeeper-members = []", "InitHAKeeperMembers not set"),
        (B, "num-of-log-shard-replicas = 3", "InitHAKeeperMembers does not match NumOfLogShardReplicas"),
        (B, "init-hakeeper-members = [\"131072\"]", "replicaID:target 131072"),
        (B, "init-hakeeper-members = [\"131072:me\"]", "uuid me"),
        (B, "init-hakeeper-members = [\"one:7c4dccb4-4d3c-41f8-b482-5251dc7a41bf\"]", "replicateID 'one'"),
        (B, "init-hakeeper-members = [\"1:7c4dccb4-4d3c-41f8-b482-5251dc7a41bf\"]", "replica id 1 is not one"),
        (
            B,
            "init-hakeeper-members = [\"262144:7c4dccb4-4d3c-41f8-b482-5251dc7a41bf\"]",
            "replica id 262144 is not one",
        ),
        ("logservice.BootstrapConfig.restore", "enabled = true", "cannot be founded from a saved log"),
        ("logservice.BootstrapConfig.restore", "wal-data-path = \"w\"", "WAL recovery requires restore.enabled"),
    ] {
        says(&found(&[&founder(table, line)]), &["error: 0.toml:", what]);
    }
    says(&found(&["service-type = \"TN\""]), &["error: 0.toml: tn.uuid: uuid not set"]);
    says(&found(&["service-type = \"CN\""]), &["error: 0.toml: cn.uuid: uuid not set"]);
}

#[test]
fn a_finding_names_its_line_or_that_of_its_table() {
    says(&found(&[&founding("\nnum-of-tn-shards = 2")]), &["0.toml:6: logservice.BootstrapConfig.num-of-tn-shards"]);
    says(
        &found(&[&founding("num-of-log-shard-replicas = 3")]),
        &["0.toml:4: logservice.BootstrapConfig.init-hakeeper-members"],
    );
}

#[test]
fn members_that_repeat_are_told() {
    let members =
        format!("num-of-log-shard-replicas = 2\ninit-hakeeper-members = [\"131072:{FIRST}\", \"131073:{FIRST}\"]");
    says(&found(&[&founding(&members)]), &["repeats an id or a uuid"]);
    says(&found(&[&founding(&members)]), &["warning", "2 replicas outlive no more failures than 1"]);
}

#[test]
fn a_standby_needs_a_fileservice() {
    let findings = found(&[&founding("standby-enabled = true")]);
    says(
        &findings,
        &["error: 0.toml:5", "standby-enabled without a fileservice STANDBY", "add [[fileservice]] name = \"STANDBY\""],
    );
    silent(&found(&[LOG1]), "without a fileservice");
}

#[test]
fn a_standby_has_a_place_of_its_own_that_lasts() {
    let standby = |backend: &str, dir: &str| {
        founding(&format!(
            "standby-enabled = true\n[[fileservice]]\nname = \"standby\"\nbackend = \"{backend}\"\ndata-dir = \"{dir}\""
        ))
    };
    says(&found(&[&standby("DISK", "mo-data/shared")]), &["error: 0.toml:9", "STANDBY and SHARED share a directory"]);
    says(&found(&[&standby("MEM", "x")]), &["error", "gone after a restart"]);
    says(&found(&[&standby("DISK-V2", "x")]), &["warning", "STANDBY is DISK-V2 and SHARED is DISK"]);
    says(&found(&[&standby("TAPE", "x")]), &["error: 0.toml:8", "file service backend TAPE not implemented"]);
}

#[test]
fn shared_files_differ_between_log_and_engine() {
    for neighbour in [TN, CN] {
        let findings = found(&[LOG1, neighbour]);
        says(
            &findings,
            &["warning: 0.toml", "SHARED is DISK /srv/mo-data/shared", "DISK-V2 /srv/mo-data/shared2 in 1.toml"],
        );
    }
    let same =
        format!("{LOG1}\n[[fileservice]]\nname = \"SHARED\"\nbackend = \"DISK-V2\"\ndata-dir = \"mo-data/shared2\"\n");
    silent(&found(&[&same, TN]), "SHARED is DISK /");
    let other_backend = same.replace("\"DISK-V2\"", "\"DISK\"");
    says(&found(&[&other_backend, TN]), &["copies for a standby would find no files"]);
}

#[test]
fn fileservices_have_names_of_their_own() {
    let text =
        format!("{FOUNDER}[[fileservice]]\nname = \"S3\"\n[[fileservice]]\nname = \"shared\"\n[[fileservice]]\n");
    says(&found(&[&text]), &["error: 0.toml:7", "two fileservices named SHARED"]);
    says(&found(&[&text]), &["error: 0.toml:8", "a fileservice has no name"]);
}

#[test]
fn two_services_share_a_uuid() {
    let tn = TN.replace("dd4dccb4-4d3c-41f8-b482-5251dc7a41bf", &FIRST.to_uppercase());
    says(&found(&[LOG1, &tn]), &["error: 1.toml:18: tn.uuid", "is also the uuid of 0.toml"]);
    says(&found(&[FOUNDER, FOUNDER]), &["error", "is also the uuid of 0.toml"]);
}

#[test]
fn two_services_share_a_port() {
    let taken = LOG2.replace("32012", "32010");
    says(&found(&[&taken]), &["error", "127.0.0.1:32010 is taken by logservice.raft-address of the same file"]);
    let taken = LOG2.replace("0.0.0.0:32011", "0.0.0.0:32001");
    says(
        &found(&[LOG1, &taken]),
        &["error: 1.toml", "0.0.0.0:32001 is taken: logservice.logservice-address of 0.toml is 127.0.0.1:32001"],
    );
    let cn = |uuid: &str, base: u16, port: u16| {
        format!("service-type = \"CN\"\n[cn]\nuuid = \"{uuid}\"\nport-base = {base}\n[cn.frontend]\nport = {port}\n")
    };
    let (one, two) = ("dd1dccb4-4d3c-41f8-b482-5251dc7a41b0", "dd1dccb4-4d3c-41f8-b482-5251dc7a41b1");
    says(&found(&[&cn(one, 18000, 6001), &cn(two, 18100, 6001)]), &["error: 1.toml:6: cn.frontend.port", "is taken"]);
    says(
        &found(&[&cn(one, 18000, 6001), &cn(two, 18019, 6002)]),
        &["error: 1.toml:4: cn.port-base", "within the 20 ports of 0.toml"],
    );
    silent(&found(&[&cn(one, 18000, 6001), &cn(two, 18020, 6002)]), "18020");
    says(&found(&[&cn(one, 18000, 6001), &TN.replace("19000", "18000")]), &["error", "is taken"]);
}

#[test]
fn stores_share_a_data_directory_and_nothing_lies_inside_a_store() {
    silent(&found(&[LOG1, LOG2]), "lies inside");
    let inside = format!("service-type = \"TN\"\ndata-dir = \"mo-data/logservice-data/{FIRST}/x\"\n");
    says(&found(&[LOG1, &inside]), &["error: 1.toml:2: data-dir", "lies inside the log store of 0.toml"]);
    says(&found(&[&inside, LOG1]), &["error: 0.toml:2: data-dir", "lies inside the log store of 1.toml"]);
}

#[test]
fn a_store_that_joins_needs_somebody_to_ask() {
    let lost = LOG2.replace("discovery-address=\"127.0.0.1:32001\"", "");
    says(&found(&[LOG1, &lost]), &["warning: 1.toml", "has no [hakeeper-client]"]);
    says(&found(&[&lost]), &["error: 0.toml", "bootstrap-cluster = false without [hakeeper-client]"]);
    let itself = LOG2.replace("discovery-address=\"127.0.0.1:32001\"", "discovery-address=\"localhost:32011\"");
    says(&found(&[LOG1, &itself]), &["error: 1.toml", "looks for the keeper at its own address only"]);
    says(&found(&[LOG2]), &["error", "no store of this launch founds a cluster"]);
}

#[test]
fn neighbours_look_for_the_keeper_where_nobody_is() {
    let tn = format!("{TN}\n[hakeeper-client]\nservice-addresses = [\"127.0.0.1:1\"]\n");
    says(&found(&[LOG1, &tn]), &["error: 1.toml", "no log service of this launch answers at 127.0.0.1:1"]);
    silent(&found(&[&tn]), "answers at");
    silent(&found(&[LOG1, &tn.replace("127.0.0.1:1", "10.0.0.9:1")]), "answers at");
}

#[test]
fn a_founder_with_a_locality_has_no_voter() {
    says(
        &found(&[&with("locality = \"region:west\"")]),
        &["error: 0.toml:4: logservice.locality", "no voter anywhere"],
    );
    silent(&found(&[LOG1, LOG2]), "no voter");
}

#[test]
fn a_locality_nobody_has_and_one_that_is_none() {
    says(
        &found(&[&founding("non-voting-locality = \"region:west\"")]),
        &["warning", "no log service of this launch has this locality"],
    );
    let named = LOG1
        .replace("[logservice.BootstrapConfig]", "[logservice.BootstrapConfig]\nnon-voting-locality = \"region:west\"");
    silent(&found(&[&named, LOG2]), "has this locality");
    for text in ["west", "region:", "a:b:c"] {
        says(&found(&[&with(&format!("locality = \"{text}\""))]), &["error", "is no pair of key and value"]);
    }
}

#[test]
fn seeds_that_reach_nobody() {
    let seeds = "gossip-seed-addresses = [ # 正常副本的 gossip seed 地址\n\"127.0.0.1:32002\",\n\"127.0.0.1:32012\"\n]";
    assert!(LOG2.contains(seeds), "the seed's text has changed");
    let own = LOG2.replace(seeds, "gossip-seed-addresses = [\"127.0.0.1:32012\"]");
    says(&found(&[LOG1, &own]), &["error: 1.toml", "only itself as seed: it reaches nobody"]);
    let wrong = LOG2.replace(seeds, "gossip-seed-addresses = [\"127.0.0.1:32099\"]");
    says(
        &found(&[LOG1, &wrong]),
        &["error: 1.toml", "no log service of this launch has the gossip address 127.0.0.1:32099"],
    );
    silent(&found(&[LOG1, LOG2]), "gossip address");
}

#[test]
fn a_single_store_that_may_not_be_its_own_seed() {
    says(
        &found(&[&with("gossip-allow-self-as-seed = false")]),
        &["error", "gossip-allow-self-as-seed is false: it finds nobody"],
    );
    silent(&found(&[FOUNDER]), "seed");
}

#[test]
fn others_are_told_an_address_that_leads_them_to_themselves() {
    let far = LOG2.replace("\"127.0.0.1:320", "\"10.0.0.2:320");
    for door in ["raft-address", "logservice-address", "gossip-address"] {
        says(
            &found(&[LOG1, &far]),
            &["error: 0.toml", door, "others are told 0.0.0.0:", "leads each of them to itself"],
        );
    }
    let findings = found(&[LOG1, &far]);
    assert!(
        errors(&findings).iter().all(|line| !line.contains("error: 1.toml") || !line.contains("leads each")),
        "{findings:?}"
    );
    says(
        &found(&[&with("raft-address = \"127.0.0.1:32000\"\ngossip-seed-addresses = [\"10.0.0.2:32002\"]")]),
        &["error", "others are told 127.0.0.1:32000"],
    );
}

#[test]
fn a_member_no_log_service_has() {
    let other = "init-hakeeper-members = [\"131072:11111111-4d3c-41f8-b482-5251dc7a41bf\"]";
    let findings = found(&[&founding(other)]);
    says(
        &findings,
        &["error: 0.toml:5", "131072:11111111-4d3c-41f8-b482-5251dc7a41bf is the uuid of no log service here"],
    );
    says(&findings, &["warning", "none of the first members"]);
    says(&findings, &["error", "no store of this launch founds a cluster"]);
    let elsewhere = format!("{}\n[hakeeper-client]\ndiscovery-address = \"10.0.0.1:32001\"\n", founding(other));
    says(&found(&[&elsewhere]), &["warning", "is the uuid of no log service here; see that it runs on another host"]);
}

#[test]
fn one_of_three_founders_on_hosts_of_their_own_has_no_error() {
    let text = member(0, "a")
        .replace("raft-port", "service-host = \"10.0.0.1\"\nraft-port")
        .replace("127.0.0.1:", "10.0.0.2:");
    // The engine beside it calls the default address, which is bound although others are told another.
    let text = text.replace("30001", "32001");
    let findings = found(&[&text, TN]);
    assert_eq!(errors(&findings), Vec::<String>::new());
    says(&findings, &["warning", "b1 is the uuid of no log service here; see that it runs on another host"]);
}

#[test]
fn one_of_three_founders_in_processes_of_their_own_has_no_error() {
    let text = member(0, "a").replace("[\"127.0.0.1:30002\"]", "[\"127.0.0.1:30002\", \"127.0.0.1:31002\"]");
    let findings = found(&[&text]);
    assert_eq!(errors(&findings), Vec::<String>::new());
    says(&findings, &["warning", "b1 is the uuid of no log service here; see that it runs in another process"]);
}

#[test]
fn a_store_that_joins_names_members_in_vain() {
    let text = founding(&format!("bootstrap-cluster = false\ninit-hakeeper-members = [\"131072:{FIRST}\"]"));
    says(&found(&[&text]), &["warning: 0.toml:6", "a store that joins founds nothing"]);
}

#[test]
fn the_directory_named_after_the_host() {
    says(&found(&["service-type = \"LOG\""]), &["warning: 0.toml: logservice.explicit-hostname: not set"]);
    says(&found(&[&FOUNDER.replace("\"a\"", "\"../a\"")]), &["error", "../a is no name of a directory"]);
}

#[test]
fn settings_that_do_nothing_here_are_told() {
    says(&found(&[&with("membership-immovable = true")]), &["warning: 0.toml:4", "here they stay what they are"]);
    silent(&found(&[&with("membership-immovable = false")]), "membership");
    says(&found(&[&with("is-non-voting = true")]), &["warning", "non-voting replicas lie on stores with a locality"]);
    says(&found(&["service-type = \"PROXY\""]), &["warning", "a PROXY service is not started"]);
}

#[test]
fn times_that_contradict_each_other() {
    let slow = with("logservice-heartbeat-interval = \"5m\"");
    says(&found(&[&slow]), &["error", "stores would count as lost between two reports"]);
    says(&found(&[&with("hakeeper-tick-interval = \"1s\"")]), &["warning", "do not make a second"]);
    says(&found(&[&founder("logservice.HAKeeperConfig", "tick-per-second = 5")]), &["warning", "do not make a second"]);
}

#[test]
fn zones_that_cannot_be_spanned() {
    says(&found(&[&founder("drydock", "zones-to-span = 1")]), &["error", "drydock.zone: commits must span zones"]);
    says(
        &found(&[&founder("drydock", "zones-to-span = 2\nzone = \"a\"")]),
        &["error", "1 replicas cannot span 2 zones"],
    );
    let three: Vec<String> = ["a", "b", "b"].iter().enumerate().map(|(at, zone)| member(at, zone)).collect();
    let three: Vec<&str> = three.iter().map(String::as_str).collect();
    says(&found(&three), &["error: 0.toml", "3 zones, and the voters stand in 2"]);
    assert_eq!(errors(&found(&three)).len(), 1, "{:?}", errors(&found(&three)));
}

/// One of three founders on one host.
fn member(at: usize, zone: &str) -> String {
    let uuid = |at: usize| format!("7c4dccb4-4d3c-41f8-b482-5251dc7a41b{at}");
    let members: Vec<String> = (0..3).map(|at| format!("\"{}:{}\"", 131_072 + at, uuid(at))).collect();
    format!(
        "service-type = \"LOG\"\n[logservice]\nuuid = \"{}\"\nexplicit-hostname = \"h\"\nraft-port = 3{at}000\n\
         logservice-port = 3{at}001\ngossip-port = 3{at}002\ngossip-seed-addresses = [\"127.0.0.1:30002\"]\n\
         [{B}]\nnum-of-log-shard-replicas = 3\ninit-hakeeper-members = [{}]\n[drydock]\nzone = \"{zone}\"\nzones-to-span = 3\n",
        uuid(at),
        members.join(", ")
    )
}

#[test]
fn founders_that_do_not_agree() {
    let (first, second) = (member(0, "a"), member(1, "b"));
    let other = second.replace(
        "num-of-log-shard-replicas = 3",
        "num-of-log-shard-replicas = 3\nbootstrap-cluster = true\nstandby-enabled = true",
    );
    says(
        &found(&[&first, &other]),
        &["error: 1.toml", "logservice.BootstrapConfig: differs from 0.toml", "founds another cluster"],
    );
    let other = second.replace("[logservice]", "[logservice]\ndeployment-id = 2");
    says(&found(&[&first, &other]), &["error: 1.toml", "the cluster differs from 0.toml"]);
    says(
        &found(&[LOG1, &LOG2.replace("standby-enabled = true", "")]),
        &["warning: 1.toml", "standby-enabled: differs from 0.toml"],
    );
}

#[test]
fn half_a_certificate_and_doors_without_any() {
    says(&found(&[&founder("drydock.tls", "cert = \"c\"")]), &["error: 0.toml:4: drydock.tls", "ca and key not set"]);
    says(
        &found(&[&founder("drydock", "sql-tls-cert = \"c\"")]),
        &["error", "sql-tls-cert and sql-tls-key go together"],
    );
    let cn = format!("{CN}\n[cn.frontend]\nenableTls = true\n");
    says(&found(&[&cn]), &["error", "TLS is on without a certificate"]);
    says(
        &found(&[LOG1, LOG2]),
        &["warning: 1.toml", "logservice-listen-address: 0.0.0.0:32011 is open to other hosts"],
    );
    silent(&found(&[LOG1]), "is open to other hosts");
    let safe = format!("{LOG2}\n[drydock.tls]\nca = \"a\"\ncert = \"b\"\nkey = \"c\"\n");
    silent(&found(&[LOG1, &safe]), "is open to other hosts");
}

#[test]
fn a_launch_lists_a_file_where_it_does_not_belong() {
    let service = |file: &str, text: &str| ServiceConfig::read(Source::new(file, "/srv"), text).value;
    let launch = |text: &str| Launch::read(Source::new("launch.toml", "/srv"), text).value;
    let both = launch(
        "logservices = [\"cn.toml\"]\ncnservices = [\"./cn.toml\"]\nproxy-services = [\"p\"]\n[dynamic]\nenable = true\n",
    );
    let findings = check_launch(&both, &[service("cn.toml", CN)]);
    says(
        &findings,
        &["error: cn.toml:1: service-type", "LOG service config \"cn.toml\" has service-type=CN, expected LOG"],
    );
    says(&findings, &["error: launch.toml:2: cnservices", "./cn.toml is listed twice"]);
    says(&findings, &["warning: launch.toml:3: proxy-services", "is not started by Drydock"]);
    says(&findings, &["warning: launch.toml:5: dynamic.enable"]);
    says(&check_launch(&launch(""), &[]), &["error: launch.toml: no service to start"]);
}
