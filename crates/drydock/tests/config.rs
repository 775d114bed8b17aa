//! The configuration through the real program: what is wrong is said, what is secret is not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod support;

use support::Place;

#[test]
fn the_seeds_files_pass_the_check_as_they_stand() {
    for text in [include_str!("seed/config-4.1.yaml"), include_str!("seed/config-7.3.yaml")] {
        let ended = Place::with_config(text).run(&["config", "check"]);
        assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    }
}

#[test]
fn an_unknown_key_ends_every_command_with_its_line_and_the_nearest_key() {
    let place = Place::with_config("server:\n  prot: 8080\n");
    for arguments in [&["config", "check"][..], &["status"], &["server"], &["monitor"]] {
        let ended = place.run(arguments);
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.err.contains("error 1001"), "{ended:?}");
        assert!(ended.err.contains("config.yaml:2") && ended.err.contains("`server.port`"), "{ended:?}");
    }
    let body = place.run(&["status", "--format", "json"]).body();
    assert_eq!((&body["code"], &body["message"]), (&1001.into(), &"参数错误".into()));
    assert_eq!((&body["details"]["field"], &body["details"]["line"]), (&"server.prot".into(), &2.into()));
}

#[test]
fn broken_yaml_is_named_with_its_line() {
    let ended = Place::with_config("server:\n  port: 8080\n host: x\n").run(&["status"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("config.yaml:3: this is not valid YAML"), "{ended:?}");
}

#[test]
fn a_missing_default_file_is_fine_and_a_missing_named_one_is_not() {
    let place = Place::new();
    assert_eq!(place.run(&["config", "check"]).code, 0);
    let ended = place.run(&["--config", "there.yaml", "config", "check"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("there.yaml"), "{ended:?}");
    let output = place.command("drydock").args(["config", "check"]).env("RECYCLER_CONFIG_FILE", "x.yaml").output();
    assert_eq!(output.expect("the program starts").status.code(), Some(2));
}

#[test]
fn secrets_are_masked_wherever_the_configuration_comes_out() {
    let secret = "hunter2-hunter2";
    let text = format!(
        "database:\n  clusters:\n    - name: a\n      primary: {{host: h, username: u, password: {secret}}}\n\
         persistence:\n  store:\n    url: mysql://u:{secret}@h/d\nmonitoring:\n  alerts:\n    webhook_url: http://u:{secret}@h/\n"
    );
    let place = Place::with_config(&text);
    let ended = place.run(&["config", "view"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.out.contains("******") && !ended.out.contains(secret), "{}", ended.out);
    let wrong =
        Place::with_config(&text.replace("webhook_url: http://", "webhook_url: ftp://")).run(&["config", "check"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("webhook_url") && !wrong.err.contains(secret), "{wrong:?}");
}

#[test]
fn environment_and_flags_are_laid_over_the_file() {
    let place = Place::with_config("logging:\n  level: warn\n");
    let view = |arguments: &[&str]| {
        let mut command = place.command("drydock");
        let output = command.args(arguments).env("RECYCLER_SERVER_PORT", "9999").output().expect("the program starts");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let before = view(&["--log-level", "debug", "config", "view"]);
    let after = view(&["config", "view", "--log-level", "debug"]);
    assert!(before.contains("port: 9999") && before.contains("level: debug"), "{before}");
    assert_eq!(before, after, "global flags work before and after the command");
    assert!(view(&["config", "view"]).contains("level: warn"));
}

#[test]
fn two_ways_to_one_password_are_refused() {
    let text =
        "database:\n  clusters:\n    - name: a\n      primary: {host: h, username: u, password: x, password_env: Y}\n";
    let ended = Place::with_config(text).run(&["config", "check"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("database.clusters[a].primary.password"), "{ended:?}");
}
