//! Several real processes fill one log, and some are killed: no line is lost, none is there twice, every archive is whole.

use super::Roller;
use crate::config::Logging;
use flate2::read::GzDecoder;
use std::{
    collections::BTreeMap,
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Set in the writing process: the log.
const LOG: &str = "DRYDOCK_TEST_LOG";
/// And its name in the lines.
const NAME: &str = "DRYDOCK_TEST_LOG_NAME";
const PROCESSES: usize = 4;
const LINES: usize = 4000;

fn logging(file: PathBuf) -> Logging {
    Logging { file, max_size: 1, max_backups: 100, compress: true, ..Logging::default() }
}

/// Not a test of its own: what the test below starts.
#[test]
fn writer() {
    let Some(file) = std::env::var_os(LOG).map(PathBuf::from) else { return };
    let name = std::env::var(NAME).unwrap();
    let mut roller = Roller::open(&logging(file)).unwrap();
    for n in 0..LINES {
        roller.write_all(format!("{name} {n} {}\n", "x".repeat(300)).as_bytes()).unwrap();
    }
    roller.flush().unwrap();
}

fn start(file: &Path, name: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "log::roll::tests::writer", "--nocapture"]).env(LOG, file).env(NAME, name);
    command.stdout(Stdio::null()).spawn().unwrap()
}

fn size(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

/// Every file of the log, unpacked.
fn texts(folder: &Path) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        let mut text = String::new();
        let mut file = std::fs::File::open(entry.path()).unwrap();
        if entry.path().extension().is_some_and(|end| end == "gz") {
            GzDecoder::new(file).read_to_string(&mut text).unwrap_or_else(|error| panic!("{name}: {error}"));
        } else {
            file.read_to_string(&mut text).unwrap();
        }
        all.push((name, text));
    }
    all
}

/// The numbers each writer's whole lines bear, in any order. Every other line is the one that a killed writer broke off in.
fn lines(folder: &Path, mut killed: usize) -> BTreeMap<String, Vec<usize>> {
    let mut found: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (file, text) in texts(folder) {
        for line in text.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            if words.len() != 3 || words[2].len() != 300 {
                let of_a_victim = line.starts_with("victim") || "victim".starts_with(line);
                assert!(of_a_victim && words.len() <= 3 && killed > 0, "{file}: {line}");
                killed -= 1;
                continue;
            }
            found.entry(words[0].to_owned()).or_default().push(words[1].parse().unwrap());
        }
    }
    for numbers in found.values_mut() {
        numbers.sort_unstable();
    }
    found
}

#[test]
fn several_processes_share_one_log() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("r.log");
    let mut writers: Vec<Child> = (0..PROCESSES).map(|n| start(&file, &format!("w{n}"))).collect();
    assert!(writers.iter_mut().all(|writer| writer.wait().unwrap().success()));
    let found = lines(folder.path(), 0);
    let all: Vec<usize> = (0..LINES).collect();
    for n in 0..PROCESSES {
        let numbers = found.get(&format!("w{n}")).map(Vec::as_slice).unwrap_or_default();
        assert!(numbers == all, "w{n}: {} of {LINES} lines", numbers.len());
    }
    let names: Vec<String> = texts(folder.path()).into_iter().map(|(name, _)| name).collect();
    assert!(names.contains(&"r.log.3.gz".to_owned()), "{names:?}");
    assert!(!names.iter().any(|name| name.contains("pending")), "{names:?}");
}

#[test]
fn a_killed_one_leaves_no_gap_and_nothing_undone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("r.log");
    let mut survivor = start(&file, "survivor");
    for n in 0..6 {
        let mut victim = start(&file, &format!("victim{n}"));
        // Killed as soon as something moves in the folder: often in the middle of filing.
        let before = size(folder.path());
        while size(folder.path()) == before && victim.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        victim.kill().unwrap();
        victim.wait().unwrap();
    }
    assert!(survivor.wait().unwrap().success());
    // The next start files what the dead left.
    drop(Roller::open(&logging(file)).unwrap());
    for (writer, mut numbers) in lines(folder.path(), 6) {
        // One killed between giving a file its place and removing what it was made of leaves both.
        if writer.starts_with("victim") || numbers.len() > LINES {
            numbers.dedup();
        }
        assert_eq!(numbers, (0..numbers.len()).collect::<Vec<_>>(), "{writer}");
        assert!(writer != "survivor" || numbers.len() == LINES, "{}", numbers.len());
    }
    let names: Vec<String> = texts(folder.path()).into_iter().map(|(name, _)| name).collect();
    assert!(!names.iter().any(|name| name.contains("pending")), "{names:?}");
}

#[test]
fn a_line_broken_off_by_a_kill_stays_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("r.log");
    std::fs::write(&file, "broken o").unwrap();
    let mut roller = Roller::open(&logging(file.clone())).unwrap();
    roller.write_all(b"whole\n").unwrap();
    roller.write_all(b"next\n").unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "broken o\nwhole\nnext\n");
}

#[test]
fn only_so_many_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("r.log");
    for (compress, last) in [(false, "r.log.2"), (true, "r.log.1.gz")] {
        let logging = Logging { max_backups: 2, compress, ..logging(file.clone()) };
        let mut roller = Roller::open(&logging).unwrap();
        for _ in 0..5 {
            roller.write_all(&vec![b'x'; 600_000]).unwrap();
        }
        drop(roller);
        let mut names: Vec<String> = texts(folder.path()).into_iter().map(|(name, _)| name).collect();
        names.sort();
        assert!(names.len() == 3 && names.contains(&last.to_owned()), "{names:?}");
    }
}
