//! Topology on the wire: the seed's tree, and beside it the evidence graph it was drawn from.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use types::{Address, Secret};
use utoipa::ToSchema;

/// `POST /api/v1/topology/discover`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscoverRequest {
    /// Any member's host.
    pub host: String,
    /// Its port; 3306 if absent.
    #[serde(default = "default_port")]
    pub port: u16,
    /// Database account, used on every member.
    pub username: String,
    /// Its password.
    #[serde(default)]
    #[schema(value_type = String, write_only)]
    pub password: Secret,
    /// Hops from the first member, 1 = its direct neighbours; 10 if absent.
    #[serde(default = "default_depth")]
    pub max_depth: u32,
}

/// MySQL's registered port.
pub(crate) fn default_port() -> u16 {
    3306
}

fn default_depth() -> u32 {
    10
}

/// What discovery found. The Go struct's fields (`master`, `slaves` at the top) and the REST form's (`topology`) both stand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ClusterTopology {
    /// Stable across runs while the same root server leads: `cluster-` and a short hash of its identity.
    pub cluster_id: String,
    /// The configured name, else the id.
    pub cluster_name: String,
    /// UTC.
    #[schema(value_type = String, format = DateTime)]
    pub discover_time: Timestamp,
    /// The tree as the seed's REST answers draw it.
    pub topology: TopologyTree,
    /// The same tree, `master` and `slaves` at the top, as the seed's data structure has it (seed 002 §5.1).
    #[serde(flatten)]
    pub tree: TopologyTree,
    /// Every member found, reachable or not, once each.
    pub nodes: Vec<GraphNode>,
    /// Every replication link, with what proves it.
    pub edges: Vec<Edge>,
    /// What the operator should know: duplicate ids, rings, dual writers, unreachable members, wrong `report_host`.
    pub warnings: Vec<String>,
}

/// The seed's tree. A ring or several writers are cut at the first repeat; `nodes` and `edges` hold the truth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TopologyTree {
    /// The root writer; absent if none could be named.
    pub master: Option<DatabaseNode>,
    /// Further roots and members outside the master's tree.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slaves: Vec<DatabaseNode>,
}

/// One node of the tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(no_recursion)]
pub struct DatabaseNode {
    /// Address by which it was reached, or is known.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// `@@server_id`; 0 if it was never reached.
    pub server_id: u32,
    /// `@@read_only`.
    pub read_only: bool,
    /// `master` or `slave`.
    pub role: String,
    /// Seconds behind its source; -1 when unknown or stopped.
    pub lag_seconds: i64,
    /// Those that replicate from it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slaves: Vec<DatabaseNode>,
}

/// One member, with all that was learnt of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GraphNode {
    /// Identity: server uuid (MySQL), or `server_id@host:port` (MariaDB, unreachable members).
    pub id: String,
    /// Address used or known.
    #[schema(value_type = Object)]
    pub address: Address,
    /// `@@server_id`; 0 if never reached.
    pub server_id: u32,
    /// `primary`, `replica`, `intermediate`, `group-primary`, `group-secondary`, `galera`, `binlog-client` or `unknown`.
    pub role: String,
    /// Whether the writer test says it may take writes; unknown counts as true.
    pub writer: bool,
    /// Why the writer test says so, most telling first.
    pub writer_reasons: Vec<String>,
    /// `@@read_only`.
    pub read_only: bool,
    /// `@@super_read_only`; absent on MariaDB.
    pub super_read_only: Option<bool>,
    /// `mysql`, `mariadb`, `percona`, …
    pub flavor: String,
    /// As the server words it.
    pub version: String,
    /// Seconds behind, worst channel; absent when unknown or stopped.
    pub lag_seconds: Option<i64>,
    /// Whether we spoke to it.
    pub reach: Reach,
    /// Hops from the first member.
    pub depth: u32,
    /// What names it as a member beside its links: MySQL Shell's metadata, or the configured `members` (`inventory`, told
    /// by `configuration`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
}

/// Whether a member answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Reach {
    /// We asked it.
    Reached,
    /// Known only from others; why it could not be asked.
    Unreachable {
        /// The connect error, without secrets.
        error: String,
    },
    /// Beyond `max_depth`; not asked.
    BeyondDepth,
    /// A reader of the binlog that is no server (CDC, backup).
    NotAServer,
}

/// What kind of link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EdgeKind {
    /// Asynchronous or semi-synchronous binlog replication.
    Binlog,
    /// Group Replication membership.
    Group,
    /// Galera membership.
    Galera,
}

/// `source` feeds `target`, over one channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Edge {
    /// Node id of the source.
    pub source: String,
    /// Node id of the target.
    pub target: String,
    /// Kind of link.
    pub kind: EdgeKind,
    /// Channel or MariaDB connection name; empty is the default channel.
    pub channel: String,
    /// Whether both threads run; absent if the target was not asked.
    pub healthy: Option<bool>,
    /// Last I/O or SQL error, masked.
    pub last_error: String,
    /// Each proof; a link with a target-side and a source-side proof is confirmed.
    pub evidence: Vec<Evidence>,
}

/// One proof of a link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Evidence {
    /// The statement or view that shows it, such as `SHOW REPLICA STATUS`.
    pub statement: String,
    /// Node id of the member that said so.
    pub told_by: String,
    /// When it was read, UTC.
    #[schema(value_type = String, format = DateTime)]
    pub seen_at: Timestamp,
    /// Seconds between reading and the end of discovery.
    pub age_seconds: f64,
}
