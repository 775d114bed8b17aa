//! The screen itself: a pure function from what is watched to cells.

use super::View;
use crate::output::{bytes, clean, seconds};
use api::{JobStatus, RecycleJob, TableResult, TableState};
use jiff::Timestamp;
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Modifier, Style},
    text::Line,
    widgets::{Block, Cell, Gauge, Paragraph, Row, Table, TableState as Selection},
};

/// Draws everything.
pub fn view(frame: &mut Frame, view: &View, now: Timestamp) {
    let height = u16::try_from(view.jobs.len()).unwrap_or(u16::MAX).clamp(1, 10) + 3;
    let parts = [Constraint::Length(1), Constraint::Length(height), Constraint::Length(3), Constraint::Min(3)];
    let [title, jobs, gauge, tables] = Layout::vertical(parts).areas(frame.area());
    frame.render_widget(Line::from(headline(view, now)), title);
    self::jobs(frame, jobs, view);
    if let Some(job) = view.jobs.get(view.chosen) {
        self::gauge(frame, gauge, job);
        self::tables(frame, tables, job);
    }
}

fn headline(view: &View, now: Timestamp) -> String {
    if !view.trouble.is_empty() {
        return format!("{now:.0}  {}  (q ends)", clean(&view.trouble));
    }
    let active = view.jobs.iter().filter(|job| !job.status.is_final()).count();
    format!("{now:.0}  {active} active  (q ends, up and down choose)")
}

fn color(status: JobStatus) -> Color {
    match status {
        JobStatus::Pending => Color::Yellow,
        JobStatus::Running => Color::Cyan,
        JobStatus::Completed => Color::Green,
        JobStatus::Failed => Color::Red,
        JobStatus::Cancelled => Color::DarkGray,
    }
}

fn jobs(frame: &mut Frame, area: Rect, view: &View) {
    let block = Block::bordered().title("jobs");
    if view.jobs.is_empty() {
        return frame.render_widget(Paragraph::new("no active jobs").block(block), area);
    }
    let widths = [
        Constraint::Length(18),
        Constraint::Length(10),
        Constraint::Length(7),
        Constraint::Length(9),
        Constraint::Length(11),
        Constraint::Length(9),
        Constraint::Min(10),
    ];
    let head = Row::new(["JOB", "STATUS", "DONE", "TABLES", "FREED", "LEFT", "TARGET"]);
    let table = Table::new(view.jobs.iter().map(job_row), widths)
        .header(head.style(Style::new().add_modifier(Modifier::BOLD)))
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED))
        .block(block);
    frame.render_stateful_widget(table, area, &mut Selection::default().with_selected(Some(view.chosen)));
}

fn job_row(job: &RecycleJob) -> Row<'static> {
    let (progress, target) = (&job.progress, &job.config.target);
    Row::new([
        Cell::from(job.job_id.to_string()),
        Cell::from(job.status.as_str()).style(color(job.status)),
        Cell::from(format!("{:.1}%", progress.percentage)),
        Cell::from(format!("{}/{}", progress.processed_tables, progress.total_tables)),
        Cell::from(bytes(job.statistics.space_freed_bytes)),
        Cell::from(job.statistics.estimated_remaining.clone()),
        Cell::from(clean(&format!("{}:{}", target.host, target.port))),
    ])
}

fn gauge(frame: &mut Frame, area: Rect, job: &RecycleJob) {
    let progress = &job.progress;
    let now = [progress.current_table.as_str(), progress.phase.as_str(), job.error.as_str()].join(" ");
    let gauge = Gauge::default()
        .block(Block::bordered().title(clean(&format!("{} {}", job.job_id, now.trim()))))
        .gauge_style(color(job.status))
        .ratio((progress.percentage / 100.0).clamp(0.0, 1.0));
    frame.render_widget(gauge, area);
}

fn tables(frame: &mut Frame, area: Rect, job: &RecycleJob) {
    let widths = [
        Constraint::Min(20),
        Constraint::Length(22),
        Constraint::Length(11),
        Constraint::Length(11),
        Constraint::Length(11),
        Constraint::Length(9),
        Constraint::Length(10),
    ];
    // What goes on comes first: the rows below the screen's edge are the ones that have been or will be.
    let mut results: Vec<&TableResult> = job.statistics.tables_processed.iter().collect();
    results.sort_by_key(|result| place(result.state));
    let table = Table::new(results.into_iter().map(table_row), widths)
        .header(
            Row::new(["TABLE", "NODE", "FILE", "PREDICTED", "FREED", "TIME", "STATE"])
                .style(Style::new().add_modifier(Modifier::BOLD)),
        )
        .block(Block::bordered().title("tables"));
    frame.render_widget(table, area);
}

fn place(state: TableState) -> u8 {
    match state {
        TableState::Running => 0,
        TableState::Failed => 1,
        TableState::Planned => 2,
        _ => 3,
    }
}

fn table_row(result: &TableResult) -> Row<'static> {
    let file = i64::try_from(result.estimate.file_bytes).unwrap_or(i64::MAX);
    Row::new([
        clean(&format!("{}.{}", result.database, result.table)),
        clean(&result.node),
        bytes(file),
        bytes(result.estimate.predicted_freed_bytes),
        result.freed_bytes.map_or_else(String::new, bytes),
        result.seconds.map_or_else(String::new, seconds),
        format!("{:?}", result.state).to_lowercase(),
    ])
}
