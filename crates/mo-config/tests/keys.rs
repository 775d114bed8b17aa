//! Keys nobody knows, values of another kind, spellings: each with its file, line and what to write instead.

mod desk;

use desk::{FOUNDER, LOG2, errors, founder, read, says, silent};
use mo_config::{Cn, Launch, LogStore, Source, Weight, report};
use std::time::Duration;

#[test]
fn an_unknown_key_is_told_with_its_line_and_the_nearest() {
    let text = "service-type = \"LOG\"\n\n[logservice.BootstrapConfig]\nstandby-enable = true\n";
    let findings = read("log1.toml", text).1;
    let told =
        "error: log1.toml:4: logservice.BootstrapConfig.standby-enable: unknown key; did you mean standby-enabled?\n";
    assert_eq!(report(&findings), told);
}

#[test]
fn the_nearest_key_is_found_in_every_table() {
    for (table, line, hint) in [
        ("", "data_dir = \"x\"", "did you mean data-dir?"),
        ("log", "levl = \"info\"", "did you mean level?"),
        ("logservice", "raft-adress = \"a:1\"", "did you mean raft-address?"),
        ("logservice.rpc", "max-mesage-size = 1", "did you mean max-message-size?"),
        ("logservice.bootstrap-config", "x = 1", "did you mean BootstrapConfig?"),
        ("hakeeper-client", "discovery-adress = \"a:1\"", "did you mean discovery-address?"),
        ("cn.frontend", "prot = 1", "did you mean port?"),
        ("drydock.tls", "cer = \"x\"", "did you mean cert?"),
        ("tn", "port-bas = 1", "did you mean port-base?"),
    ] {
        says(&read("a.toml", &founder(table, line)).1, &["error: a.toml:", "unknown key", hint]);
    }
    let files = "[[fileservice]]\nname = \"LOCAL\"\n[[fileservice]]\nnam = \"STANDBY\"";
    says(&read("a.toml", &format!("{FOUNDER}{files}")).1, &["a.toml:7: fileservice[1].nam", "did you mean name?"]);
}

#[test]
fn a_key_in_the_wrong_table_is_told_its_own() {
    let findings = read("a.toml", &founder("logservice", "standby-enabled = true")).1;
    says(
        &findings,
        &["logservice.standby-enabled: unknown key", "did you mean logservice.BootstrapConfig.standby-enabled?"],
    );
}

#[test]
fn a_key_like_no_other_gets_no_hint() {
    says(&read("a.toml", &founder("", "zzzzqqq = 1")).1, &["zzzzqqq: unknown key; remove the line"]);
}

#[test]
fn keys_of_the_original_are_known_and_not_looked_at() {
    for (table, line) in [
        ("observability", "long-query-time = 1.0"),
        ("cn.frontend", "sessionTimeout = \"24h\""),
        ("cn.Txn.trace", "enable = true"),
        ("clock", "source = \"HLC\""),
        ("tn.Ckp", "flush-interval = \"60s\""),
        ("metacache", "memory-capacity = \"1GB\""),
    ] {
        assert_eq!(errors(&read("a.toml", &founder(table, line)).1), Vec::<String>::new(), "{table} {line}");
    }
}

