//! Fleets of pretending servers, each told who its source and its replicas are.

use super::{Dialect, Fake, Script};
use types::Address;
use wire::{Answer, Rows};

/// One member of a fleet that is to pretend.
#[derive(Debug, Clone)]
pub struct FakeNode {
    /// How it words things.
    pub dialect: Dialect,
    /// Place of its source in the fleet.
    pub source: Option<usize>,
    /// `@@read_only`.
    pub read_only: bool,
    /// Whether it announces itself to its source (`report_host`).
    pub announced: bool,
    /// `@@server_id`; 0 takes its place in the fleet, from 1.
    pub server_id: u32,
}

impl FakeNode {
    /// A writable member without a source.
    pub fn primary(dialect: Dialect) -> Self {
        Self { dialect, source: None, read_only: false, announced: true, server_id: 0 }
    }

    /// A read-only member that follows `source`.
    pub fn replica(dialect: Dialect, source: usize) -> Self {
        Self { source: Some(source), read_only: true, ..Self::primary(dialect) }
    }
}

/// Pretending servers in the order they were asked for.
pub struct FakeFleet {
    /// The members.
    pub members: Vec<Fake>,
}

/// Values of a row by column name; what is not named is empty.
type Values<'a> = &'a [(&'a str, String)];

impl FakeFleet {
    /// Starts them all; `adjust` may change each script before it is played.
    pub async fn start(nodes: &[FakeNode], adjust: impl Fn(usize, Script) -> Script) -> FakeFleet {
        let mut listeners = Vec::new();
        for _ in nodes {
            listeners.push(Fake::bind().await);
        }
        let port = |listener: &tokio::net::TcpListener| listener.local_addr().map_or(0, |address| address.port());
        let ports: Vec<u16> = listeners.iter().map(port).collect();
        let plot = Plot { nodes, ports: &ports };
        let members = listeners.into_iter().enumerate();
        let members =
            members.map(|(place, listener)| Fake::serve(listener, adjust(place, plot.script(place)))).collect();
        FakeFleet { members }
    }

    /// Where a member listens.
    pub fn address(&self, place: usize) -> Address {
        self.members[place].address()
    }
}

struct Plot<'a> {
    nodes: &'a [FakeNode],
    ports: &'a [u16],
}

impl Plot<'_> {
    fn id(&self, place: usize) -> String {
        let id = self.nodes[place].server_id;
        if id == 0 { (place + 1).to_string() } else { id.to_string() }
    }

    fn uuid(place: usize) -> String {
        format!("00000000-0000-4000-8000-{:012x}", place + 1)
    }

    fn script(&self, place: usize) -> Script {
        let node = &self.nodes[place];
        let (version, comment) = node.dialect.version();
        let mut script = Script::new(version, comment)
            .variable("server_id", &self.id(place))
            .variable("hostname", "fake")
            .variable("port", &self.ports[place].to_string())
            .variable("read_only", if node.read_only { "ON" } else { "OFF" })
            .variable("log_bin", "ON");
        script = if node.dialect.has_uuid() { Self::mysql(script, place, node) } else { Self::mariadb(script) };
        script = self.status(script, place);
        self.readers(script, place)
    }

    fn mysql(script: Script, place: usize, node: &FakeNode) -> Script {
        let mut columns = vec!["CHANNEL_NAME", "MEMBER_ID", "MEMBER_HOST", "MEMBER_PORT", "MEMBER_STATE"];
        if node.dialect != Dialect::MySql57 {
            columns.extend(["MEMBER_ROLE", "MEMBER_VERSION", "MEMBER_COMMUNICATION_STACK"]);
        }
        script
            .variable("server_uuid", &Self::uuid(place))
            .variable("super_read_only", if node.read_only { "ON" } else { "OFF" })
            .variable("gtid_mode", "ON")
            .variable("gtid_executed", &format!("{}:1-1000", Self::uuid(0)))
            .variable("performance_schema", "ON")
            .rows("SELECT * FROM performance_schema.replication_group_members", &columns, Vec::new())
    }

    fn mariadb(script: Script) -> Script {
        let absent = Answer::error(1146, "42S02", "Table 'performance_schema.replication_group_members' doesn't exist");
        script
            .variable("gtid_binlog_state", "0-1-1000")
            .variable("performance_schema", "OFF")
            .variable("wsrep_on", "OFF")
            .reply("SELECT * FROM performance_schema.replication_group_members", absent)
    }

    fn status(&self, mut script: Script, place: usize) -> Script {
        for (statement, columns) in self.nodes[place].dialect.status() {
            let rows = self.nodes[place].source.map(|source| self.status_row(source, &columns));
            script = script.reply(statement, answer(columns, rows.into_iter().collect()));
        }
        script
    }

    fn status_row(&self, source: usize, columns: &[String]) -> Vec<Option<String>> {
        let mut values = Vec::new();
        for (role, thread) in [("Master", "Slave"), ("Source", "Replica")] {
            values.extend([
                (format!("{role}_Host"), "127.0.0.1".to_owned()),
                (format!("{role}_Port"), self.ports[source].to_string()),
                (format!("{role}_Server_Id"), self.id(source)),
                (format!("{role}_UUID"), Self::uuid(source)),
                (format!("Seconds_Behind_{role}"), "0".to_owned()),
                (format!("{thread}_IO_Running"), "Yes".to_owned()),
                (format!("{thread}_SQL_Running"), "Yes".to_owned()),
            ]);
        }
        let named: Vec<(&str, String)> = values.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        row(columns, &named)
    }

    fn readers(&self, mut script: Script, place: usize) -> Script {
        let node = &self.nodes[place];
        let followers: Vec<usize> =
            (0..self.nodes.len()).filter(|other| self.nodes[*other].source == Some(place)).collect();
        for (statement, columns) in node.dialect.hosts() {
            // Old MariaDB leaves out who does not announce itself; MySQL lists it without a host.
            let listed = followers.iter().filter(|other| node.dialect.has_uuid() || self.nodes[**other].announced);
            let rows = listed.map(|other| self.host_row(*other, place, &columns)).collect();
            script = script.reply(statement, answer(columns, rows));
        }
        let table = if node.dialect.has_schema_processlist() {
            "performance_schema.processlist"
        } else {
            "information_schema.PROCESSLIST"
        };
        let dumps = followers.iter().map(|other| {
            vec![
                Some((other + 100).to_string()),
                Some("repl".to_owned()),
                Some(format!("127.0.0.1:{}", 40000 + other % 20000)),
            ]
        });
        let statement = format!("SELECT ID, USER, HOST FROM {table} WHERE COMMAND LIKE 'Binlog Dump%'");
        script
            .rows("SELECT COUNT(*) FROM information_schema.INNODB_CMP", &["COUNT(*)"], vec![vec![Some("5".to_owned())]])
            .rows(&statement, &["ID", "USER", "HOST"], dumps.collect())
    }

    fn host_row(&self, follower: usize, source: usize, columns: &[String]) -> Vec<Option<String>> {
        let host = if self.nodes[follower].announced { "127.0.0.1" } else { "" };
        row(
            columns,
            &[
                ("Server_id", self.id(follower)),
                ("Host", host.to_owned()),
                ("Port", self.ports[follower].to_string()),
                ("Master_id", self.id(source)),
                ("Source_Id", self.id(source)),
                ("Slave_UUID", Self::uuid(follower)),
                ("Replica_UUID", Self::uuid(follower)),
            ],
        )
    }
}

fn answer(columns: Vec<String>, rows: Vec<Vec<Option<String>>>) -> Answer {
    Answer::Rows(Rows { columns: columns.into_iter().map(Into::into).collect(), rows })
}

fn row(columns: &[String], values: Values<'_>) -> Vec<Option<String>> {
    let value = |column: &String| values.iter().find(|(name, _)| name.eq_ignore_ascii_case(column));
    columns.iter().map(|column| Some(value(column).map(|(_, text)| text.clone()).unwrap_or_default())).collect()
}
