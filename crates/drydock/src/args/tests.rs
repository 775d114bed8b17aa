//! Defaults and spellings of the flags; the page about them leaves none out.

use super::{Cli, Command, TopologyFormat, command};
use api::WorkMode;
use types::Span;

fn read(line: &str) -> Cli {
    let words = std::iter::once("drydock").chain(line.split(' ')).map(Into::into).collect();
    Cli::read("drydock", words).unwrap_or_else(|error| panic!("{line}: {error}"))
}

#[test]
fn global_flags_stand_before_and_after() {
    for line in ["--dry-run --parallel 3 status", "status --dry-run --parallel 3", "--dry-run=true status --parallel=3"]
    {
        let globals = read(line).globals;
        assert_eq!((globals.dry_run, globals.parallel), (true, Some(3)), "{line}");
    }
    for line in ["status", "status --dry-run=false", "--dry-run=false status"] {
        assert!(!read(line).globals.dry_run, "{line}");
    }
}

#[test]
fn topology_has_the_seeds_defaults() {
    let Command::Topology(args) = read("topology --host h --user u").command else { panic!("topology") };
    assert_eq!((args.connect.port, args.max_depth, args.output_format), (3306, 10, TopologyFormat::Table));
}

#[test]
fn what_recycle_leaves_out_is_left_to_the_configuration() {
    let line = "recycle --host h --user u";
    let Command::Recycle(args) = read(line).command else { panic!("recycle") };
    let target = serde_json::from_str(r#"{"host": "h", "username": "u"}"#).expect("a target");
    let request = args.request(target, None, true);
    let expected = api::JobConfig { dry_run: Some(true), ..api::JobConfig::default() };
    assert_eq!(request.config, expected);
}

#[test]
fn every_flag_of_recycle_reaches_the_request() {
    let line = "recycle --host h --user u --database d --database e --table t --threshold-mb -1 --threshold-percent 2.5 \
                --mode binlog-on --exclude-primary=false --batch-size 0 --timeout 90s --scope fleet --max-lag 0.5";
    let Command::Recycle(args) = read(line).command else { panic!("recycle") };
    let target = serde_json::from_str(r#"{"host": "h", "username": "u"}"#).expect("a target");
    let config = args.request(target, Some(2), false).config;
    assert_eq!(config.databases, Some(vec!["d".to_owned(), "e".to_owned()]));
    assert_eq!((config.threshold_mb, config.threshold_percent), (Some(-1), Some(2.5)));
    assert_eq!((config.mode, config.exclude_primary), (Some(WorkMode::BinlogOn), Some(false)));
    assert_eq!((config.batch_size, config.timeout), (Some(0), Some(Span::from_secs(90))));
    assert_eq!((config.scope, config.parallel, config.max_lag), (Some(api::Scope::Fleet), Some(2), Some(0.5)));
}

#[test]
fn the_page_leaves_out_no_command_and_no_flag() {
    let page = include_str!("../../../../docs/cli.md");
    let mut all = command("drydock");
    all.build();
    for command in all.get_subcommands() {
        assert!(page.contains(command.get_name()), "{} is missing", command.get_name());
        for flag in command.get_arguments().filter_map(|argument| argument.get_long()).filter(|flag| *flag != "help") {
            assert!(
                page.contains(&format!("`--{flag}")) || page.contains(&format!(" --{flag} ")),
                "--{flag} is missing"
            );
        }
    }
}