#[test]
fn a_value_of_another_kind_is_told_what_is_expected() {
    for (table, line, expected) in [
        ("logservice", "deployment-id = \"1\"", "logservice.deployment-id: must be a whole number"),
        ("logservice", "deployment-id = -1", "logservice.deployment-id: must be a whole number"),
        ("logservice", "deployment-id = 99999999999999999999", "logservice.deployment-id: must be a whole number"),
        ("logservice", "raft-port = 70000", "must be a number from 0 to 65535"),
        ("logservice", "raft-address = \"32000\"", "logservice.raft-address: must be an address"),
        ("logservice", "gossip-seed-addresses = \"a:1\"", "must be a list of addresses"),
        ("logservice", "gossip-seed-addresses = [\"a\"]", "must be a list of addresses"),
        ("logservice", "truncate-interval = 10", "must be a time such as"),
        ("logservice", "truncate-interval = \"soon\"", "must be a time such as"),
        ("logservice", "logdb-max-log-file-size = \"64 bananas\"", "must be a number of bytes"),
        ("logservice.BootstrapConfig", "standby-enabled = \"true\"", "must be true or false, without quotes"),
        ("logservice.BootstrapConfig", "init-hakeeper-members = [1]", "must be a list of texts"),
        ("", "logservice = 1", "must be a table"),
        ("", "fileservice = 1", "must be written `[[fileservice]]`"),
        ("fileservice", "name = \"LOCAL\"", "must be written `[[fileservice]]`"),
        ("", "data-dir = 2026-01-01", "data-dir: must be a text in quotes"),
    ] {
        let text = if line.starts_with("logservice =") { line.to_owned() } else { founder(table, line) };
        says(&read("a.toml", &text).1, &["error: a.toml:", expected]);
    }
}

#[test]
fn times_and_sizes_are_read_as_the_original_reads_them() {
    for (text, millis) in [("5s", 5000), ("100ms", 100), ("2h", 7_200_000), ("1m30s", 90_000), ("1.5h", 5_400_000)] {
        let config = read("a.toml", &founder("logservice", &format!("truncate-interval = \"{text}\""))).0;
        assert_eq!(config.log_service.truncate_interval, Duration::from_millis(millis), "{text}");
    }
    let config = read("a.toml", &founder("logservice.rpc", "max-message-size = \"10MB\"")).0;
    assert_eq!(config.log_service.max_message, 10 << 20);
}

#[test]
fn text_that_is_no_toml_is_told_with_its_line_and_nothing_else() {
    let findings = read("a.toml", "service-type = \"LOG\"\n[logservice\nuuid = \"x\"\n").1;
    assert!(!findings.is_empty() && findings.iter().all(|one| one.what.contains("not valid TOML")), "{findings:?}");
    says(&findings, &["error: a.toml:2"]);
}

#[test]
fn two_spellings_of_a_table_are_one_and_of_a_value_a_contradiction() {
    let text = format!(
        "{FOUNDER}[LOGSERVICE.bootstrapconfig]\nBootstrap-Cluster = false\n[LogService.RPC]\nMax-Message-Size = 7\n"
    );
    let (config, findings) = read("a.toml", &text);
    assert_eq!(errors(&findings), Vec::<String>::new());
    assert_eq!((config.log_service.bootstrap.cluster, config.log_service.max_message), (false, 7));
    assert_eq!(config.log_service.explicit_hostname, "a");
    let twice = read("a.toml", &founder("logservice", "uuid = \"x\"\nUUID = \"y\"")).1;
    says(&twice, &["error: a.toml:5: logservice.UUID: stands here a second time: it is also in line 4"]);
    let both = "service-type = \"TN\"\n[tn]\nuuid = \"x\"\n[dn]\nuuid = \"y\"\n";
    says(&read("a.toml", both).1, &["two names of one table"]);
}

#[test]
fn dn_is_the_older_name_of_tn() {
    let text = "service-type = \"DN\"\n[dn]\nuuid = \"dd4dccb4-4d3c-41f8-b482-5251dc7a41bf\"\n";
    let (config, findings) = read("a.toml", text);
    assert_eq!((config.uuid(), findings.len()), ("dd4dccb4-4d3c-41f8-b482-5251dc7a41bf", 0));
}

#[test]
fn a_service_type_that_is_none_is_told_in_the_words_of_the_original() {
    says(
        &read("a.toml", "service-type = \"LOGS\"").1,
        &["error: a.toml:1: service-type: service type LOGS not support"],
    );
    says(&read("a.toml", "data-dir = \"x\"").1, &["service-type: service type", "write LOG, TN or CN"]);
}

