//! Samples over time, kept for a while, and the readings `/metrics` shows.

use crate::{Caller, ClusterSettings, Control, Role, hall::lock, hands};
use api::{ClusterTopology, JobStatus, MetricPoint, Reach, RecycleJob, TableState};
use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use jobs::JobRecord;
use mysql::Endpoint;
use reclaim::gates::disk::Space;
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use types::Failure;

/// Most clusters looked at together.
const AT_ONCE: usize = 4;
/// Samples are cleared of old ones once in so many rounds.
const SWEEP: u64 = 20;

/// One value to show, with few and bounded labels: never a table, never a job.
#[derive(Debug, Clone, PartialEq)]
pub struct Gauge {
    /// Such as `drydock_replica_lag_seconds`.
    pub name: &'static str,
    /// One line.
    pub help: &'static str,
    /// Names and values.
    pub labels: Vec<(&'static str, String)>,
    /// The reading.
    pub value: f64,
    /// Whether it only rises.
    pub counter: bool,
}

/// What was read last, and what this process has freed.
#[derive(Debug, Default)]
pub(crate) struct Readings {
    /// By name: the cluster as it was at the last look, and its members.
    clusters: BTreeMap<String, (ClusterSettings, Vec<Member>)>,
    freed_bytes: i64,
    predicted_bytes: i64,
    regrown_bytes: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    node: String,
    up: bool,
    lag: Option<i64>,
    /// The file system its data lies on; `None` where that cannot be known from here.
    disk: Option<Space>,
}

fn members(topology: &ClusterTopology) -> Vec<Member> {
    let servers = topology.nodes.iter().filter(|node| node.reach != Reach::NotAServer);
    servers
        .map(|node| Member {
            node: node.address.to_string(),
            up: node.reach == Reach::Reached,
            lag: node.lag_seconds,
            disk: None,
        })
        .collect()
}

fn point(name: &str, subject: &str, at: Timestamp, value: f64) -> MetricPoint {
    MetricPoint { name: name.to_owned(), subject: subject.to_owned(), at, value }
}

#[allow(clippy::cast_precision_loss, reason = "a metric is a float; 2^53 bytes are 8 PiB")]
fn points(members: &[Member], at: Timestamp) -> Vec<MetricPoint> {
    let up = members.iter().map(|member| point("node_up", &member.node, at, f64::from(u8::from(member.up))));
    let lag = members.iter().filter_map(|member| Some(point("lag_seconds", &member.node, at, member.lag? as f64)));
    let disk = members.iter().filter_map(|member| Some((member, member.disk?))).flat_map(|(member, disk)| {
        let of = |name, bytes: u64| point(name, &member.node, at, bytes as f64);
        [of("disk_used_bytes", disk.total.saturating_sub(disk.free)), of("disk_free_bytes", disk.free)]
    });
    up.chain(lag).chain(disk).collect()
}

/// Predicted and measured bytes of the tables a job rebuilt.
pub(crate) fn totals(job: &RecycleJob) -> (i64, i64) {
    let done = job.statistics.tables_processed.iter().filter(|table| table.state == TableState::Done);
    done.fold((0, 0), |(predicted, freed), table| {
        (predicted + table.estimate.predicted_freed_bytes, freed + table.freed_bytes.unwrap_or(0))
    })
}

impl Control {
    /// Takes samples as the settings say, and adds up what jobs free, until the hall ends.
    pub(crate) fn spawn_sampler(&self) {
        let control = self.clone();
        self.spawn_loop(async move {
            for round in 0_u64.. {
                let settings = control.settings().metrics.clone();
                if settings.enabled {
                    control.sample().await;
                }
                if round % SWEEP == 0 {
                    control.forget(settings.retention).await;
                }
                control.hall.clock.sleep(settings.interval.max(std::time::Duration::from_millis(100))).await;
            }
        });
        if let Some(runner) = self.hall.runner.get() {
            let (control, updates) = (self.clone(), runner.updates());
            self.spawn_loop(async move { control.add_up(updates).await });
        }
    }

