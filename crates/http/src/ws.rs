//! `GET /api/v1/ws/monitor` (seed 002 §3.3.1): one message per change of a job.

use crate::{answer::Failed, door::Door, guard::Ticket, rest::Who};
use api::{JobStatus, JobUpdate};
use axum::{
    extract::{
        Extension, State,
        ws::{
            CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code,
            rejection::WebSocketUpgradeRejection,
        },
    },
    response::Response,
};
use control::{Caller, Updates};
use std::{collections::HashMap, sync::atomic::Ordering, time::Duration};
use tokio::sync::broadcast::error::RecvError;
use types::{Code, Failure, JobId};

/// Most open at once.
const MOST: usize = 256;
/// Watchers only listen; more than this from one of them is a mistake.
const LARGEST: usize = 4096;
/// How often a silent watcher is asked whether it is there.
const PING: Duration = Duration::from_secs(20);

/// What one watcher was told, so that no job's progress falls before its eyes.
#[derive(Default)]
struct Seen(HashMap<JobId, (jiff::Timestamp, f64)>);

impl Seen {
    /// The update as this watcher may see it; `None` if it is older than what it saw.
    fn order(&mut self, mut update: JobUpdate) -> Option<JobUpdate> {
        if let Some((at, progress)) = self.0.get(&update.job_id).copied() {
            if update.timestamp < at {
                return None;
            }
            update.progress = update.progress.max(progress);
        }
        if update.status == JobStatus::Completed {
            update.progress = 100.0;
        }
        if update.status.is_final() {
            self.0.remove(&update.job_id);
        } else {
            self.0.insert(update.job_id.clone(), (update.timestamp, update.progress));
        }
        Some(update)
    }
}

/// Counts a watcher for as long as it stays.
struct Place(Door);

impl Place {
    fn take(door: &Door) -> Option<Self> {
        let before = door.watchers.fetch_add(1, Ordering::Relaxed);
        let place = Self(door.clone());
        (before < MOST).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.watchers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Job changes as they happen, beginning with one message for each job that is not final.
#[utoipa::path(get, path = "/api/v1/ws/monitor", tag = "monitor",
    params(("token" = Option<String>, Query, description = "For browsers, which cannot send the header.")),
    responses((status = 101, description = "WebSocket; each message is a JobUpdate"),
        (status = 400, body = api::ErrorBody), (status = 403, body = api::ErrorBody), (status = 503, body = api::ErrorBody)))]
pub(crate) async fn monitor(
    State(door): State<Door>,
    Who(caller): Who,
    Extension(ticket): Extension<Ticket>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Failed> {
    let upgrade = upgrade.map_err(|rejection| {
        let next = "connect with a WebSocket: ws://…/api/v1/ws/monitor";
        Failure::new(Code::InvalidArgument, rejection.body_text(), next)
    })?;
    let busy = || Failure::new(Code::Busy, format!("{MOST} watchers are connected"), "close some, then try again");
    let place = Place::take(&door).ok_or_else(busy)?;
    // Subscribed before the jobs are listed, so that no change falls between.
    let updates = door.control().subscribe(&caller);
    let jobs = door.control().jobs_now(&caller, Vec::new()).await?;
    let upgrade = upgrade.max_message_size(LARGEST).max_frame_size(LARGEST).protocols(["bearer"]);
    Ok(upgrade.on_upgrade(move |socket| async move {
        let watcher = Watcher { socket, caller, ticket, door: place.0.clone(), seen: Seen::default(), _place: place };
        watcher.serve(jobs, updates).await;
    }))
}

struct Watcher {
    socket: WebSocket,
    caller: Caller,
    ticket: Ticket,
    door: Door,
    seen: Seen,
    _place: Place,
}

/// The watcher is gone, or too slow to keep.
struct Gone;

impl Watcher {
    async fn serve(mut self, jobs: Vec<JobUpdate>, mut updates: Updates) {
        if self.tell_all(jobs).await.is_ok() {
            let _ = self.listen(&mut updates).await;
        }
    }

    async fn listen(&mut self, updates: &mut Updates) -> Result<(), Gone> {
        let clock = self.door.control().clock();
        let shutdown = self.door.shutdown.clone();
        let mut answered = true;
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return self.leave().await,
                update = updates.recv() => match update {
                    Ok(update) => self.tell(update).await?,
                    // Some were missed: what matters is where each job stands now.
                    Err(RecvError::Lagged(_)) => {
                        let known = self.seen.0.keys().cloned().collect();
                        let jobs = self.door.control().jobs_now(&self.caller, known).await.map_err(|_| Gone)?;
                        self.tell_all(jobs).await?;
                    }
                    Err(RecvError::Closed) => return self.leave().await,
                },
                message = self.socket.recv() => match message {
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(Gone),
                    Some(Ok(_)) => answered = true,
                },
                () = clock.sleep(PING) => {
                    self.still_admitted().await?;
                    if !answered {
                        return Err(Gone);
                    }
                    answered = false;
                    self.send(Message::Ping(axum::body::Bytes::new())).await?;
                }
            }
        }
    }

    async fn tell_all(&mut self, updates: Vec<JobUpdate>) -> Result<(), Gone> {
        for update in updates {
            self.tell(update).await?;
        }
        Ok(())
    }

    async fn tell(&mut self, update: JobUpdate) -> Result<(), Gone> {
        let Some(update) = self.seen.order(update) else { return Ok(()) };
        self.still_admitted().await?;
        let text = serde_json::to_string(&update).map_err(|_| Gone)?;
        self.send(Message::Text(Utf8Bytes::from(text))).await
    }

    /// A watcher that takes nothing for the write timeout is let go.
    async fn send(&mut self, message: Message) -> Result<(), Gone> {
        let sent = tokio::time::timeout(self.door.settings.write_timeout, self.socket.send(message)).await;
        sent.map_err(|_| Gone)?.map_err(|_| Gone)
    }

    /// A token may be taken back, or given other rights, while a watcher looks on.
    async fn still_admitted(&mut self) -> Result<(), Gone> {
        if self.ticket.admits(&self.door, &self.caller) {
            return Ok(());
        }
        self.close(close_code::POLICY, "the token was changed: connect again").await?;
        Err(Gone)
    }

    async fn leave(&mut self) -> Result<(), Gone> {
        self.close(close_code::AWAY, "the server is shutting down").await
    }

    async fn close(&mut self, code: u16, reason: &'static str) -> Result<(), Gone> {
        self.send(Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::from_static(reason) }))).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(second: i64, status: JobStatus, progress: f64) -> JobUpdate {
        JobUpdate {
            kind: "job_update".into(),
            job_id: JobId("job-20240101-001".into()),
            status,
            progress,
            timestamp: jiff::Timestamp::from_second(second).unwrap(),
            current_table: String::new(),
            phase: String::new(),
            space_freed_bytes: 0,
        }
    }

    #[test]
    fn a_watcher_sees_progress_rise_and_end_at_100() {
        let mut seen = Seen::default();
        let mut told =
            |second, status, progress| seen.order(update(second, status, progress)).map(|told| told.progress);
        assert_eq!(told(1, JobStatus::Running, 40.0), Some(40.0));
        assert_eq!(told(0, JobStatus::Pending, 0.0), None, "older than what was seen");
        assert_eq!(told(2, JobStatus::Running, 30.0), Some(40.0));
        assert_eq!(told(3, JobStatus::Completed, 99.9), Some(100.0));
    }
}
