//! A real Galera cluster of MariaDB servers on loopback; joiners get their data from a member by rsync, as they do anywhere.

use crate::{Engine, Fleet, Options, Server, free_port};
use std::{path::Path, time::Duration};

/// Where distributions put Galera's library.
const LIBRARIES: [&str; 2] = ["/usr/lib/galera/libgalera_smm.so", "/usr/lib64/galera/libgalera_smm.so"];

/// Galera's library, if it can be had here.
fn library() -> Option<&'static str> {
    LIBRARIES.into_iter().find(|path| Path::new(path).exists())
}

impl Fleet {
    /// Whether a Galera cluster can be had here.
    pub fn galera_is_available() -> bool {
        Engine::MariaDb.is_available() && library().is_some() && Path::new("/usr/bin/rsync").exists()
    }

    /// A cluster of `members` that are all synced; the first one began it.
    pub async fn galera(members: usize) -> Fleet {
        let first = free_port();
        let mut fleet = Fleet { servers: Vec::new() };
        for place in 0..members {
            let (own, join) = if place == 0 { (first, None) } else { (free_port(), Some(first)) };
            let options = Options { arguments: arguments(own, join), open: true, ..Options::default() };
            fleet.servers.push(Server::start(Engine::MariaDb, options).await);
            fleet.synced(place, place + 1).await;
        }
        fleet
    }

    /// Waits until a member is ready in a cluster of this size.
    pub async fn synced(&self, member: usize, size: usize) {
        let server = &self.servers[member];
        let sql = "SELECT GROUP_CONCAT(VARIABLE_VALUE ORDER BY VARIABLE_NAME) FROM information_schema.GLOBAL_STATUS \
                   WHERE VARIABLE_NAME IN ('wsrep_cluster_size', 'wsrep_local_state_comment', 'wsrep_ready')";
        for _ in 0..1200 {
            if server.value(sql).await == format!("{size},Synced,ON") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{} does not get in step:\n{}", server.address(), server.error_log());
    }
}

fn arguments(own: u16, join: Option<u16>) -> Vec<String> {
    let cluster = join.map(|port| format!("127.0.0.1:{port}")).unwrap_or_default();
    let (transfer, incremental) = (free_port(), free_port());
    let provider = format!(
        "gmcast.listen_addr=tcp://127.0.0.1:{own};ist.recv_addr=127.0.0.1:{incremental};gcache.size=16M;base_host=127.0.0.1"
    );
    vec![
        "--wsrep-on=ON".to_owned(),
        format!("--wsrep-provider={}", library().expect("Galera's library is here")),
        format!("--wsrep-cluster-address=gcomm://{cluster}"),
        format!("--wsrep-node-address=127.0.0.1:{own}"),
        // Left alone, a member tells the others no address at which clients reach it.
        "--wsrep-node-incoming-address=127.0.0.1:{port}".to_owned(),
        "--wsrep-sst-method=rsync".to_owned(),
        format!("--wsrep-sst-receive-address=127.0.0.1:{transfer}"),
        format!("--wsrep-provider-options={provider}"),
        "--innodb-autoinc-lock-mode=2".to_owned(),
        "--innodb-buffer-pool-size=16M".to_owned(),
    ]
}
