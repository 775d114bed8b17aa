//! Tenants: what a caller whose token names cluster groups may see and touch. Whatever is not known to be theirs is not there.

use crate::{Caller, ClusterSettings, Control};
use api::{JobSummary, MetricPoint, Plan};
use jobs::{JobFilter, JobRecord};
use std::collections::{BTreeSet, HashSet};
use types::{Address, Code, Failure, JobId};

/// Jobs read at once: their bodies may be large.
const CHUNK: u32 = 100;
/// Most jobs, newest first, that are looked through for a limited caller.
const MOST: u32 = 10_000;

impl Caller {
    /// The same, kept to the clusters of these groups.
    #[must_use]
    pub fn limited_to(self, groups: impl IntoIterator<Item = String>) -> Self {
        Self { groups: Some(groups.into_iter().collect()), ..self }
    }

    /// Whether they see some clusters only.
    pub fn is_limited(&self) -> bool {
        self.groups.is_some()
    }

    /// Whether a cluster is there for them; one without a group is for callers without groups only.
    pub(crate) fn sees(&self, cluster: &ClusterSettings) -> bool {
        let ours = |groups: &BTreeSet<String>| cluster.group.as_ref().is_some_and(|group| groups.contains(group));
        self.groups.as_ref().is_none_or(ours)
    }

    /// Refuses limited callers: what is asked is not about one cluster; 1008.
    pub(crate) fn require_all(&self, action: &str) -> Result<(), Failure> {
        if !self.is_limited() {
            return Ok(());
        }
        let error = format!("`{action}` is not for {}, whose token is for some groups of clusters only", self.actor);
        let next = "name a cluster of your group under /api/v1/clusters/{name} (GET /api/v1/clusters lists them), or use a \
                    token without groups";
        Err(Failure::new(Code::Forbidden, error, next))
    }
}

/// The named cluster a stored job was made on. The body is not read as a whole: one that is damaged has an owner all the same.
pub(crate) fn cluster_of(record: &JobRecord) -> Option<&str> {
    record.body.get("cluster")?.as_str()
}

/// One page of a list that is looked through rather than counted by the store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    pub(crate) limit: u32,
    pub(crate) offset: u32,
}

impl Control {
    /// The clusters that are there for a caller, with where each comes from.
    pub(crate) fn known_to(&self, caller: &Caller) -> Vec<(ClusterSettings, &'static str)> {
        let mut known = self.known();
        known.retain(|(cluster, _)| caller.sees(cluster));
        known
    }

    /// Whether a job made on this cluster is there for a caller, as the clusters are grouped now.
    pub(crate) fn shows(&self, caller: &Caller, cluster: Option<&str>) -> bool {
        let settings = self.settings();
        let ours = |name: &str| settings.clusters.iter().any(|known| known.name == name && caller.sees(known));
        !caller.is_limited() || cluster.is_some_and(ours)
    }

    /// Addresses the configuration names for clusters that are not there for a caller, and for none that is: a link leading to
    /// one makes it nobody's own.
    pub(crate) fn foreign(&self, caller: &Caller) -> HashSet<Address> {
        let settings = self.settings();
        let (own, others): (Vec<_>, Vec<_>) = settings.clusters.iter().partition(|cluster| caller.sees(cluster));
        let own: HashSet<&Address> = own.into_iter().flat_map(ClusterSettings::addresses).collect();
        let others = others.into_iter().flat_map(ClusterSettings::addresses);
        others.filter(|address| !own.contains(address)).cloned().collect()
    }

    /// Refuses a plan that works on a member the configuration gives to others; 1008.
    pub(crate) fn stays_home(&self, caller: &Caller, plan: &Plan) -> Result<(), Failure> {
        let foreign: HashSet<String> = self.foreign(caller).iter().map(Address::to_string).collect();
        if !plan.nodes.iter().any(|node| foreign.contains(&node.node)) {
            return Ok(());
        }
        let error = "the work reaches members that are configured for a cluster of another group";
        let next = "name one member with scope `node`, or ask for a token of both groups";
        Err(Failure::new(Code::Forbidden, error, next))
    }

