//! The real program beside the fleet: its server, its commands, its REST door.

use crate::tell::{mib, say};
use serde_json::{Value, json};
use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tempfile::TempDir;
use testkit::{Fleet, PASSWORD, USER};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// A running server; it ends with this.
pub struct Door {
    /// Where the page is.
    pub url: String,
    home: TempDir,
    client: reqwest::Client,
    _server: Child,
}

/// The program built beside this one, or `$DRYDOCK_BIN`; it ends when the demonstration does, however that ends.
fn drydock(home: &Path) -> Command {
    let beside = || std::env::current_exe().expect("the demo's own path").with_file_name("drydock");
    let program = std::env::var_os("DRYDOCK_BIN").map_or_else(beside, PathBuf::from);
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", "--"]).arg(program);
    command.current_dir(home).env("RECYCLER_DB_PASSWORD", PASSWORD).stdin(Stdio::null());
    command
}

/// Thresholds near zero: the demonstration's tables are small.
fn config(fleet: &Fleet) -> String {
    let address = fleet.primary().address();
    format!(
        "server:\n  host: 127.0.0.1\n  port: 0\n\
         database:\n  clusters:\n    - name: demo\n      primary:\n        host: {}\n        port: {}\n        \
         username: {USER}\n        password_env: RECYCLER_DB_PASSWORD\n\
         recycling:\n  defaults:\n    threshold_mb: 1\n    threshold_percent: 5\n\
         monitoring:\n  metrics:\n    interval: 2s\n",
        address.host, address.port
    )
}

impl Door {
    /// Starts the server on a free port, the fleet's primary configured as cluster `demo`.
    pub async fn open(fleet: &Fleet) -> Door {
        let home = tempfile::Builder::new().prefix("drydock-demo-").tempdir().expect("a directory");
        std::fs::write(home.path().join("config.yaml"), config(fleet)).expect("the configuration can be written");
        let mut command = drydock(home.path());
        command.arg("server").stdout(Stdio::piped()).kill_on_drop(true);
        let mut server = command.spawn().expect("the server starts");
        let mut lines = BufReader::new(server.stdout.take().expect("its output")).lines();
        let said = lines.next_line().await.expect("its output can be read").unwrap_or_default();
        let url = said.strip_prefix("listening on ").unwrap_or_else(|| panic!("the server said: {said}")).to_owned();
        Door { url, home, client: reqwest::Client::new(), _server: server }
    }

    /// Runs a command of the tool as it would be typed, its output shown.
    pub async fn command(&self, arguments: &[&str]) {
        let mut command = drydock(self.home.path());
        let output = command.args(arguments).output().await.expect("the program starts");
        String::from_utf8_lossy(&output.stdout).lines().for_each(say);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Asks for the job on the primary, which covers its replicas, and follows it to its end.
    pub async fn recycle(&self, fleet: &Fleet) -> Value {
        let address = fleet.primary().address();
        let target = json!({"host": address.host, "port": address.port, "username": USER, "password": PASSWORD});
        let body = json!({"target": target, "config": {"mode": "binlog-off", "exclude_primary": true}});
        let request = self.client.post(format!("{}/api/v1/recycle/jobs", self.url)).json(&body);
        let created = answer(request).await;
        let id = created["job_id"].as_str().expect("a job id").to_owned();
        let mut last = String::new();
        loop {
            let job = answer(self.client.get(format!("{}/api/v1/recycle/jobs/{id}", self.url))).await;
            show(&job, &mut last);
            match job["status"].as_str() {
                Some("pending" | "running") => tokio::time::sleep(Duration::from_millis(200)).await,
                _ => return job,
            }
        }
    }
}

/// `data` of the envelope.
async fn answer(request: reqwest::RequestBuilder) -> Value {
    let response = request.send().await.expect("the server answers");
    let body: Value = response.json().await.expect("a JSON answer");
    assert_eq!(body["code"], 0, "{body}");
    body["data"].clone()
}

/// A line per table: when the one under way changes, and at the end.
fn show(job: &Value, last: &mut String) {
    let progress = &job["progress"];
    let current = progress["current_table"].as_str().unwrap_or_default();
    let status = job["status"].as_str().unwrap_or_default();
    let key = format!("{status} {current}");
    if *last == key || (current.is_empty() && status == "running") {
        return;
    }
    let percent = progress["percentage"].as_f64().unwrap_or_default();
    let freed = job["statistics"]["space_freed_bytes"].as_i64().unwrap_or_default();
    let line =
        format!("{} {percent:5.1}%  freed {:>10}  {key}", job["job_id"].as_str().unwrap_or_default(), mib(freed));
    say(if std::io::stdout().is_terminal() { &line } else { line.trim_end() });
    *last = key;
}
