//! `monitor` as a live screen: draws, follows the window's size, ends well however it ends.

use crate::{fleet::Yard, pty::Terminal};
use nix::sys::signal::{Signal, kill};
use serde_json::Value;
use std::process::{Child, Stdio};

/// `recycle` in the background, waiting for the reader; ended when dropped.
struct Running(Child);

impl Running {
    async fn start(yard: &Yard) -> Running {
        let mut command = yard.recycle_now();
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        yard.becomes("running").await;
        Running(child)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn watch(yard: &Yard) -> Terminal {
    Terminal::run(&yard.place, &["monitor", "--refresh-interval", "200ms"])
}

#[tokio::test(flavor = "multi_thread")]
async fn the_screen_is_drawn_at_every_size_and_left_as_it_was() {
    let yard = Yard::start().await;
    let _reader = yard.reader().await;
    let _running = Running::start(&yard).await;
    let mut terminal = watch(&yard);
    for text in ["1 active", "job-", "running", "shop.orders", "TABLE", "FREED"] {
        terminal.shows(text).await;
    }
    for (rows, cols) in [(50, 160), (12, 60), (3, 10), (1, 1), (24, 80)] {
        terminal.resize(rows, cols);
        if rows > 20 {
            terminal
                .until("a screen of the new size", |terminal| {
                    terminal
                        .screen()
                        .lines()
                        .any(|line| line.chars().count() == usize::from(cols) && line.ends_with('┐'))
                })
                .await;
            terminal.shows("shop.orders").await;
        }
    }
    terminal.keys("jkjk\x1b[A\x1b[Bx");
    terminal.shows("1 active").await;
    terminal.keys("q");
    assert_eq!(terminal.ended().await, 0);
    terminal.assert_restored();
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_a_signal_and_a_closed_window_end_it_too() {
    let yard = Yard::start().await;
    let mut terminal = watch(&yard);
    terminal.shows("no active jobs").await;
    terminal.keys("\x03");
    assert_eq!(terminal.ended().await, 0);
    terminal.assert_restored();

    let mut terminal = watch(&yard);
    terminal.shows("no active jobs").await;
    kill(terminal.pid(), Signal::SIGTERM).expect("it lives");
    assert_eq!(terminal.ended().await, 0);
    terminal.assert_restored();

    let mut terminal = watch(&yard);
    terminal.shows("no active jobs").await;
    terminal.close();
    terminal.ended().await;
}

/// The store is a server of its own and dies: the screen says so, stays alive, and recovers when it is back.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_goes_away_is_said_and_q_still_works() {
    let mut yard = Yard::start().await;
    yard.fleet.primary().run(&["CREATE DATABASE drydock"]).await;
    let port = yard.fleet.primary().address().port;
    let url = format!("mysql://{}:{}@127.0.0.1:{port}/drydock", testkit::USER, testkit::PASSWORD);
    let config = format!("persistence:\n  store:\n    url: {url}\n");
    std::fs::write(yard.place.directory.path().join("config.yaml"), config).expect("written");
    let mut terminal = watch(&yard);
    terminal.shows("no active jobs").await;
    yard.fleet.servers[0].kill();
    terminal.shows("job store").await;
    assert!(!terminal.raw().contains(testkit::PASSWORD), "{}", terminal.screen());
    yard.fleet.servers[0].restart().await;
    terminal.shows("0 active").await;
    terminal.keys("q");
    assert_eq!(terminal.ended().await, 0);
    terminal.assert_restored();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_terminal_it_speaks_in_lines_or_json() {
    let yard = Yard::start().await;
    let reader = yard.reader().await;
    let running = Running::start(&yard).await;
    for (format, begins) in [("table", "20"), ("json", "{")] {
        let mut command = yard.place.command("drydock");
        command.args(["monitor", "--refresh-interval", "200ms", "--output-format", format]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let mut line = String::new();
        let mut output = std::io::BufReader::new(child.stdout.take().expect("its output"));
        std::io::BufRead::read_line(&mut output, &mut line).expect("a line");
        assert!(line.starts_with(begins) && line.contains("running") && line.contains("job-"), "{line:?}");
        assert!(!line.contains('\x1b'), "{line:?}");
        if format == "json" {
            let update: Value = serde_json::from_str(&line).expect("an object on a line of its own");
            assert_eq!(update["type"], "job_update");
        }
        let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).expect("a pid"));
        kill(pid, Signal::SIGTERM).expect("it lives");
        assert!(child.wait().expect("it ends").success());
    }
    drop(running);
    reader.close().await;
}
