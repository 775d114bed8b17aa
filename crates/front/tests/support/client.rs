//! The command-line clients as people type them.

use std::path::{Path, PathBuf};
use std::process::Output;
use tokio::process::Command;

/// A command-line client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    MariaDb,
    MySql,
}

/// Where `tools/unpack-mysql` put the current MySQL.
fn runner() -> PathBuf {
    let root = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.cache");
    std::env::var_os("DRYDOCK_CACHE").map_or_else(root, PathBuf::from).join("mysql/my")
}

impl Client {
    /// Those that are here; a missing one is named.
    pub fn available() -> Vec<Client> {
        let mysql = runner().exists();
        if !mysql {
            eprintln!(
                "the mysql client is not tried: tools/unpack-mysql has not put it under $DRYDOCK_CACHE or .cache"
            );
        }
        [Some(Client::MariaDb), mysql.then_some(Client::MySql)].into_iter().flatten().collect()
    }

    /// Types a statement; `arguments` come after those for host and port.
    pub async fn run(self, port: u16, arguments: &[&str], sql: &str) -> Output {
        let mut command = match self {
            Client::MariaDb => Command::new("mariadb"),
            Client::MySql => {
                let mut command = Command::new(runner());
                command.arg("mysql");
                command
            }
        };
        command.arg("--no-defaults").args(["-h127.0.0.1", &format!("-P{port}")]).args(arguments).args(["-e", sql]);
        command.output().await.expect("the client starts")
    }

    /// What it prints of tables, as `root` with the default password.
    pub async fn table(self, port: u16, sql: &str) -> String {
        printed(self.run(port, &["-uroot", "-p111", "-t"], sql).await)
    }

    /// What it says it was refused with.
    pub async fn refusal(self, port: u16, arguments: &[&str], sql: &str) -> String {
        let output = self.run(port, arguments, sql).await;
        assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        words.lines().filter(|line| line.starts_with("ERROR")).collect()
    }

    /// Arguments for TLS with a certificate nobody signed.
    pub fn over_tls(self) -> &'static [&'static str] {
        match self {
            Client::MariaDb => &["--ssl", "--skip-ssl-verify-server-cert"],
            Client::MySql => &["--ssl-mode=REQUIRED"],
        }
    }

    /// Arguments against TLS.
    pub fn in_clear(self) -> &'static [&'static str] {
        match self {
            Client::MariaDb => &["--skip-ssl"],
            Client::MySql => &["--ssl-mode=DISABLED"],
        }
    }
}

/// Standard output of a client that succeeded.
pub fn printed(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
