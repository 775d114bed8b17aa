//! The seed's two files read as they stand; what is wrong is said with key, line and nearest key.

use super::{Config, ConfigError, Flags, Lookup, load, parse};
use std::{ffi::OsString, path::Path};
use types::{Address, Failure, Span};

const SEED_FULL: &str = include_str!("../../tests/seed/config-4.1.yaml");
const SEED_PRODUCTION: &str = include_str!("../../tests/seed/config-7.3.yaml");

fn wrong(text: &str) -> ConfigError {
    parse(Path::new("config.yaml"), text).expect_err(text)
}

fn nothing(_: &str) -> Option<OsString> {
    None
}

#[test]
fn the_full_example_of_the_seed_reads_as_it_stands() {
    let file = parse(Path::new("config.yaml"), SEED_FULL).expect("seed 4.1");
    assert_eq!((file.server.host.as_str(), file.server.port), ("0.0.0.0", 8080));
    assert_eq!(file.server.idle_timeout, Span::from_secs(120));
    assert_eq!((file.logging.max_size, file.logging.max_age), (100, 30));
    assert_eq!(file.database.clusters[0].name, "prod-cluster");
    assert_eq!(file.database.clusters[0].primary.password.expose(), "password");
    assert_eq!(file.monitoring.metrics.retention, Span::from_secs(7 * 86_400));
    assert_eq!(file.monitoring.alerts.enabled, Some(true));
    assert_eq!(file.persistence.job_state.file, Path::new("./data/jobs.json"));
}

