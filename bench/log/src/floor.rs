//! What nothing can be faster than: the disk alone, and the way over loopback alone.

use crate::load::{Seen, micros};
use runtime::Clock;
use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::FileExt,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

/// Bytes of an answer.
const ANSWER: usize = 16;

/// A file of zeros that are on disk.
fn zeros(path: &Path, mib: u64) -> File {
    let mut file = File::create_new(path).unwrap();
    let block = vec![0; 1 << 20];
    for _ in 0..mib {
        file.write_all(&block).unwrap();
    }
    file.sync_all().unwrap();
    OpenOptions::new().write(true).open(path).unwrap()
}

/// One write after the other into a file whose blocks are there, each with `fdatasync`.
pub fn sync(folder: &Path, payload: &[u8], times: u64) -> Seen {
    let mib = (payload.len() as u64 * times).div_ceil(1 << 20);
    let (path, clock) = (folder.join("zeros"), Clock::real());
    let (file, start, mut seen) = (zeros(&path, mib), clock.instant(), Vec::new());
    for number in 0..times {
        let began = clock.instant();
        file.write_all_at(payload, number * payload.len() as u64).unwrap();
        file.sync_data().unwrap();
        seen.push(micros(began));
    }
    std::fs::remove_file(path).unwrap();
    Seen::of(seen, clock.since(start))
}

/// MiB a second of 1 MiB writes, each with `fdatasync`: appended, or into a file whose blocks are there.
pub fn stream(folder: &Path, mib: u64, allocated: bool) -> f64 {
    let (path, clock, payload) = (folder.join("stream"), Clock::real(), crate::place::noise(1 << 20));
    let file = zeros(&path, if allocated { mib } else { 0 });
    let begun = clock.instant();
    for number in 0..mib {
        file.write_all_at(&payload, number << 20).unwrap();
        file.sync_data().unwrap();
    }
    let rate = mib as f64 / clock.since(begun).as_secs_f64();
    std::fs::remove_file(path).unwrap();
    rate
}

/// The other end of [`hop`], in a process of its own: so many bytes as it is told, and a short answer.
pub fn echo() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_nodelay(true).unwrap();
    let mut length = [0; 8];
    stream.read_exact(&mut length).unwrap();
    let mut bytes = vec![0; usize::try_from(u64::from_le_bytes(length)).unwrap()];
    while stream.read_exact(&mut bytes).is_ok() {
        stream.write_all(&bytes[..ANSWER]).unwrap();
    }
}

/// There and back over loopback between two processes that do nothing else.
pub fn hop(payload: &[u8], times: u64) -> Seen {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let mut child = command.arg("echo").stdout(Stdio::piped()).spawn().unwrap();
    let mut port = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
    let mut stream = TcpStream::connect(format!("127.0.0.1:{}", port.trim())).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.write_all(&(payload.len() as u64).to_le_bytes()).unwrap();
    let (clock, mut seen) = (Clock::real(), Vec::new());
    for _ in 0..times {
        let (began, mut answer) = (clock.instant(), [0; ANSWER]);
        stream.write_all(payload).unwrap();
        stream.read_exact(&mut answer).unwrap();
        seen.push(micros(began));
    }
    drop(stream);
    child.wait().unwrap();
    Seen::of(seen, Duration::from_secs(1))
}
