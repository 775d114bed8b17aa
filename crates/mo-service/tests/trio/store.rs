//! One of three stores: its file, its process, what lies in its folder.

use super::{NAMES, SHARD};
use log_server::{Entry, Owner, RealDisk, ReplicaLog, SegmentOptions};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    fs::{File, OpenOptions, read_dir},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

/// The number of the cluster `deployment-1`.
const CLUSTER: u128 = 0x6d18_7e3e_c9dc_7662_01d6_ab8c_1f1f_ba57;

/// A store that may run.
pub struct Store {
    at: usize,
    folder: PathBuf,
    /// Its own door for clients, with nothing before it.
    pub door: String,
    process: Option<Child>,
}

fn quoted(texts: impl Iterator<Item = String>) -> String {
    texts.map(|text| format!("\"{text}\"")).collect::<Vec<_>>().join(", ")
}

impl Store {
    /// Writes its file: where it listens, and what it tells the others to call.
    pub fn new(folder: &Path, at: usize, listen: &[String; 3], told: &[Vec<String>]) -> Store {
        let gossips = quoted(told.iter().map(|doors| doors[2].clone()));
        let services = quoted(told.iter().map(|doors| doors[1].clone()));
        let members = quoted(NAMES.iter().enumerate().map(|(at, name)| format!("{}:{name}", 131_072 + at)));
        let own = &told[at];
        let text = format!(
            "service-type = \"LOG\"\ndata-dir = \"store{at}\"\n\n\
             [logservice]\nuuid = \"{}\"\nexplicit-hostname = \"host\"\nlogdb-max-log-file-size = \"4MB\"\n\
             raft-address = \"{}\"\nraft-listen-address = \"{}\"\n\
             logservice-address = \"{}\"\nlogservice-listen-address = \"{}\"\n\
             gossip-address = \"{}\"\ngossip-listen-address = \"{}\"\ngossip-seed-addresses = [{gossips}]\n\n\
             [logservice.BootstrapConfig]\nnum-of-log-shard-replicas = 3\ninit-hakeeper-members = [{members}]\n\n\
             [hakeeper-client]\nservice-addresses = [{services}]\n",
            NAMES[at], own[0], listen[0], own[1], listen[1], own[2], listen[2],
        );
        std::fs::write(folder.join(format!("log{at}.toml")), text).unwrap();
        Store { at, folder: folder.to_owned(), door: listen[1].clone(), process: None }
    }

    fn log_file(&self) -> PathBuf {
        self.folder.join(format!("store{}.log", self.at))
    }

    /// All its processes said.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.log_file()).unwrap_or_default()).into_owned()
    }

    /// The last lines of it.
    pub fn last_said(&self) -> String {
        let said = self.said();
        let lines: Vec<&str> = said.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    /// Starts it, if it does not run, and waits until it is up; what it said if it ends instead.
    pub fn start(&mut self) -> Result<(), String> {
        if self.process.as_mut().is_some_and(|process| matches!(process.try_wait(), Ok(None))) {
            return Ok(());
        }
        let log = OpenOptions::new().create(true).append(true).open(self.log_file()).unwrap();
        let before = self.said().len();
        let mut command = Command::new(env!("CARGO_BIN_EXE_mo-service"));
        command.args(["-cfg", &format!("log{}.toml", self.at)]).current_dir(&self.folder);
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        for _ in 0..1500 {
            let said = self.said().split_off(before);
            if said.contains("mo-service is up") {
                self.process = Some(process);
                return Ok(());
            }
            if process.try_wait().unwrap().is_some() {
                return Err(self.said().split_off(before));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = (process.kill(), process.wait());
        Err(format!("nothing in half a minute: {}", self.said().split_off(before)))
    }

    /// Ends it without a word.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = (process.kill(), process.wait());
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(process) = &self.process {
            let _ = kill(Pid::from_raw(process.id().cast_signed()), signal);
        }
    }

    /// Stands still, as a machine that is paused.
    pub fn freeze(&self) {
        self.signal(Signal::SIGSTOP);
    }

    pub fn thaw(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// Whether it ended by itself.
    pub fn fell(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| !matches!(process.try_wait(), Ok(None)))
    }

    /// The folder of its copy of the log, and the number of that copy.
    fn copy(&self) -> (PathBuf, u64) {
        let data = self.folder.join(format!("store{}/logservice-data/{}/host/{:020}", self.at, NAMES[self.at], 1));
        let folders = read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let shard = format!("shard-{SHARD}-");
        let name = folders.into_iter().find(|name| name.starts_with(&shard)).unwrap();
        let replica = name[shard.len()..].parse().unwrap();
        (data.join(name), replica)
    }

    /// The segment under way, and the end of what is written in it.
    pub fn last_segment(&self) -> (PathBuf, u64) {
        let folder = self.copy().0;
        let names = read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let path = names.filter(|path| path.extension().is_some_and(|kind| kind == "segment")).max().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last as u64 + 1);
        (path, end)
    }

    /// Entries of its copy from a place on, as they lie in its files, up to what it knows to be agreed on. It must not run.
    pub fn entries(&self, from: u64) -> Vec<Entry> {
        let (folder, replica) = self.copy();
        let owner = Owner { cluster: CLUSTER, shard: SHARD, replica };
        let options = SegmentOptions { length: 4 << 20, ..SegmentOptions::default() };
        let log = ReplicaLog::open(Arc::new(RealDisk), &folder, owner, options).unwrap();
        log.entries(from, log.promise().commit + 1, usize::MAX).unwrap()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Changes bytes of a file.
pub fn overwrite(path: &Path, place: u64, bytes: &[u8]) {
    OpenOptions::new().write(true).open(path).unwrap().write_all_at(bytes, place).unwrap();
}

/// Bytes of a file.
pub fn bytes_at(path: &Path, place: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    File::open(path).unwrap().read_exact_at(&mut bytes, place).unwrap();
    bytes
}
