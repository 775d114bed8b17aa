//! Ctrl-C once, Ctrl-C twice, and a terminal that goes away, while a table is under way.

use crate::{fleet::Yard, pty::Terminal};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::process::Stdio;

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_cancels_and_says_so() {
    let yard = Yard::start().await;
    let before = yard.table().await;
    let reader = yard.reader().await;
    let mut terminal = Terminal::open(&yard.recycle_now());
    yard.becomes("running").await;
    terminal.keys("\x03");
    terminal.said("cancelling: the statement is killed and settings are restored").await;
    assert_eq!(terminal.ended().await, 130, "{}", terminal.screen());
    terminal.said("cancelled").await;
    terminal.assert_restored();
    assert_eq!(yard.status(), "cancelled");
    reader.close().await;
    yard.assert_untouched(&before).await;
}

/// The server stands still, so cancelling cannot come to its end; the second Ctrl-C does not wait for it.
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_twice_leaves_at_once_and_a_server_ends_the_job() {
    let yard = Yard::start().await;
    let before = yard.table().await;
    let reader = yard.reader().await;
    let mut terminal = Terminal::open(&yard.recycle_now());
    yard.becomes("running").await;
    let replica = Pid::from_raw(i32::try_from(yard.replica().pid().expect("it runs")).expect("a pid"));
    kill(replica, Signal::SIGSTOP).expect("it lives");
    terminal.keys("\x03");
    terminal.said("cancelling:").await;
    terminal.keys("\x03");
    assert_eq!(terminal.ended().await, 130, "{}", terminal.screen());
    for word in ["left while it was being cancelled", "may still run", "drydock server", "drydock status --job-id job-"]
    {
        terminal.said(word).await;
    }
    terminal.assert_restored();
    assert_eq!(yard.status(), "running", "nobody could end it yet");
    kill(replica, Signal::SIGCONT).expect("it lives");

    // As the text says: a server with the same configuration ends it.
    let mut server = yard.place.command("drydock");
    server.args(["server", "--port", "0"]).env("RECYCLER_DB_PASSWORD", testkit::PASSWORD);
    let mut server = server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the server starts");
    yard.becomes("cancelled").await;
    kill(Pid::from_raw(i32::try_from(server.id()).expect("a pid")), Signal::SIGTERM).expect("it lives");
    assert!(server.wait().expect("it ends").success());
    reader.close().await;
    yard.assert_untouched(&before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_is_closed_cancels_as_ctrl_c_does() {
    let yard = Yard::start().await;
    let before = yard.table().await;
    let reader = yard.reader().await;
    let mut terminal = Terminal::open(&yard.recycle_now());
    yard.becomes("running").await;
    terminal.close();
    terminal.ended().await;
    assert_eq!(yard.status(), "cancelled");
    reader.close().await;
    yard.assert_untouched(&before).await;
}
