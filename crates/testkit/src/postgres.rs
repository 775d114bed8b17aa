//! A private PostgreSQL, for the job store's tests only.

use crate::{PASSWORD, USER, port::free_port};
use std::{
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;

/// A running cluster on a free loopback port, gone when dropped. The account is [`USER`] with [`PASSWORD`].
pub struct Postgres {
    port: u16,
    directory: TempDir,
    child: Option<Child>,
}

/// Where the distribution keeps the server programs; the newest release wins.
fn programs() -> Option<PathBuf> {
    let releases = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let mut found: Vec<PathBuf> = releases.map(|release| release.path().join("bin")).collect();
    found.retain(|bin| bin.join("postgres").exists() && bin.join("initdb").exists());
    found.sort_by_key(|bin| {
        let release = bin.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        release.and_then(|name| name.parse::<u32>().ok())
    });
    found.pop()
}

/// Runs `program` as an account it does not refuse, and ends it with us: PostgreSQL will not run as root.
fn command(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    if nix::unistd::Uid::current().is_root() {
        let user = nix::unistd::User::from_name("postgres").ok().flatten().expect("the account `postgres` exists");
        let (uid, gid) = (user.uid.to_string(), user.gid.to_string());
        command.args(["--reuid", &uid, "--regid", &gid, "--clear-groups"]);
    }
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

impl Postgres {
    /// Whether it can be had here.
    pub fn is_available() -> bool {
        programs().is_some()
    }

    /// Makes a cluster, starts it, and waits until it takes connections.
    pub async fn start() -> Postgres {
        let directory = tempfile::Builder::new().prefix("drydock-pg-").tempdir().expect("a temporary directory");
        let mut server = Postgres { port: 0, directory, child: None };
        server.initialise();
        for _ in 0..5 {
            server.port = free_port();
            if server.launch().await {
                return server;
            }
        }
        panic!("PostgreSQL does not start; its log:\n{}", server.log());
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn initialise(&self) {
        let secret = self.directory.path().join("password");
        std::fs::write(&secret, PASSWORD).expect("the password file can be written");
        // The account the server runs as makes its data directory here and reads the password.
        std::fs::set_permissions(self.directory.path(), PermissionsExt::from_mode(0o777)).expect("it is ours");
        let output = command(&programs().expect("PostgreSQL is installed").join("initdb"))
            .args(["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--username", USER])
            .arg(format!("--pwfile={}", secret.display()))
            .arg(self.data())
            .current_dir(self.directory.path())
            .output()
            .expect("initdb starts");
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
    }

    async fn launch(&mut self) -> bool {
        let log = std::fs::File::create(self.log_path()).expect("a log file can be made");
        let child = command(&programs().expect("PostgreSQL is installed").join("postgres"))
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off"])
            .args(["-p", &self.port.to_string(), "-D"])
            .arg(self.data())
            .current_dir(self.directory.path())
            .stderr(log)
            .spawn()
            .expect("postgres starts");
        self.child = Some(child);
        for _ in 0..600 {
            if self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(Some(_)))) {
                return false;
            }
            // It opens its port before it can serve; its log says when it can.
            let listening = TcpStream::connect(("127.0.0.1", self.port)).is_ok();
            if listening && self.log().contains("ready to accept connections") {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        false
    }

    /// URL of a database of that name, which is made.
    pub fn database(&self, name: &str) -> String {
        let output = Command::new(programs().expect("PostgreSQL is installed").join("createdb"))
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", USER, "--", name])
            .env("PGPASSWORD", PASSWORD)
            .output()
            .expect("createdb starts");
        assert!(output.status.success(), "createdb: {}", String::from_utf8_lossy(&output.stderr));
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/{name}", self.port)
    }

    fn log_path(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    /// The server's own log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // SIGQUIT: at once, but its shared memory is given back, which a SIGKILL would leave behind.
            let pid = i32::try_from(child.id()).map(nix::unistd::Pid::from_raw);
            let _ = pid.map(|pid| nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGQUIT));
            let _ = child.wait();
        }
    }
}
