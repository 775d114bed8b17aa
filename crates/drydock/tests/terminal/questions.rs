//! The password prompt and the question before a job.

use crate::{fleet::Yard, pty::Terminal};
use nix::sys::signal::{Signal, kill};
use testkit::PASSWORD;

fn topology(yard: &Yard) -> Terminal {
    let port = yard.replica().address().port.to_string();
    Terminal::run(&yard.place, &["topology", "--host", "127.0.0.1", "--port", &port, "--user", testkit::USER])
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_is_asked_for_and_not_shown() {
    let yard = Yard::start().await;
    let mut terminal = topology(&yard);
    terminal.shows(&format!("Password of {} at 127.0.0.1:", testkit::USER)).await;
    terminal.keys(&format!("{PASSWORD}\r"));
    assert_eq!(terminal.ended().await, 0, "{}", terminal.screen());
    terminal.said("replica").await;
    assert!(!terminal.raw().contains(PASSWORD), "{:?}", terminal.raw());
    terminal.assert_restored();

    let mut terminal = topology(&yard);
    terminal.shows("Password of").await;
    terminal.keys("not-the-password\r");
    assert_eq!(terminal.ended().await, 1);
    terminal.said("error 1002").await;
    terminal.said("next:").await;
    assert!(!terminal.raw().contains("not-the-password"), "{:?}", terminal.raw());
    terminal.assert_restored();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_that_is_left_ends_the_command_and_leaves_the_terminal_whole() {
    let yard = Yard::start().await;
    for key in ["\x03", "\x04", "\x1b"] {
        let mut terminal = topology(&yard);
        terminal.shows("Password of").await;
        terminal.keys(key);
        assert_eq!(terminal.ended().await, 130, "{key:?}: {}", terminal.screen());
        assert!(!terminal.raw().contains("error"), "{key:?}: {}", terminal.screen());
        terminal.assert_restored();
    }
    let mut terminal = topology(&yard);
    terminal.shows("Password of").await;
    kill(terminal.pid(), Signal::SIGTERM).expect("it lives");
    assert_eq!(terminal.ended().await, 130);
    terminal.assert_restored();
}

fn asked(yard: &Yard) -> Terminal {
    let mut command = yard.recycle(&[]);
    command.env("RECYCLER_DB_PASSWORD", PASSWORD);
    Terminal::open(&command)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_begins_before_yes() {
    let yard = Yard::start().await;
    let before = yard.table().await;
    for answer in ["n\r", "\r", "\x03", "\x04", "\x1b"] {
        let mut terminal = asked(&yard);
        terminal.shows("Rebuild these tables now?").await;
        terminal.keys(answer);
        assert_eq!(terminal.ended().await, 130, "{answer:?}: {}", terminal.screen());
        terminal.said("nothing was changed").await;
        terminal.assert_restored();
    }
    let mut terminal = asked(&yard);
    terminal.shows("Rebuild these tables now?").await;
    kill(terminal.pid(), Signal::SIGTERM).expect("it lives");
    assert_eq!(terminal.ended().await, 130);
    terminal.assert_restored();
    let mut terminal = asked(&yard);
    terminal.shows("Rebuild these tables now?").await;
    terminal.close();
    assert_eq!(terminal.ended().await, 130, "the window was closed");
    assert_eq!(yard.status(), "", "no job was made");
    yard.assert_untouched(&before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn yes_shows_the_plan_the_progress_and_the_report() {
    let yard = Yard::start().await;
    let before = yard.table().await;
    let mut terminal = asked(&yard);
    terminal.shows("Rebuild these tables now?").await;
    assert!(terminal.raw().contains("shop.orders") && terminal.raw().contains("sql_log_bin"), "{}", terminal.raw());
    terminal.keys("y\r");
    assert_eq!(terminal.ended().await, 0, "{}", terminal.screen());
    terminal.said("completed").await;
    terminal.assert_restored();
    let after = yard.table().await;
    assert!(after.0 < before.0 && after.1 == before.1, "{before:?} {after:?}");
}
