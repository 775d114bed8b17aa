//! The screen is drawn on a test terminal; keys move the choice and end it.

use super::{Act, View, act, draw};
use api::{JobStatus, RecycleJob};
use ratatui::{
    Terminal,
    backend::TestBackend,
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
};

fn job(id: &str, status: JobStatus) -> RecycleJob {
    let text = format!(
        r#"{{"job_id": "{id}", "status": "{}", "created_at": "2026-01-01T10:00:00Z",
        "config": {{"target": {{"host": "db1", "port": 3306, "username": "u"}}, "mode": "binlog-off",
            "threshold_mb": 100, "threshold_percent": 10.0, "exclude_primary": true, "batch_size": 5, "timeout": "1h"}},
        "progress": {{"total_tables": 4, "processed_tables": 1, "failed_tables": 0, "percentage": 47.5,
            "current_table": "db1:3306 shop.orders", "phase": "rebuilding"}},
        "statistics": {{"space_freed_mb": 12, "space_freed_bytes": 12582912, "time_elapsed": "00:00:10",
            "estimated_remaining": "00:00:12", "tables_processed": [{{"node": "db1:3306", "database": "shop",
            "table": "orders", "state": "running", "file_bytes": 1048576, "predicted_freed_bytes": 524288,
            "predicted_low_bytes": 1, "predicted_high_bytes": 2, "data_free_bytes": 0, "method": "sql"}}]}}}}"#,
        status.as_str()
    );
    serde_json::from_str(&text).expect("a job")
}

fn drawn(view: &View) -> String {
    let mut terminal = Terminal::new(TestBackend::new(110, 24)).expect("a terminal");
    let now = "2026-01-01T10:00:10Z".parse().expect("a moment");
    terminal.draw(|frame| draw::view(frame, view, now)).expect("drawn");
    terminal.backend().to_string()
}

#[test]
fn a_running_job_is_shown_with_its_tables() {
    let view = View { jobs: vec![job("job-20260101-001", JobStatus::Running)], ..View::default() };
    let shown = drawn(&view);
    for text in ["1 active", "job-20260101-001", "47.5%", "12.0 MiB", "shop.orders", "rebuilding", "512.0 KiB"] {
        assert!(shown.contains(text), "{text} is missing:\n{shown}");
    }
}

#[test]
fn an_empty_screen_says_so() {
    assert!(drawn(&View::default()).contains("no active jobs"));
}

#[test]
fn keys_choose_and_end() {
    let press = |code| KeyEvent::new(code, KeyModifiers::NONE);
    let jobs = vec![job("job-20260101-002", JobStatus::Running), job("job-20260101-001", JobStatus::Failed)];
    let mut view = View { jobs, ..View::default() };
    for (code, chosen) in [(KeyCode::Down, 1), (KeyCode::Down, 1), (KeyCode::Up, 0), (KeyCode::Up, 0)] {
        assert!(matches!(act(&mut view, press(code)), Act::Stay));
        assert_eq!(view.chosen, chosen);
    }
    assert!(matches!(act(&mut view, press(KeyCode::Char('q'))), Act::End));
    assert!(matches!(act(&mut view, KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)), Act::End));
}
