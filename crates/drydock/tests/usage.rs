//! Command lines that cannot be read, and logs that cannot be written.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod support;

use support::Place;

#[test]
fn a_wrong_command_line_is_usage_and_in_json_a_body() {
    let place = Place::new();
    let wrong = [
        (&["recycle", "--host", "h", "--user", "u", "--mode", "binlog"][..], "binlog-off"),
        (&["recycle", "--host", "h", "--user", "u", "--timeout", "soon"], "30s"),
        (&["topology", "--user", "u"], "--host"),
        (&["topology", "--hots", "h"], "--host"),
        (&["monitor", "--output-format", "xml"], "table"),
        (&["statsu"], "status"),
        (&["--parallel", "0", "status"], "1"),
    ];
    for (arguments, hint) in wrong {
        let ended = place.run(arguments);
        assert_eq!(ended.code, 2, "{arguments:?} {ended:?}");
        assert!(ended.err.contains(hint) && ended.out.is_empty(), "{arguments:?} {ended:?}");
    }
    let body = place.run(&["recycle", "--output-format", "json", "--mode", "x"]).body();
    assert_eq!(body["code"], 1001);
    assert!(body["details"]["error"].as_str().is_some_and(|error| error.contains("--mode")), "{body}");
}

#[test]
fn a_log_that_cannot_be_written_is_said_once_and_stops_nothing() {
    let place = Place::new();
    std::fs::write(place.directory.path().join("file"), "").expect("written");
    let ended = place.run(&["status", "--log-file", "file/below/it.log"]);
    assert_eq!((ended.code, ended.out.trim()), (0, "No jobs."), "{ended:?}");
    assert_eq!(ended.err.matches("no log is kept").count(), 1, "{ended:?}");
}

#[test]
fn the_log_is_made_with_its_directories() {
    let place = Place::new();
    assert_eq!(place.run(&["status"]).code, 0);
    assert!(place.directory.path().join("logs/recycling.log").exists());
    assert!(!place.directory.path().join("data").exists(), "a look makes no store");
    assert_eq!(place.run(&["status", "--log-file", "a/b/c.log"]).code, 0);
    assert!(place.directory.path().join("a/b/c.log").exists());
}

#[test]
fn an_unknown_job_is_1006() {
    let place = Place::new();
    for arguments in [&["status", "--job-id", "job-20240101-001"][..], &["cancel", "job-20240101-001"]] {
        let ended = place.run(arguments);
        assert_eq!(ended.code, 1, "{ended:?}");
        assert!(ended.err.contains("error 1006") && ended.err.contains("job-20240101-001"), "{ended:?}");
        let mut json = arguments.to_vec();
        json.extend(["--format", "json"]);
        let ended = place.run(&json);
        assert_eq!((ended.code, &ended.body()["code"]), (1, &1006.into()));
    }
}

#[test]
fn nothing_to_watch_is_said_and_ends() {
    let place = Place::new();
    let ended = place.run(&["monitor", "--refresh-interval", "5s", "--output-format", "table"]);
    assert_eq!((ended.code, ended.out.trim()), (0, "No active jobs."), "{ended:?}");
    let ended = place.run(&["monitor", "--output-format", "json"]);
    let line: serde_json::Value = serde_json::from_str(&ended.out).expect("one JSON line");
    assert_eq!((ended.code, &line["type"], &line["active_jobs"]), (0, &"idle".into(), &0.into()));
}

#[test]
fn a_bind_that_others_can_reach_needs_a_token() {
    for arguments in [&["server", "--host", "0.0.0.0", "--port", "0"][..], &["server", "--host", "::", "--dry-run"]] {
        let ended = Place::new().run(arguments);
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.err.contains("auth.tokens"), "{ended:?}");
    }
    let ended = Place::with_config(include_str!("seed/config-7.3.yaml")).run(&["server", "--log-file", "r.log"]);
    assert_eq!(ended.code, 2, "the seed's own file binds 0.0.0.0: {ended:?}");
}
