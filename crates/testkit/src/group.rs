//! A real replication group of MySQL servers on loopback, kept small.

use crate::{Engine, Fleet, Options, PASSWORD, Server, USER, free_port};
use std::time::Duration;

/// The name every group has; it is also the uuid its transactions bear.
const NAME: &str = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
const STATE: &str =
    "SELECT MEMBER_STATE FROM performance_schema.replication_group_members WHERE MEMBER_ID = @@server_uuid";

/// Who of a group takes writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupMode {
    /// The first member alone, until it is gone.
    SinglePrimary,
    /// Every member.
    MultiPrimary,
}

impl Fleet {
    /// A group of `members` that are all online; the first one began it. MySQL only.
    pub async fn group(members: usize, mode: GroupMode) -> Fleet {
        let ports: Vec<u16> = (0..members).map(|_| free_port()).collect();
        let seeds: Vec<String> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        let mut fleet = Fleet { servers: Vec::new() };
        for (place, port) in ports.iter().enumerate() {
            let arguments = arguments(*port, &seeds.join(","), mode);
            fleet.servers.push(Server::start(Engine::MySql, Options { arguments, ..Options::default() }).await);
            fleet.join(place, place == 0).await;
        }
        fleet
    }

    /// Makes a member join (the first one: begin) its group and waits until it is online.
    pub async fn join(&self, member: usize, begin: bool) {
        self.start_joining(member, begin).await;
        let server = &self.servers[member];
        for _ in 0..1200 {
            if server.value(STATE).await == "ONLINE" {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{} does not come online:\n{}", server.address(), server.error_log());
    }

    /// The same without the wait: the member may still be recovering.
    pub async fn start_joining(&self, member: usize, begin: bool) {
        let recovery = format!(
            "CHANGE REPLICATION SOURCE TO SOURCE_USER='{USER}', SOURCE_PASSWORD='{PASSWORD}' \
             FOR CHANNEL 'group_replication_recovery'"
        );
        let first = |on: bool| format!("SET GLOBAL group_replication_bootstrap_group = {}", u8::from(on));
        self.servers[member].run(&[&recovery, &first(begin), "START GROUP_REPLICATION", &first(false)]).await;
    }
}

/// Performance schema off (its membership tables work all the same) and a small message cache: 400 MB a member, not 650.
fn arguments(local: u16, seeds: &str, mode: GroupMode) -> Vec<String> {
    let multi = mode == GroupMode::MultiPrimary;
    let switch = |on: bool| if on { "ON" } else { "OFF" };
    vec![
        "--performance-schema=OFF".to_owned(),
        "--innodb-buffer-pool-size=24M".to_owned(),
        "--plugin-load-add=group_replication.so".to_owned(),
        format!("--loose-group-replication-group-name={NAME}"),
        "--loose-group-replication-start-on-boot=OFF".to_owned(),
        format!("--loose-group-replication-local-address=127.0.0.1:{local}"),
        format!("--loose-group-replication-group-seeds={seeds}"),
        "--loose-group-replication-recovery-get-public-key=ON".to_owned(),
        "--loose-group-replication-message-cache-size=134217728".to_owned(),
        format!("--loose-group-replication-single-primary-mode={}", switch(!multi)),
        format!("--loose-group-replication-enforce-update-everywhere-checks={}", switch(multi)),
    ]
}