    async fn sample(&self) {
        let clusters: Vec<ClusterSettings> = self.known().into_iter().map(|(cluster, _)| cluster).collect();
        let looks = stream::iter(clusters).map(|cluster| async move {
            let members = self.look_for_samples(&cluster).await;
            (cluster, members)
        });
        let looks: Vec<_> = looks.buffer_unordered(AT_ONCE).collect().await;
        let at = self.hall.clock.now();
        let mut kept = Vec::new();
        let mut fresh = BTreeMap::new();
        for (cluster, members) in looks {
            kept.extend(points(&members, at));
            fresh.insert(cluster.name.clone(), (cluster, members));
        }
        lock(&self.hall.readings).clusters = fresh;
        kept.extend(self.job_points(at).await);
        if let Err(error) = self.hall.store.keep(&kept).await {
            tracing::warn!(%error, "samples could not be kept");
        }
    }

    async fn look_for_samples(&self, cluster: &ClusterSettings) -> Vec<Member> {
        let found = match self.look_at(cluster).await {
            Ok(topology) => topology,
            Err(failure) => return lost(cluster, &failure),
        };
        let (way_in, limit) = (self.way_in(cluster), self.settings().database.timeout);
        let reached = found.nodes.iter().filter(|node| node.reach == Reach::Reached);
        let ways: Vec<Endpoint> = reached.map(|node| way_in.at(node.address.clone())).collect();
        let asked = stream::iter(ways)
            .map(|way| async move { (way.address.to_string(), hands::disk(way, limit).await) })
            .buffer_unordered(AT_ONCE);
        let disks: BTreeMap<String, Option<Space>> = asked.collect().await;
        let mut members = members(&found);
        for member in &mut members {
            member.disk = disks.get(&member.node).copied().flatten();
        }
        members
    }

    #[allow(clippy::cast_precision_loss, reason = "a metric is a float; 2^53 bytes are 8 PiB")]
    async fn job_points(&self, at: Timestamp) -> Vec<MetricPoint> {
        let mut kept = Vec::new();
        for status in [JobStatus::Pending, JobStatus::Running] {
            if let Ok(count) = self.count(status).await {
                kept.push(point("jobs", status.as_str(), at, count as f64));
            }
        }
        let readings = lock(&self.hall.readings);
        kept.push(point("freed_bytes_total", "", at, readings.freed_bytes as f64));
        kept
    }

    async fn forget(&self, retention: std::time::Duration) {
        let span = SignedDuration::try_from(retention).unwrap_or(SignedDuration::MAX);
        let Ok(moment) = self.hall.clock.now().checked_sub(span) else { return };
        match self.hall.store.forget_before(moment).await {
            Ok(0) => {}
            Ok(count) => tracing::debug!(count, "old samples dropped"),
            Err(error) => tracing::warn!(%error, "old samples could not be dropped"),
        }
    }

    async fn add_up(&self, mut updates: Receiver<Arc<JobRecord>>) {
        loop {
            let record = match updates.recv().await {
                Ok(record) => record,
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return,
            };
            if record.status.is_final() {
                self.count_in(&record).await;
            }
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "a metric is a float; 2^53 bytes are 8 PiB")]
    async fn count_in(&self, record: &JobRecord) {
        let Ok(document) = crate::record::document(record) else { return };
        let (predicted, freed) = totals(&document.job);
        {
            let mut readings = lock(&self.hall.readings);
            readings.freed_bytes = readings.freed_bytes.saturating_add(freed.max(0));
            readings.predicted_bytes = readings.predicted_bytes.saturating_add(predicted.max(0));
        }
        if !self.settings().metrics.enabled {
            return;
        }
        let at = self.hall.clock.now();
        let subject = record.id.as_str();
        let kept = [
            point("job_predicted_freed_bytes", subject, at, predicted as f64),
            point("job_freed_bytes", subject, at, freed as f64),
        ];
        if let Err(error) = self.hall.store.keep(&kept).await {
            tracing::warn!(%error, "samples could not be kept");
        }
    }

