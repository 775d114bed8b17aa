//! Help, completions, manual pages and version of both programs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod support;

use support::{Ended, PROGRAMS, Place};

#[test]
fn every_help_text_is_as_it_was_agreed() {
    let place = Place::new();
    for command in
        ["", "topology", "recycle", "monitor", "status", "server", "cancel", "config", "token new", "recycle approve"]
    {
        let mut arguments: Vec<&str> = command.split_whitespace().collect();
        arguments.push("--help");
        let ended = place.run(&arguments);
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{command}");
        let name = if command.is_empty() { "drydock".to_owned() } else { command.replace(' ', "-") };
        insta::assert_snapshot!(name, ended.out);
    }
}

#[test]
fn both_programs_offer_the_same() {
    let place = Place::new();
    for command in ["topology", "recycle", "monitor", "status", "server"] {
        let [ours, seeds] = PROGRAMS.map(|program| {
            let output = place.command(program).args([command, "-h"]).output().expect("the program starts");
            let ended = Ended::of(output);
            assert_eq!(ended.code, 0, "{ended:?}");
            assert!(ended.out.contains(&format!("Usage: {program} {command}")), "{}", ended.out);
            ended.out.replace(program, "drydock")
        });
        assert_eq!(ours, seeds);
    }
}

#[test]
fn completions_and_manual_pages_are_made_for_the_name_called_by() {
    let place = Place::new();
    for program in PROGRAMS {
        for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
            let output = place.command(program).args(["completions", shell]).output().expect("the program starts");
            let ended = Ended::of(output);
            assert_eq!(ended.code, 0, "{ended:?}");
            assert!(ended.out.contains(program) && ended.out.contains("threshold-mb"), "{program} {shell}");
        }
        let output = place.command(program).args(["man", "--directory", "man"]).output().expect("the program starts");
        assert!(output.status.success());
        let page = place.read(&format!("man/{program}-recycle.1"));
        assert!(page.contains(".TH") && page.contains("exclude\\-primary"), "{page}");
    }
    assert!(place.run(&["man"]).out.contains(".SH NAME"));
}

#[test]
fn the_version_is_the_packages() {
    let place = Place::new();
    assert_eq!(place.run(&["version"]).out.trim(), format!("drydock {}", env!("CARGO_PKG_VERSION")));
    let json: serde_json::Value = serde_json::from_str(&place.run(&["version", "--format", "json"]).out).expect("JSON");
    assert_eq!(json["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_token_is_new_each_time_and_its_entry_lets_itself_be_read() {
    let place = Place::new();
    let [first, second] = [0, 1].map(|_| place.run(&["token", "new", "--name", "o'brien: x", "--role", "admin"]).out);
    assert_ne!(first, second);
    let entry = first.split("\n\n").nth(1).expect("an entry");
    let place = Place::with_config(entry);
    let ended = place.run(&["config", "check"]);
    assert_eq!(ended.code, 0, "{ended:?}");
}