#[test]
fn the_production_example_of_the_seed_reads_as_it_stands() {
    let file = parse(Path::new("config.yaml"), SEED_PRODUCTION).expect("seed 7.3");
    assert_eq!(file.database.defaults.timeout, Span::from_secs(30));
    assert_eq!((file.recycling.defaults.threshold_mb, file.recycling.defaults.batch_size), (500, 10));
    assert_eq!(file.recycling.concurrency.queue_size, 200);
    assert_eq!(file.recycling.defaults.timeout, Span::from_secs(3600));
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest() {
    let text = "server:\n  host: \"127.0.0.1\"\n  prot: 8080\n";
    let error = wrong(text);
    let expected = ConfigError::UnknownKey {
        path: "config.yaml".into(),
        line: 3,
        key: "server.prot".to_owned(),
        nearest: Some("server.port".to_owned()),
    };
    assert_eq!(error, expected);
    let failure = Failure::from(error);
    assert_eq!(failure.code.number(), 1001);
    assert!(failure.detail("next").contains("server.port"), "{failure:?}");
}

#[test]
fn an_unknown_key_in_a_list_and_at_the_top_is_found_too() {
    let list = "database:\n  clusters:\n    - name: a\n      primary:\n        host: h\n        usrname: u\n";
    let ConfigError::UnknownKey { line: 6, key, nearest, .. } = wrong(list) else { panic!("{:?}", wrong(list)) };
    assert_eq!(key, "database.clusters.primary.usrname");
    assert_eq!(nearest.as_deref(), Some("database.clusters.primary.username"));
    let top = "# a note: with a colon\n\nloging:\n  level: info\n";
    let ConfigError::UnknownKey { line: 3, key, nearest, .. } = wrong(top) else { panic!("{:?}", wrong(top)) };
    assert_eq!((key.as_str(), nearest.as_deref()), ("loging", Some("logging")));
}

#[test]
fn broken_yaml_has_a_line_number() {
    for (text, line) in
        [("server:\n  port: 8080\n host: x\n", 3), ("server:\n  host: \"x\n", 3), ("database:\n  clusters: [\n", 3)]
    {
        let error = wrong(text);
        let ConfigError::Syntax { line: found, .. } = error else { panic!("{text}: {error:?}") };
        assert!(found.abs_diff(line) <= 1, "{text}: {error:?}");
    }
}

#[test]
fn a_wrong_value_is_named_with_key_and_line() {
    let cases = [
        ("server:\n  port: 70000\n", "server.port", 2),
        ("server:\n  port: many\n", "server.port", 2),
        ("server:\n  read_timeout: soon\n", "server.read_timeout", 2),
        ("server:\n  request_timeout: 0s\n", "server.request_timeout", 2),
        ("logging:\n  level: loud\n", "logging.level", 2),
        ("logging:\n  compress: perhaps\n", "logging.compress", 2),
        ("recycling:\n  defaults:\n    threshold_mb: -1\n", "recycling.defaults.threshold_mb", 3),
        ("recycling:\n  defaults:\n    threshold_percent: 101\n", "recycling.defaults.threshold_percent", 3),
        ("recycling:\n  defaults:\n    batch_size: 0\n", "recycling.defaults.batch_size", 3),
        ("recycling:\n  defaults:\n    mode: binlog\n", "recycling.defaults.mode", 3),
        ("recycling:\n  window:\n    start: late\n    end: 06:00\n", "recycling.window.start", 3),
        ("recycling:\n  regrowth_after: 5s\n", "recycling.regrowth_after", 2),
        ("recycling:\n  budget:\n    bytes_per_hour: 0\n", "recycling.budget.bytes_per_hour", 3),
        ("recycling:\n  budget:\n    bytes_per_hour: 50 GB\n", "recycling.budget.bytes_per_hour", 3),
        ("recycling:\n  budget:\n    bytes_per_hour: 99999999999T\n", "recycling.budget.bytes_per_hour", 3),
        ("recycling:\n  budget:\n    bytes_per_hour: -5\n", "recycling.budget.bytes_per_hour", 3),
        ("recycling:\n  budget:\n    minutes_per_day: 1441\n", "recycling.budget.minutes_per_day", 3),
        ("recycling:\n  heartbeat:\n    table: heartbeat\n", "recycling.heartbeat.table", 3),
        ("recycling:\n  heartbeat:\n    table: a.b.c\n", "recycling.heartbeat.table", 3),
        ("database:\n  discovery:\n    guess_ports: [70000]\n", "database.discovery.guess_ports", 3),
        ("monitoring:\n  metrics:\n    interval: 0s\n", "monitoring.metrics.interval", 3),
    ];
    for (text, expected_key, expected_line) in cases {
        let error = wrong(text);
        let ConfigError::Value { line, key, reason, .. } = &error else { panic!("{text}: {error:?}") };
        assert_eq!((key.as_str(), *line), (expected_key, expected_line), "{reason}");
    }
}

#[tokio::test]
async fn each_limit_of_the_door_has_its_key() {
    let text = "server:\n  read_timeout: 1s\n  write_timeout: 2s\n  idle_timeout: 3s\n  request_timeout: 4m\n";
    let values = parse(Path::new("config.yaml"), text).expect("limits");
    let http = Config { values, ..loaded(&Flags::default(), &nothing) }.http().await.expect("an address");
    let limits = [http.read_timeout, http.write_timeout, http.idle_timeout, http.request_timeout];
    assert_eq!(limits.map(|limit| limit.as_secs()), [1, 2, 3, 240]);
    let failure = Failure::from(wrong("server:\n  request_timout: 4m\n"));
    assert!(failure.detail("next").contains("server.request_timeout"), "{failure:?}");
}

#[test]
fn a_size_has_a_unit_or_is_bytes() {
    let of = |size: &str| {
        let text = format!("recycling:\n  budget:\n    bytes_per_hour: {size}\n    minutes_per_day: 90\n");
        let values = parse(Path::new("config.yaml"), &text).expect("a budget");
        let config = Config { values, ..loaded(&Flags::default(), &nothing) };
        config.settings(&nothing).expect("settings").budget
    };
    for (size, bytes) in
        [("4096", 4096), ("\"4096\"", 4096), ("7K", 7 << 10), ("500M", 500 << 20), ("50G", 50 << 30), ("2T", 2 << 40)]
    {
        assert_eq!((of(size).bytes_per_hour, of(size).minutes_per_day), (Some(bytes), Some(90)), "{size}");
    }
}

fn loaded(flags: &Flags, lookup: Lookup<'_>) -> Config {
    load(flags, lookup).expect("loads")
}

#[test]
fn flag_beats_environment_beats_file_beats_default() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("c.yaml");
    std::fs::write(&path, "server:\n  port: 1001\nlogging:\n  level: warn\n").expect("written");
    let mut flags = Flags { config: Some(path.clone()), ..Flags::default() };
    let environment = |key: &str| match key {
        "RECYCLER_SERVER_PORT" => Some(OsString::from("1002")),
        "RECYCLER_LOG_LEVEL" => Some(OsString::from("error")),
        _ => None,
    };
    assert_eq!(loaded(&flags, &nothing).values.server.port, 1001);
    assert_eq!(loaded(&flags, &environment).values.server.port, 1002);
    flags.port = Some(1003);
    let config = loaded(&flags, &environment);
    assert_eq!((config.values.server.port, config.values.logging.level.as_str()), (1003, "error"));
    assert_eq!(config.values.logging.max_backups, 5);
    assert_eq!(config.path, Some(path));
}

