//! What is true afterwards, asked of the servers and the disk and not of the tool: rows, files, settings, binlogs.

use crate::{
    shapes::SHAPES,
    tell::{mib, say},
};
use comfy_table::{CellAlignment, Table, presets::UTF8_HORIZONTAL_ONLY};
use serde_json::Value;
use std::collections::BTreeMap;
use testkit::{Fleet, Server};

/// File bytes and row checksum of each table on each member.
pub struct Picture {
    files: BTreeMap<(usize, &'static str), i64>,
    rows: BTreeMap<(usize, &'static str), String>,
}

/// The table's file, or those of its partitions.
fn file_bytes(server: &Server, table: &str) -> i64 {
    let folder = server.data_directory().join("demo");
    let entries = std::fs::read_dir(folder).expect("the data directory").flatten();
    let ours = entries.filter(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        name == format!("{table}.ibd")
            || name.strip_suffix(".ibd").is_some_and(|stem| stem.starts_with(&format!("{table}#P#")))
    });
    ours.map(|entry| entry.metadata().map_or(0, |data| i64::try_from(data.len()).unwrap_or(i64::MAX))).sum()
}

impl Picture {
    /// Of every member.
    pub async fn take(fleet: &Fleet) -> Picture {
        let (mut files, mut rows) = (BTreeMap::new(), BTreeMap::new());
        for (member, server) in fleet.servers.iter().enumerate() {
            for shape in &SHAPES {
                let mut session = server.session().await;
                let row = session.row(&format!("CHECKSUM TABLE demo.{}", shape.table)).await.expect("a checksum");
                session.close().await;
                files.insert((member, shape.table), file_bytes(server, shape.table));
                rows.insert((member, shape.table), row.and_then(|row| row.text("Checksum")).unwrap_or_default());
            }
        }
        Picture { files, rows }
    }

    /// Bytes of all tables of one member.
    pub fn total(&self, member: usize) -> i64 {
        self.files.iter().filter(|((of, _), _)| *of == member).map(|(_, bytes)| bytes).sum()
    }
}

fn results(job: &Value) -> &[Value] {
    job["statistics"]["tables_processed"].as_array().map_or(&[], Vec::as_slice)
}

fn member_of(fleet: &Fleet, result: &Value) -> Option<usize> {
    fleet.servers.iter().position(|server| result["node"] == server.address().to_string())
}

/// Everything that is not as it should be.
pub async fn faults(fleet: &Fleet, before: &Picture, after: &Picture, job: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    if job["status"] != "completed" {
        faults.push(format!("the job ended {}: {}", job["status"], job["error"]));
    }
    for ((member, table), sum) in &after.rows {
        if before.rows.get(&(0, table)) != Some(sum) {
            faults.push(format!("demo.{table} on member {member} holds other rows than the primary did before"));
        }
    }
    for (table, files) in SHAPES.iter().map(|shape| (shape.table, (&before.files, &after.files))) {
        if files.0.get(&(0, table)) != files.1.get(&(0, table)) {
            faults.push(format!("the primary's file of demo.{table} was touched"));
        }
    }
    faults.extend(results(job).iter().filter_map(|result| misreported(fleet, before, after, result)));
    faults.extend(changed_settings(fleet).await);
    if faults.is_empty() {
        say("rows equal on all members; the primary untouched; what the tool reports is what the disk shows");
    }
    faults
}

/// The tool's measure against the disk's.
fn misreported(fleet: &Fleet, before: &Picture, after: &Picture, result: &Value) -> Option<String> {
    let freed = result["freed_bytes"].as_i64()?;
    let table = SHAPES.iter().find(|shape| result["table"] == shape.table)?.table;
    let key = (member_of(fleet, result)?, table);
    let real = before.files.get(&key)? - after.files.get(&key)?;
    (real != freed).then(|| format!("demo.{table}: reported {freed} bytes freed, the disk says {real}"))
}

/// Replicas must be read-only again, and must have written nothing of their own.
async fn changed_settings(fleet: &Fleet) -> Vec<String> {
    let mut faults = Vec::new();
    let position = fleet.primary().value("SELECT @@gtid_binlog_pos").await;
    for server in fleet.servers.iter().skip(1) {
        if server.value("SELECT @@read_only").await != "1" {
            faults.push(format!("{} is no longer read-only", server.address()));
        }
        let own = server.value("SELECT @@gtid_binlog_pos").await;
        if own != position {
            faults.push(format!("{} stands at GTID {own}, its primary at {position}", server.address()));
        }
    }
    faults
}

/// Table, file before, predicted, freed, error in percent of the file.
#[allow(clippy::cast_precision_loss, reason = "one digit is shown")]
pub fn print(fleet: &Fleet, before: &Picture, after: &Picture, job: &Value) {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header([
        "table",
        "node",
        "file before",
        "predicted",
        "freed",
        "error %",
    ]);
    for result in results(job) {
        let Some(shape) = SHAPES.iter().find(|shape| result["table"] == shape.table) else { continue };
        let Some(member) = member_of(fleet, result) else { continue };
        let key = (member, shape.table);
        let file = before.files.get(&key).copied().unwrap_or_default();
        let freed = file - after.files.get(&key).copied().unwrap_or_default();
        let predicted = result["predicted_freed_bytes"].as_i64().unwrap_or_default();
        let error = (predicted - freed).abs() as f64 * 100.0 / file.max(1) as f64;
        let node = result["node"].as_str().unwrap_or_default().to_owned();
        table.add_row([shape.table.to_owned(), node, mib(file), mib(predicted), mib(freed), format!("{error:.1}")]);
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("\n{table}");
}