#[test]
fn ports_supersede_addresses_and_listen_as_wide_as_they_are_told() {
    let text = founder(
        "logservice",
        "raft-address = \"h:1\"\nraft-listen-address = \"h:2\"\nraft-port = 7\nservice-host = \"db1\"\ngossip-address = \"h:3\"\ngossip-address-v2 = \"h:4\"",
    );
    let store = LogStore::of(&read("a.toml", &text).0, "a");
    assert_eq!((store.raft.advertised.as_str(), store.raft.listen.as_str()), ("db1:7", "0.0.0.0:7"));
    assert_eq!((store.gossip.advertised.as_str(), store.gossip.listen.as_str()), ("h:4", "h:4"));
    let here = LogStore::of(&read("a.toml", &founder("logservice", "raft-port = 7")).0, "a");
    assert_eq!((here.raft.advertised.as_str(), here.raft.listen.as_str()), ("127.0.0.1:7", "127.0.0.1:7"));
}

#[test]
fn our_own_table_is_read() {
    let text = founder(
        "drydock",
        "cluster-id = \"west\"\nzone = \"a\"\nzones-to-span = 1\n[drydock.tls]\nca = \"ca.pem\"\ncert = \"/c.pem\"\nkey = \"k.pem\"",
    );
    let (config, findings) = read("a.toml", &text);
    assert_eq!(errors(&findings), Vec::<String>::new());
    let store = LogStore::of(&config, "a");
    assert_eq!((store.cluster_id.as_str(), store.zone.as_str(), store.zones_to_span), ("west", "a", 1));
    let tls = store.tls.unwrap();
    assert_eq!((tls.ca.to_str(), tls.cert.to_str()), (Some("/srv/ca.pem"), Some("/c.pem")));
    let theirs = "service-type = \"CN\"\n[cn.frontend]\nenableTls = true\ntlsCertFile = \"c\"\ntlsKeyFile = \"k\"\nhost = \"0.0.0.0\"\n";
    let cn = Cn::of(&read("a.toml", theirs).0);
    assert_eq!((cn.sql.as_str(), cn.sql_tls.unwrap().cert.to_str()), ("0.0.0.0:6001", Some("/srv/c")));
}

#[test]
fn the_directory_bears_the_explicit_hostname() {
    let store = LogStore::of(&read("a.toml", FOUNDER).0, "other");
    assert!(store.data_dir.ends_with("a/00000000000000000001"), "{}", store.data_dir.display());
}

#[test]
fn s3_is_an_older_name_of_shared_and_paths_have_one_spelling() {
    let text =
        format!("{FOUNDER}[[fileservice]]\nname = \"s3\"\nbackend = \"disk\"\ndata-dir = \"./mo-data/../x/./y\"\n");
    let config = read("a.toml", &text).0;
    let shared = config.file_service("shared").unwrap();
    assert_eq!((shared.backend.as_str(), shared.data_dir.to_str()), ("DISK", Some("/srv/x/y")));
    assert_eq!(config.file_services.len(), 4);
}

#[test]
fn a_launch_is_read_with_the_same_care() {
    let text = "logservice = [\"a.toml\"]\nTNServices = [\"b.toml\"]\n[dynamic]\nenable = \"yes\"\n";
    let read = Launch::read(Source::new("launch.toml", "/srv"), text);
    says(&read.findings, &["launch.toml:1: logservice: unknown key; did you mean logservices?"]);
    says(&read.findings, &["launch.toml:4: dynamic.enable: must be true or false"]);
    assert_eq!(read.value.tn, ["b.toml"]);
}

#[test]
fn no_key_forges_a_line_of_the_report() {
    let findings = read("a.toml", "service-type = \"LOG\"\n\"x\\nerror: b.toml\" = 1\n").1;
    assert_eq!(report(&findings).lines().count(), 1);
    assert!(findings.iter().all(|one| one.weight == Weight::Error));
}

#[test]
fn comments_in_any_script_and_inside_values_are_read_over() {
    let (config, findings) = read("log2.toml", LOG2);
    silent(&findings, "error");
    assert_eq!(config.log_service.seeds.len(), 2);
}
