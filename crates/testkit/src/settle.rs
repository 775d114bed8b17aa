//! Waits until a server stands still, so that files are as small as they get and hold what the server knows.

use crate::{Engine, Server};
use mysql::Session;
use std::time::Duration;

/// Looks before a server is given up, and the pause between two: five minutes.
const LOOKS: u32 = 6000;
const PAUSE: Duration = Duration::from_millis(50);

/// One large DELETE is one entry of the history list: nothing short of an empty list says that it is purged.
const HISTORY: [&str; 2] = [
    "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'Innodb_history_list_length'",
    "SELECT COUNT FROM information_schema.INNODB_METRICS WHERE NAME = 'trx_rseg_history_len'",
];
const DIRTY: [&str; 2] = [
    "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'Innodb_buffer_pool_pages_dirty'",
    "SELECT VARIABLE_VALUE FROM performance_schema.global_status WHERE VARIABLE_NAME = 'Innodb_buffer_pool_pages_dirty'",
];

impl Server {
    /// Waits until what was deleted is purged.
    pub async fn purged(&self) {
        let mut session = self.session().await;
        self.purge(&mut session).await;
        session.close().await;
    }

    /// The same, and every changed page written.
    pub async fn settled(&self) {
        let mut session = self.session().await;
        self.purge(&mut session).await;
        // The low mark follows the high one down, so it is set first and put back last.
        let low = set(&mut session, "innodb_max_dirty_pages_pct_lwm", "0").await;
        let high = set(&mut session, "innodb_max_dirty_pages_pct", "0").await;
        self.until_none(&mut session, DIRTY, "changed pages").await;
        set(&mut session, "innodb_max_dirty_pages_pct", &high).await;
        set(&mut session, "innodb_max_dirty_pages_pct_lwm", &low).await;
        session.close().await;
    }

    async fn purge(&self, session: &mut Session) {
        // Purged transactions leave the list only when it is cut, which is done every 128 batches.
        let before = set(session, "innodb_purge_rseg_truncate_frequency", "1").await;
        self.until_none(session, HISTORY, "transactions to purge").await;
        set(session, "innodb_purge_rseg_truncate_frequency", &before).await;
    }

    async fn until_none(&self, session: &mut Session, ask: [&str; 2], what: &str) {
        let ask = ask[usize::from(self.engine() == Engine::MySql)];
        let mut left = None;
        for _ in 0..LOOKS {
            left = session.value(ask).await.expect("the server answers");
            if left.as_deref() == Some("0") {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("{}: {left:?} {what} do not go away; its log:\n{}", self.address(), self.error_log());
    }
}

/// Sets a global variable; its value before.
async fn set(session: &mut Session, name: &str, value: &str) -> String {
    let before = session.value(&format!("SELECT @@GLOBAL.{name}")).await.expect("the variable is known");
    session.run(&format!("SET GLOBAL {name} = {value}")).await.expect("the variable can be set");
    before.unwrap_or_default()
}