    /// Everything `/metrics` shows of the fleet and its jobs, read now. Viewer.
    pub async fn gauges(&self, caller: &Caller) -> Result<Vec<Gauge>, Failure> {
        caller.require_role(Role::Viewer, "metrics.read")?;
        if caller.is_limited() {
            return Ok(self.own_gauges(caller));
        }
        let mut gauges = Vec::new();
        let all =
            [JobStatus::Pending, JobStatus::Running, JobStatus::Completed, JobStatus::Failed, JobStatus::Cancelled];
        for status in all {
            gauges.push(jobs_gauge(status, self.count(status).await?));
        }
        gauges.extend(lock(&self.hall.readings).gauges());
        Ok(gauges)
    }

    /// Members of the clusters that are there for a limited caller; what adds up everybody's is left out.
    fn own_gauges(&self, caller: &Caller) -> Vec<Gauge> {
        let (own, nodes) = (self.known_to(caller), self.own_nodes(caller));
        let readings = lock(&self.hall.readings);
        let read = own.iter().filter_map(|(cluster, _)| {
            let (then, members) = readings.clusters.get(&cluster.name)?;
            (then == cluster).then_some((&cluster.name, members))
        });
        read.flat_map(|(name, members)| members.iter().map(move |member| (name, member)))
            .filter(|(_, member)| nodes.contains(&member.node))
            .flat_map(|(name, member)| member.gauges(name))
            .collect()
    }
}

/// A cluster that could not be looked at shows its first member as down.
fn lost(cluster: &ClusterSettings, failure: &Failure) -> Vec<Member> {
    tracing::warn!(cluster = cluster.name, %failure, "no sample");
    vec![Member { node: cluster.address.to_string(), up: false, lag: None, disk: None }]
}

#[allow(clippy::cast_precision_loss, reason = "a metric is a float")]
fn jobs_gauge(status: JobStatus, count: u64) -> Gauge {
    Gauge {
        name: "drydock_jobs",
        help: "Jobs in the store by status.",
        labels: vec![("status", status.as_str().to_owned())],
        value: count as f64,
        counter: false,
    }
}

impl Readings {
    /// Adds what one job's tables took again; shrunk ones do not make up for others.
    pub(crate) fn regrew(&mut self, bytes: i64) {
        self.regrown_bytes = self.regrown_bytes.saturating_add(bytes.max(0));
    }

    #[allow(clippy::cast_precision_loss, reason = "a metric is a float; 2^53 bytes are 8 PiB")]
    fn gauges(&self) -> Vec<Gauge> {
        let total =
            |name, help, value: i64| Gauge { name, help, labels: Vec::new(), value: value as f64, counter: true };
        let mut gauges = vec![
            total(
                "drydock_freed_bytes_total",
                "Bytes freed by finished jobs of this process, measured.",
                self.freed_bytes,
            ),
            total("drydock_predicted_freed_bytes_total", "Bytes predicted for the same tables.", self.predicted_bytes),
            total(
                "drydock_regrown_bytes_total",
                "Bytes that tables of jobs had taken again when this process looked at them later.",
                self.regrown_bytes,
            ),
        ];
        for (cluster, (_, members)) in &self.clusters {
            gauges.extend(members.iter().flat_map(|member| member.gauges(cluster)));
        }
        gauges
    }
}

impl Member {
    #[allow(clippy::cast_precision_loss, reason = "a metric is a float")]
    fn gauges(&self, cluster: &str) -> Vec<Gauge> {
        let labels = vec![("cluster", cluster.to_owned()), ("node", self.node.clone())];
        let gauge = |name, help, value| Gauge { name, help, labels: labels.clone(), value, counter: false };
        let mut gauges = vec![gauge("drydock_node_up", "1 if the member answered.", f64::from(u8::from(self.up)))];
        if let Some(lag) = self.lag {
            gauges.push(gauge("drydock_replica_lag_seconds", "Seconds behind, worst channel.", lag as f64));
        }
        if let Some(disk) = self.disk {
            let help = "Free bytes of the file system the member's data lies on.";
            gauges.push(gauge("drydock_disk_free_bytes", help, disk.free as f64));
            let help = "Size of the file system the member's data lies on.";
            gauges.push(gauge("drydock_disk_total_bytes", help, disk.total as f64));
        }
        gauges
    }
}