    /// Jobs in these states that are there for a limited caller: how many, and one page of them, newest first. Looks through
    /// the newest [`MOST`] of the store.
    pub(crate) async fn own_jobs(
        &self,
        caller: &Caller,
        statuses: &[api::JobStatus],
        page: Page,
    ) -> Result<(u64, Vec<JobSummary>), Failure> {
        let (mut total, mut shown, mut met) = (0_u64, Vec::new(), HashSet::new());
        for offset in (0..MOST).step_by(CHUNK as usize) {
            let filter = JobFilter { statuses: statuses.to_vec(), limit: CHUNK, offset };
            let rows = self.hall.store.list(&filter).await?.jobs;
            // A job made meanwhile moves the others on: some are met twice.
            let ids: Vec<JobId> = rows.iter().map(|row| row.id.clone()).filter(|id| met.insert(id.clone())).collect();
            for record in self.hall.store.get_many(&ids).await? {
                if self.shows(caller, cluster_of(&record)) {
                    if total >= u64::from(page.offset) && shown.len() < page.limit as usize {
                        shown.push(crate::record::summary(&(&record).into()));
                    }
                    total += 1;
                }
            }
            if rows.len() < CHUNK as usize {
                break;
            }
        }
        Ok((total, shown))
    }

    /// Members of the clusters that are there for a caller, as they are written in samples.
    pub(crate) fn own_nodes(&self, caller: &Caller) -> HashSet<String> {
        let foreign = self.foreign(caller);
        let mut nodes = HashSet::new();
        for (cluster, _) in self.known_to(caller) {
            let seen = self.last_seen(&cluster).map(|found| found.nodes).unwrap_or_default();
            let found = seen.into_iter().map(|node| node.address);
            nodes.extend(cluster.addresses().cloned().chain(found).filter(|address| !foreign.contains(address)));
        }
        nodes.iter().map(Address::to_string).collect()
    }

    /// Samples of a limited caller's members and jobs; what adds up everybody's has no subject and is left out.
    pub(crate) async fn own_points(
        &self,
        caller: &Caller,
        mut points: Vec<MetricPoint>,
    ) -> Result<Vec<MetricPoint>, Failure> {
        let mut own = self.own_nodes(caller);
        let others: BTreeSet<&str> =
            points.iter().map(|point| point.subject.as_str()).filter(|subject| !own.contains(*subject)).collect();
        let ids: Vec<JobId> =
            others.into_iter().filter(|subject| !subject.is_empty()).map(|subject| JobId(subject.to_owned())).collect();
        let jobs = self.hall.store.get_many(&ids).await?;
        own.extend(jobs.iter().filter(|job| self.shows(caller, cluster_of(job))).map(|job| job.id.0.clone()));
        points.retain(|point| own.contains(&point.subject));
        Ok(points)
    }
}

/// Refuses groups that could never match or that say nothing; 1001.
pub(crate) fn check_groups(settings: &crate::Settings) -> Result<(), Failure> {
    let named = settings.clusters.iter().filter_map(|cluster| cluster.group.as_ref());
    for group in named {
        group_name("database.clusters", group)?;
    }
    for token in &settings.tokens {
        let Some(groups) = &token.groups else { continue };
        if groups.is_empty() {
            let allowed = "a list of at least one group, or left out for a token that sees everything";
            return Err(crate::input::bad("auth.tokens", format!("{}: groups: []", token.name), allowed));
        }
        groups.iter().try_for_each(|group| group_name("auth.tokens", group))?;
    }
    one_owner(&settings.clusters)
}

fn group_name(field: &str, group: &str) -> Result<(), Failure> {
    crate::input::cluster_name(group)
        .map_err(|_| crate::input::bad(field, group, "groups of 1 to 64 letters, digits, `-`, `_` and `.`"))
}

/// A member belongs to one group.
fn one_owner(clusters: &[ClusterSettings]) -> Result<(), Failure> {
    let mut owners = std::collections::HashMap::new();
    for (cluster, group) in clusters.iter().filter_map(|cluster| Some((cluster, cluster.group.as_ref()?))) {
        for address in cluster.addresses() {
            if owners.insert(address, group).is_some_and(|other| other != group) {
                let allowed = "members of one group each";
                return Err(crate::input::bad("database.clusters", format!("{address} in two groups"), allowed));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
