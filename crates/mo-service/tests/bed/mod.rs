//! A bed for `mo-service`: a folder to run it in, its process, and a client's view of it.

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    fs::{File, read_to_string},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

/// The ports of seed 004's files, and of the engine and the front beside them.
const PORTS: [u16; 7] = [32000, 32001, 32002, 32010, 32011, 32012, 6001];

/// A folder that `mo-service` is run in.
pub struct Site {
    folder: tempfile::TempDir,
    process: Option<Child>,
}

impl Site {
    /// With nothing in it.
    pub fn empty() -> Site {
        Site { folder: tempfile::tempdir().unwrap(), process: None }
    }

    /// With the files of seed 004; nothing if their ports are taken here.
    pub fn seed() -> Option<Site> {
        if let Some(port) = PORTS.iter().find(|port| TcpListener::bind(("0.0.0.0", **port)).is_err()) {
            eprintln!("skipped: port {port} of seed 004's files is taken");
            return None;
        }
        let site = Site::empty();
        let files = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../mo-config/tests/seed004");
        for name in ["launch.toml", "log1.toml", "log2.toml", "tn.toml", "cn.toml"] {
            site.file(&format!("etc/launch/{name}"), &read_to_string(files.join(name)).unwrap());
        }
        Some(site)
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    pub fn file(&self, below: &str, text: &str) {
        let path = self.path(below);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mo-service"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Runs it to its end: whether it was content, and what it said.
    pub fn run(&self, arguments: &[&str]) -> (bool, String) {
        let output = self.command(arguments).output().unwrap();
        let said = [output.stdout, output.stderr].map(|part| String::from_utf8_lossy(&part).into_owned()).concat();
        (output.status.success(), said)
    }

    fn said(&self) -> String {
        read_to_string(self.path("mo.log")).unwrap_or_default()
    }

    /// Starts the launch and waits until it is up.
    pub fn start(&mut self) {
        let log = || File::create(self.path("mo.log")).unwrap();
        let mut command = self.command(&["-launch", "etc/launch/launch.toml"]);
        self.process = Some(command.stdout(Stdio::null()).stderr(log()).spawn().unwrap());
        for _ in 0..300 {
            if self.said().contains("mo-service is up") {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("it does not start: {}", self.said());
    }

    pub fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
    }

    /// Ends it as an operator would.
    pub fn end(&mut self) -> ExitStatus {
        let mut process = self.process.take().unwrap();
        kill(Pid::from_raw(process.id().cast_signed()), Signal::SIGTERM).unwrap();
        process.wait().unwrap()
    }

    /// What a client is answered, as a table; tried again while there is nobody to answer.
    pub fn sql(&self, statement: &str) -> String {
        let mut said = String::new();
        for _ in 0..150 {
            let mut client = Command::new("mariadb");
            client.args(["--no-defaults", "-h127.0.0.1", "-P6001", "-uroot", "-p111", "-t", "-e", statement]);
            let output = client.output().unwrap();
            if output.status.success() {
                return String::from_utf8_lossy(&output.stdout).into_owned();
            }
            said = String::from_utf8_lossy(&output.stderr).into_owned();
            std::thread::sleep(Duration::from_millis(200));
        }
        panic!("{statement} {said}\n{}", self.said());
    }

    /// Waits until the answer has a text in it.
    pub fn has(&self, statement: &str, text: &str) {
        for _ in 0..300 {
            if self.sql(statement).contains(text) {
                return;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        panic!("{statement} never has {text}: {}", self.said());
    }

    /// Waits until a statement gives a table, but for what varies.
    pub fn until(&self, statement: &str, vary: &[&str], table: &str) {
        let mut came = String::new();
        for _ in 0..300 {
            came = self.sql(statement);
            if masked(&came, vary) == masked(table, vary) {
                return;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        assert_eq!(came, table, "{}", self.said());
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.kill();
        }
    }
}

/// A table whose columns of these names say nothing; their widths do not count either.
pub fn masked(table: &str, names: &[&str]) -> String {
    let rows = table.lines().filter(|line| line.starts_with('|'));
    let cells = rows.map(|line| line.split('|').map(str::trim).collect::<Vec<_>>()).collect::<Vec<_>>();
    let head = cells.first().cloned().unwrap_or_default();
    let mask = |row: &Vec<&str>| {
        let cell = |(column, text): (usize, &&str)| {
            let hidden = head.get(column).is_some_and(|name| names.contains(name));
            if hidden { "*".to_owned() } else { (*text).to_owned() }
        };
        row.iter().enumerate().map(cell).collect::<Vec<_>>().join("|")
    };
    cells.iter().map(mask).collect::<Vec<_>>().join("\n")
}
