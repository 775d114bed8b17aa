//! What must hold after a round, whatever was killed in it.

use super::bed::{Bed, TABLES};
use api::{JobStatus, RecycleJob};
use jobs::{Event, JobStore};
use std::collections::BTreeMap;
use testkit::{Engine, Server};
use types::JobId;

/// Settings a rebuild changes, and `read_only`, which it never does.
async fn settings(server: &Server) -> BTreeMap<String, String> {
    let mut session = server.session().await;
    let sql = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('read_only', 'super_read_only', \
               'innodb_segment_reserve_factor', 'innodb_online_alter_log_max_size')";
    let rows = session.rows(sql).await.expect("variables");
    session.close().await;
    let text = |row: &mysql::Row, name: &str| row.text(name).unwrap_or_default();
    rows.iter().map(|row| (text(row, "Variable_name"), text(row, "Value"))).collect()
}

/// Transactions a server wrote itself.
async fn own(server: &Server) -> String {
    match server.engine() {
        Engine::MySql => server.value("SELECT REPLACE(@@gtid_executed, '\n', '')").await,
        Engine::MariaDb => server.value("SELECT @@gtid_binlog_state").await,
    }
}

/// What must be the same after the round.
#[derive(Debug, Clone)]
pub struct State {
    settings: Vec<BTreeMap<String, String>>,
    own: Vec<String>,
    started: Vec<i64>,
}

/// When a server was started, in seconds since 1970. Its uptime alone would not do: that of a server that died early in a
/// long round can be longer than what it was before the round.
async fn started(server: &Server) -> i64 {
    let mut session = server.session().await;
    let row = session.row("SHOW GLOBAL STATUS LIKE 'Uptime'").await.expect("the uptime");
    let now = session.value("SELECT UNIX_TIMESTAMP()").await.expect("the time");
    session.close().await;
    let uptime = row.and_then(|row| row.parse::<i64>("Value")).unwrap_or(0);
    now.and_then(|now| now.parse::<i64>().ok()).unwrap_or(0) - uptime
}

/// Reads it.
pub async fn state(bed: &Bed) -> State {
    let mut state = State { settings: vec![], own: vec![], started: vec![] };
    for server in &bed.fleet.servers {
        state.settings.push(settings(server).await);
        state.own.push(own(server).await);
        state.started.push(started(server).await);
    }
    state
}

/// Everything that is wrong now.
pub async fn after(bed: &Bed, before: &State, id: &JobId, job: &RecycleJob) -> Vec<String> {
    let mut wrong = Vec::new();
    if job.status != JobStatus::Completed {
        wrong.push(format!("the job ended {}: {}", job.status.as_str(), job.error));
    }
    for (index, server) in bed.fleet.servers.iter().enumerate() {
        let mut now = settings(server).await;
        // A restarted server forgets `super_read_only` unless somebody sets it; the job may have put it back or not.
        if started(server).await > before.started[index] + 1
            && let Some(value) = before.settings[index].get("super_read_only")
        {
            now.insert("super_read_only".into(), value.clone());
        }
        if now != before.settings[index] {
            wrong.push(format!("settings of server {index}: {now:?}, before {:?}", before.settings[index]));
        }
        if own(server).await != before.own[index] {
            wrong.push(format!("transactions of server {index}: {}, before {}", own(server).await, before.own[index]));
        }
        wrong.extend(orphans(server).into_iter().map(|name| format!("orphan on server {index}: {name}")));
    }
    wrong.extend(double_runs(bed, id).await);
    wrong.extend(differing_rows(bed).await);
    wrong
}

fn orphans(server: &Server) -> Vec<String> {
    let directory = server.data_directory().join("shop");
    let files = std::fs::read_dir(directory).into_iter().flatten().flatten();
    files.map(|file| file.file_name().to_string_lossy().into_owned()).filter(|name| name.starts_with("#sql")).collect()
}

/// A table rebuilt more than once: an attempt that found other files than the attempt before it had found.
async fn double_runs(bed: &Bed, id: &JobId) -> Vec<String> {
    let journal = bed.store.journal(id).await.expect("the journal");
    let mut last: BTreeMap<String, serde_json::Value> = BTreeMap::new();
    let mut wrong = Vec::new();
    for entry in journal.into_iter().filter(|entry| entry.step == "rebuild") {
        let Event::Noted(note) = entry.event else { continue };
        let Some(files) = note.pointer("/before/spaces").cloned() else { continue };
        let ids = |value: &serde_json::Value| value.pointer("/0").cloned();
        let same = |a: &serde_json::Value, b: &serde_json::Value| {
            a.as_object().map(|map| map.values().map(ids).collect::<Vec<_>>())
                == b.as_object().map(|map| map.values().map(ids).collect::<Vec<_>>())
        };
        if last.get(&entry.unit).is_some_and(|earlier| !same(earlier, &files)) {
            wrong.push(format!("{} was rebuilt twice", entry.unit));
        }
        last.insert(entry.unit, files);
    }
    wrong
}

async fn differing_rows(bed: &Bed) -> Vec<String> {
    let mut wrong = Vec::new();
    for table in TABLES {
        let sql = format!("SELECT CONCAT(COUNT(*), '/', SUM(CRC32(CONCAT_WS('#', id, k, v)))) FROM {table}");
        let expected = bed.fleet.primary().value(&sql).await;
        for replica in 1..bed.fleet.servers.len() {
            bed.fleet.catch_up(replica, 0).await;
            if bed.fleet.servers[replica].value(&sql).await != expected {
                wrong.push(format!("{table} differs on server {replica}"));
            }
        }
    }
    wrong
}
