//! Watching on a terminal: all jobs above, the chosen one's tables below; q or Ctrl-C ends it.

mod draw;

use super::watch::Watch;
use crate::{app::App, signals::Interrupts};
use api::RecycleJob;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use std::{process::ExitCode, time::Duration};
use tokio::sync::mpsc;
use types::{Code, Failure};

/// How long the keyboard is waited for at a time, so that its thread ends soon after the screen.
const KEY_WAIT: Duration = Duration::from_millis(100);

/// What is on the screen.
#[derive(Debug, Default)]
pub struct View {
    /// Newest first.
    pub jobs: Vec<RecycleJob>,
    /// Index of the chosen one.
    pub chosen: usize,
    /// Why the last look failed; empty if it did not.
    pub trouble: String,
}

enum Act {
    Stay,
    End,
}

fn act(view: &mut View, key: KeyEvent) -> Act {
    match key.code {
        KeyCode::Char('q') | KeyCode::Esc => return Act::End,
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Act::End,
        KeyCode::Down | KeyCode::Char('j') => view.chosen += 1,
        KeyCode::Up | KeyCode::Char('k') => view.chosen = view.chosen.saturating_sub(1),
        _ => {}
    }
    view.chosen = view.chosen.min(view.jobs.len().saturating_sub(1));
    Act::Stay
}

/// Reads the keyboard on a thread of its own until nobody listens.
fn keys() -> mpsc::Receiver<Event> {
    let (sender, receiver) = mpsc::channel(16);
    tokio::task::spawn_blocking(move || {
        while !sender.is_closed() {
            let Ok(ready) = event::poll(KEY_WAIT) else { return };
            if ready && !event::read().is_ok_and(|event| sender.blocking_send(event).is_ok()) {
                return;
            }
        }
    });
    receiver
}

async fn refresh(view: &mut View, watch: &mut Watch) {
    match watch.look().await {
        Ok(jobs) => {
            view.trouble.clear();
            view.jobs = jobs;
        }
        Err(failure) => view.trouble = failure.to_string(),
    }
    view.chosen = view.chosen.min(view.jobs.len().saturating_sub(1));
}

/// Draws until told to end; the terminal is put back as it was, after a panic as well.
pub async fn run(app: &App, watch: Watch, every: Duration) -> Result<ExitCode, Failure> {
    let mut terminal = ratatui::try_init().map_err(|error| broken(&error))?;
    let outcome = watch_loop(app, watch, every, &mut terminal).await;
    ratatui::restore();
    outcome.map(|()| ExitCode::SUCCESS)
}

async fn watch_loop(
    app: &App,
    mut watch: Watch,
    every: Duration,
    terminal: &mut ratatui::DefaultTerminal,
) -> Result<(), Failure> {
    let (mut view, mut keys) = (View::default(), keys());
    // Without this a signal would end the program with the terminal still drawn on.
    let mut interrupts = Interrupts::listen_at_terminal()?;
    loop {
        tokio::select! {
            () = refresh(&mut view, &mut watch) => {}
            () = interrupts.next() => return Ok(()),
        }
        let due = app.clock.sleep(every);
        tokio::pin!(due);
        loop {
            terminal.draw(|frame| draw::view(frame, &view, app.clock.now())).map_err(|error| broken(&error))?;
            tokio::select! {
                () = &mut due => break,
                () = interrupts.next() => return Ok(()),
                event = keys.recv() => match event {
                    None => return Ok(()),
                    Some(Event::Key(key)) if key.kind == KeyEventKind::Press => {
                        if matches!(act(&mut view, key), Act::End) {
                            return Ok(());
                        }
                    }
                    Some(_) => {}
                },
            }
        }
    }
}

fn broken(error: &std::io::Error) -> Failure {
    let next = "take --output-format json, or send the output into a pipe";
    Failure::new(Code::InvalidArgument, format!("the terminal cannot be drawn on: {error}"), next)
}

#[cfg(test)]
mod tests;