#[test]
fn a_heartbeat_is_in_utc_unless_it_says_otherwise() {
    let read = |utc: &str| {
        let text = format!("recycling:\n  heartbeat:\n    table: percona.heart-beat\n{utc}");
        let values = parse(Path::new("config.yaml"), &text).expect("it reads");
        let written = serde_json::to_value(&values).expect("JSON");
        assert_eq!(
            written["recycling"]["heartbeat"]["table"], "percona.heart-beat",
            "`config view` shows it as written"
        );
        let config = Config { values, path: None, password: None };
        config.settings(&nothing).expect("settings").heartbeat.expect("a heartbeat")
    };
    let heartbeat = read("");
    assert_eq!((heartbeat.table.database.as_str(), heartbeat.table.table.as_str()), ("percona", "heart-beat"));
    assert!(heartbeat.utc && !read("    utc: false\n").utc);
}

#[test]
fn members_are_written_as_text_or_in_parts() {
    let cluster = |members: &str| {
        format!("database:\n  clusters:\n  - name: a\n    primary: {{host: h, username: u}}\n    members: {members}\n")
    };
    let read = |text: &str| parse(Path::new("config.yaml"), text).expect(text);
    let mut values = read(&cluster("['b:3307', '[::1]:3306', {host: c, port: 1}, {host: d}]"));
    let wanted = [("b", 3307), ("::1", 3306), ("c", 1), ("d", 3306)].map(|(host, port)| Address::new(host, port));
    assert_eq!(values.database.clusters[0].members, wanted);
    assert!(read(&cluster("[]")).database.clusters[0].members.is_empty());
    for broken in ["[b]", "['b:0']", "['b:many']", "[{host: c, prot: 1}]", "[{port: 1}]"] {
        wrong(&cluster(broken));
    }
    values.database.discovery =
        read("database:\n  discovery: {ignore_users: [cdc], guess_ports: [3307]}\n").database.discovery;
    let settings = Config { values, path: None, password: None }.settings(&nothing).expect("settings");
    assert_eq!(settings.clusters[0].members, wanted);
    assert_eq!((settings.discovery.ignore_users, settings.discovery.guess_ports), (vec!["cdc".to_owned()], vec![3307]));
}

#[test]
fn a_token_s_groups_are_a_list_or_not_there() {
    let token =
        |groups: &str| format!("auth:\n  tokens:\n  - {{name: a, role: viewer, sha256: {}{groups}}}\n", "a".repeat(64));
    let group = "database:\n  clusters:\n  - {name: a, primary: {host: h, username: u}, group: north}\n";
    let settings = |groups: &str| {
        let text = token(groups) + group;
        let values = parse(Path::new("config.yaml"), &text).expect(&text);
        Config { values, path: None, password: None }.settings(&nothing).expect("settings")
    };
    let told = settings(", groups: [north, south]");
    assert_eq!(told.clusters[0].group.as_deref(), Some("north"));
    assert_eq!(told.tokens[0].groups, Some(vec!["north".to_owned(), "south".to_owned()]));
    assert_eq!(settings("").tokens[0].groups, None);
    for empty in [", groups: []", ", groups: ", ", groups: ~"] {
        assert!(settings(empty).check().is_err(), "an empty list is not everything: {empty}");
    }
    wrong(&token(", groups: north"));
}

#[test]
fn a_named_file_must_be_there() {
    let flags = Flags { config: Some("/nowhere/c.yaml".into()), ..Flags::default() };
    assert!(matches!(load(&flags, &nothing), Err(ConfigError::Unreadable { .. })));
    let environment = |key: &str| (key == "RECYCLER_CONFIG_FILE").then(|| OsString::from("/nowhere/d.yaml"));
    assert!(matches!(load(&Flags::default(), &environment), Err(ConfigError::Unreadable { .. })));
}

#[test]
fn a_wrong_environment_variable_is_named() {
    let environment = |key: &str| (key == "RECYCLER_SERVER_PORT").then(|| OsString::from("http"));
    let error = load(&Flags::default(), &environment).expect_err("no port");
    assert!(error.to_string().contains("RECYCLER_SERVER_PORT"), "{error}");
}

fn keys(value: &serde_json::Value, found: &mut Vec<String>) {
    if let serde_json::Value::Object(map) = value {
        for (key, below) in map {
            found.push(key.clone());
            keys(below, found);
        }
    }
}

#[test]
fn the_page_leaves_out_no_key() {
    let page = include_str!("../../../../docs/config.md");
    let mut found = Vec::new();
    keys(&serde_json::to_value(super::ConfigFile::default()).expect("JSON"), &mut found);
    found.extend(
        [
            "cert",
            "key",
            "tls_ca",
            "webhook_url",
            "url",
            "url_env",
            "password_file",
            "password_env",
            "window",
            "budget",
            "bytes_per_hour",
            "minutes_per_day",
            "heartbeat",
            "members",
            "group",
            "groups",
        ]
        .map(String::from),
    );
    for key in found {
        let written = page.split('`').any(|code| code.split(['.', ',', ' ', '[']).any(|part| part == key));
        assert!(written, "{key} is missing");
    }
}
