//! The wire to a headless Chromium: `DevTools` messages over its debugging pipe, so no port is opened and no driver is needed.

use serde_json::{Value, json};
use std::{
    collections::HashMap,
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::oneshot,
};

/// Where Debian puts it.
pub(super) const PROGRAM: &str = "/usr/bin/chromium";

/// No window, no sandbox (tests run as root), and no word to anyone but the page.
const FLAGS: [&str; 14] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--lang=en-GB",
    "--remote-debugging-pipe",
];

#[derive(Default)]
struct Heard {
    waiting: HashMap<u64, oneshot::Sender<Value>>,
    events: Vec<Value>,
}

/// A running browser and the pipe to it; killed when dropped.
pub(super) struct Pipe {
    child: Child,
    to: ChildStdin,
    next: u64,
    heard: Arc<Mutex<Heard>>,
}

impl Pipe {
    /// Starts a browser with a profile of its own. Chromium reads descriptor 3 and writes 4, hence the shell.
    pub(super) fn start(profile: &Path) -> Pipe {
        let mut command = Command::new("sh");
        command.args(["-c", r#"exec "$0" "$@" 3<&0 4>&1 0</dev/null 1>/dev/null 2>/dev/null"#, PROGRAM]);
        command.args(FLAGS).arg(format!("--user-data-dir={}", profile.display())).arg("about:blank");
        command.env("HOME", profile).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("the browser starts");
        let to = child.stdin.take().expect("a pipe to the browser");
        let from = child.stdout.take().expect("a pipe from the browser");
        let heard = Arc::new(Mutex::new(Heard::default()));
        tokio::spawn(listen(from, heard.clone()));
        Pipe { child, to, next: 0, heard }
    }

    /// Calls a method, of the page if a session is given, and waits for its result; panics on its refusal.
    pub(super) async fn call(&mut self, session: Option<&str>, method: &str, params: Value) -> Value {
        self.next += 1;
        let (answer, waiting) = oneshot::channel();
        self.heard.lock().expect("no panic in the reader").waiting.insert(self.next, answer);
        let mut message = json!({ "id": self.next, "method": method, "params": params });
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.to.write_all(&bytes).await.expect("the browser listens");
        let mut answer = waiting.await.unwrap_or_else(|_| panic!("the browser died during {method}"));
        assert!(answer.get("error").is_none(), "{method}: {}", answer["error"]);
        answer["result"].take()
    }

    /// Every event so far whose method begins with one of `kinds`.
    pub(super) fn events(&self, kinds: &[&str]) -> Vec<Value> {
        let heard = self.heard.lock().expect("no panic in the reader");
        let wanted = |event: &&Value| kinds.iter().any(|kind| event["method"].as_str().unwrap_or("").starts_with(kind));
        heard.events.iter().filter(wanted).cloned().collect()
    }

    /// Forgets the events so far.
    pub(super) fn forget(&self) {
        self.heard.lock().expect("no panic in the reader").events.clear();
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let _ = self.child.start_kill();
    }
}

/// Sorts what comes: results to who asked, events to the heap. Ends, and with it every wait, when the browser does.
async fn listen(from: ChildStdout, heard: Arc<Mutex<Heard>>) {
    let mut messages = BufReader::new(from).split(0);
    while let Ok(Some(bytes)) = messages.next_segment().await {
        let Ok(message) = serde_json::from_slice::<Value>(&bytes) else { continue };
        let mut heard = heard.lock().expect("no panic elsewhere");
        match message["id"].as_u64() {
            Some(id) => {
                if let Some(waiting) = heard.waiting.remove(&id) {
                    let _ = waiting.send(message);
                }
            }
            None => heard.events.push(message),
        }
    }
    heard.lock().expect("no panic elsewhere").waiting.clear();
}
