//! What servers told us, as plain data: the input of every decision in this room.

use mysql::Flavor;
use std::net::IpAddr;
use types::gtid::GtidSet;

/// An answer, and the statement that gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told<T> {
    /// What was told.
    pub value: T,
    /// The spelling the server knew.
    pub statement: String,
}

/// A question that got no answer. Decisions take this for the dangerous case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untold {
    /// What was asked.
    pub statement: String,
    /// The server's words.
    pub error: String,
    /// Whether a right is missing.
    pub denied: bool,
}

/// What an answer is, or why there is none.
pub type Asked<T> = Result<Told<T>, Untold>;

/// Who a server says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `@@server_uuid`; MariaDB has none.
    pub server_uuid: Option<String>,
    /// `@@server_id`.
    pub server_id: u32,
    /// `@@hostname`.
    pub hostname: String,
    /// `@@port`: what it listens on, whatever the way we came.
    pub port: u16,
    /// Which engine.
    pub flavor: Flavor,
    /// `@@version`.
    pub version: String,
}

/// One inbound replication channel (MySQL) or connection (MariaDB).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Channel {
    /// Channel or connection name; empty is the default one.
    pub name: String,
    /// Host it was told to connect to.
    pub source_host: String,
    /// Port.
    pub source_port: u16,
    /// The source's server id; 0 until it was connected once.
    pub source_server_id: u32,
    /// The source's uuid; empty on MariaDB and until it was connected once.
    pub source_uuid: String,
    /// `Yes`, `No` or `Connecting`.
    pub io: String,
    /// `Yes` or `No`.
    pub sql: String,
    /// `Seconds_Behind_*`; `None` for NULL, which means stopped or not connected.
    pub seconds_behind: Option<i64>,
    /// Last I/O or SQL error; empty if none.
    pub last_error: String,
}

impl Channel {
    /// Both threads run.
    pub fn is_healthy(&self) -> bool {
        self.io == "Yes" && self.sql == "Yes"
    }
}

/// One row of the list of registered replicas.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Registered {
    /// The replica's server id.
    pub server_id: u32,
    /// Its uuid; empty on MariaDB.
    pub uuid: String,
    /// Its `report_host`; often empty, sometimes wrong.
    pub host: String,
    /// Its `report_port`.
    pub port: u16,
}

/// A session that reads the binlog, whoever it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DumpThread {
    /// Connection id.
    pub id: u64,
    /// Account.
    pub user: String,
    /// Host it comes from, without its port, which is an ephemeral one.
    pub host: String,
    /// The uuid it gave as a replica; empty if it gave none or we cannot see it.
    pub uuid: String,
    /// The program it says it is (`mysqld`, `mysqlbinlog`, …); empty if it does not say or we cannot see it.
    pub program: String,
}

/// Group Replication as one member sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// All members it lists.
    pub members: Vec<GroupMember>,
}

/// One row of the member list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupMember {
    /// Its server uuid.
    pub uuid: String,
    /// Host.
    pub host: String,
    /// Port.
    pub port: u16,
    /// `ONLINE`, `RECOVERING`, `UNREACHABLE`, `ERROR`, `OFFLINE`.
    pub state: String,
    /// `PRIMARY` or `SECONDARY`; empty if the server does not say (5.7 keeps it in a status variable).
    pub role: String,
}

/// Galera as one member sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Galera {
    /// `wsrep_cluster_state_uuid`.
    pub cluster: String,
    /// `wsrep_local_state_comment`, such as `Synced`.
    pub state: String,
    /// `wsrep_incoming_addresses`: client addresses of all members that tell theirs (`AUTO` tells nothing).
    pub members: Vec<(String, u16)>,
    /// `wsrep_cluster_size`: how many members there are, whether they tell or not.
    pub size: usize,
}

/// MySQL Shell's metadata of the cluster a member belongs to, as that member holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShellMetadata {
    /// Name of the cluster; empty if it has none.
    pub cluster: String,
    /// All instances of it.
    pub instances: Vec<ShellInstance>,
}

/// One instance of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShellInstance {
    /// Its server uuid.
    pub uuid: String,
    /// Host.
    pub host: String,
    /// Port of the classic protocol.
    pub port: u16,
    /// Whether it is a member of the group, not one that reads binlogs.
    pub in_group: bool,
    /// Uuid of the source it is said to have, in a replica set.
    pub source: Option<String>,
}

/// What two samples of a server's own transactions showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnWrites {
    /// Nothing new under its own name.
    Quiet,
    /// It wrote these between the samples.
    Advanced(GtidSet),
    /// It names no transactions (no GTIDs, no binlog), so this says nothing either way.
    NotKept,
    /// It could not be read.
    Unknown(String),
}

/// All the writer test judges by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeFacts {
    /// Who it is.
    pub identity: Identity,
    /// `@@read_only`; `None` if unreadable.
    pub read_only: Option<bool>,
    /// `@@super_read_only`; `None` where there is none.
    pub super_read_only: Option<bool>,
    /// Every inbound channel.
    pub inbound: Asked<Vec<Channel>>,
    /// Group Replication, if it is a member.
    pub group: Asked<Option<Group>>,
    /// Galera, if it is a member.
    pub galera: Asked<Option<Galera>>,
    /// Whether it writes by itself.
    pub own_writes: OwnWrites,
    /// Whether an inventory calls it primary.
    pub declared_primary: bool,
}

/// All one member told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// What the writer test judges by.
    pub facts: NodeFacts,
    /// Replicas registered with it.
    pub registered: Asked<Vec<Registered>>,
    /// Sessions that read its binlog.
    pub dumps: Asked<Vec<DumpThread>>,
    /// MySQL Shell's metadata, if it holds one that names it.
    pub shell: Option<Told<ShellMetadata>>,
    /// IP addresses its name leads to.
    pub ips: Vec<IpAddr>,
}
