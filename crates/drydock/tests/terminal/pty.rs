//! A real pseudo terminal with the program in it: keys go in, the screen is read as a person sees it.

use crate::support::Place;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::{
    io::{Read, Write},
    process::Command,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Rows and columns to begin with.
const SIZE: (u16, u16) = (30, 110);
/// A program may ask where the cursor is; a terminal answers.
const WHERE: &[u8] = b"\x1b[6n";

/// What came out so far.
struct Seen {
    screen: vt100::Parser,
    raw: Vec<u8>,
}

/// A terminal with one program in it, which is ended when this is dropped.
pub struct Terminal {
    master: Option<Box<dyn MasterPty + Send>>,
    child: Box<dyn Child + Send + Sync>,
    keys: Arc<Mutex<Box<dyn Write + Send>>>,
    seen: Arc<Mutex<Seen>>,
    closed: Arc<AtomicBool>,
    before: String,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn builder(command: &Command) -> CommandBuilder {
    let mut builder = CommandBuilder::new(command.get_program());
    builder.args(command.get_args());
    builder.cwd(command.get_current_dir().expect("a directory"));
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => builder.env(key, value),
            None => builder.env_remove(key),
        }
    }
    builder.env("TERM", "xterm-256color");
    builder
}

impl Terminal {
    /// Runs `drydock` with these arguments.
    pub fn run(place: &Place, arguments: &[&str]) -> Terminal {
        let mut command = place.command("drydock");
        command.args(arguments);
        Self::open(&command)
    }

    /// Runs a command.
    pub fn open(command: &Command) -> Terminal {
        let size = PtySize { rows: SIZE.0, cols: SIZE.1, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pseudo terminal");
        let before = settings(pair.master.as_ref());
        let child = pair.slave.spawn_command(builder(command)).expect("the program starts");
        drop(pair.slave);
        let mut output = pair.master.try_clone_reader().expect("its output");
        let keys = Arc::new(Mutex::new(pair.master.take_writer().expect("its keyboard")));
        let seen = Arc::new(Mutex::new(Seen { screen: vt100::Parser::new(SIZE.0, SIZE.1, 0), raw: Vec::new() }));
        let closed = Arc::new(AtomicBool::new(false));
        let (shown, answers, gone) = (Arc::clone(&seen), Arc::clone(&keys), Arc::clone(&closed));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                // This end holds the terminal open too; what draws gives it the next chance to let go.
                if gone.load(Ordering::Acquire) {
                    return;
                }
                let part = &bytes[..count];
                let mut seen = lock(&shown);
                seen.screen.process(part);
                seen.raw.extend_from_slice(part);
                if part.windows(WHERE.len()).any(|window| window == WHERE) {
                    let _ = lock(&answers).write_all(b"\x1b[1;1R");
                }
            }
        });
        Terminal { master: Some(pair.master), child, keys, seen, closed, before }
    }

    /// The screen as it stands.
    pub fn screen(&self) -> String {
        lock(&self.seen).screen.screen().contents()
    }

    /// Everything that ever came out.
    pub fn raw(&self) -> String {
        String::from_utf8_lossy(&lock(&self.seen).raw).into_owned()
    }

    /// Types.
    pub fn keys(&self, keys: &str) {
        let mut keyboard = lock(&self.keys);
        keyboard.write_all(keys.as_bytes()).and_then(|()| keyboard.flush()).expect("typed");
    }

    /// Waits until something has come out.
    pub async fn said(&self, text: &str) {
        self.until(text, |terminal| terminal.raw().contains(text)).await;
    }

    /// Waits until something stands on the screen.
    pub async fn shows(&self, text: &str) {
        self.until(text, |terminal| terminal.screen().contains(text)).await;
    }

    /// Waits for a state that must come.
    pub async fn until(&self, what: &str, state: impl Fn(&Self) -> bool) {
        for _ in 0..6000 {
            if state(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("`{what}` does not come; the screen:\n{}\nall:\n{:?}", self.screen(), self.raw());
    }

    /// Another size, as when a window is dragged.
    pub fn resize(&self, rows: u16, cols: u16) {
        lock(&self.seen).screen.screen_mut().set_size(rows, cols);
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        self.master.as_ref().expect("a terminal").resize(size).expect("resized");
    }

    /// The window is closed: the program loses its terminal as soon as it has drawn once more.
    pub fn close(&mut self) {
        self.closed.store(true, Ordering::Release);
        // The keyboard holds the terminal open as well.
        *lock(&self.keys) = Box::new(std::io::sink());
        self.master = None;
    }

    /// The program's process.
    pub fn pid(&self) -> nix::unistd::Pid {
        nix::unistd::Pid::from_raw(self.child.process_id().and_then(|id| i32::try_from(id).ok()).expect("a process"))
    }

    /// Waits for the program's end; its exit code.
    pub async fn ended(&mut self) -> u32 {
        for _ in 0..6000 {
            if let Some(status) = self.child.try_wait().expect("its state") {
                return status.exit_code();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it does not end; the screen:\n{}", self.screen());
    }

    /// The terminal is as the program found it: echo, lines, cursor, no drawing left.
    pub fn assert_restored(&self) {
        let now = settings(self.master.as_deref().expect("a terminal"));
        assert_eq!(now, self.before, "the terminal's settings were not put back");
        let seen = lock(&self.seen);
        assert!(!seen.screen.screen().alternate_screen(), "the drawing was left on the screen");
        assert!(!seen.screen.screen().hide_cursor(), "the cursor was left hidden");
    }
}

/// The terminal's settings, for comparing.
fn settings(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().expect("settings"))
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
