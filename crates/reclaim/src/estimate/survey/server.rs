//! What the server as a whole has open, not yet written and not yet purged, asked once for a survey.

use mysql::{Capabilities, Session, SqlError};

/// One global status number, where there is one.
async fn status(session: &mut Session, name: &str) -> Result<Option<f64>, SqlError> {
    let row = session.row(&format!("SHOW GLOBAL STATUS LIKE '{name}'")).await?;
    Ok(row.and_then(|row| row.parse("Value")))
}

/// Changes that data files do not show yet. What cannot be known counts as the worst.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unwritten {
    /// Pages changed in memory only, of whichever tables.
    pub pages: f64,
    /// Transactions purge has not passed.
    pub history: f64,
}

impl Unwritten {
    /// Asks for both.
    pub async fn read(session: &mut Session, caps: &Capabilities) -> Result<Self, SqlError> {
        let pages = status(session, "Innodb_buffer_pool_pages_dirty").await?.unwrap_or(f64::INFINITY);
        Ok(Self { pages, history: history(session, caps).await? })
    }

    /// Share of a file's pages that may be old: nobody tells whose the changed pages are, and an old map may call used pages
    /// free, so that only the file's length bounds it.
    pub fn share(&self, file_pages: f64) -> f64 {
        self.pages.min(file_pages) / file_pages.max(1.0)
    }
}

async fn history(session: &mut Session, caps: &Capabilities) -> Result<f64, SqlError> {
    if caps.is_mariadb() {
        return Ok(status(session, "Innodb_history_list_length").await?.unwrap_or(1.0));
    }
    let ask = "SELECT COUNT FROM information_schema.INNODB_METRICS WHERE NAME = 'trx_rseg_history_len'";
    match session.value(ask).await {
        Ok(value) => Ok(value.and_then(|text| text.parse().ok()).unwrap_or(1.0)),
        Err(error) if error.is_unknown_statement() || error.is_denied() => Ok(1.0),
        Err(error) => Err(error),
    }
}

/// Data files InnoDB had open before a survey.
pub(super) struct Opened(Option<f64>);

/// Bytes InnoDB reads to open one file, measured: `MariaDB` in three reads;
/// MySQL one page.
const MARIADB_OPENS: u64 = 96 << 10;
const MYSQL_OPENS: u64 = 16 << 10;

impl Opened {
    const COUNT: &str = "Innodb_num_open_files";

    /// Counts them.
    pub async fn before(session: &mut Session) -> Result<Self, SqlError> {
        Ok(Self(status(session, Self::COUNT).await?))
    }

    /// Bytes read since to open more, at most; if the server does not count, as if all tables had been opened.
    pub async fn bytes_since(
        &self,
        session: &mut Session,
        caps: &Capabilities,
        tables: usize,
    ) -> Result<u64, SqlError> {
        let now = status(session, Self::COUNT).await?;
        let more = now.zip(self.0).map_or(tables as f64, |(now, before)| (now - before).clamp(0.0, tables as f64));
        Ok(more as u64 * if caps.is_mariadb() { MARIADB_OPENS } else { MYSQL_OPENS })
    }
}
