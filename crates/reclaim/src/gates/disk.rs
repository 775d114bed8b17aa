//! Gate `disk`: the new copy lives beside the old one, so the disk must hold both, and the sort files as well.

use super::wait;
use api::GateVerdict;
use mysql::{Session, SqlError};
use std::path::{Path, PathBuf};

/// Share of the disk kept free whatever happens.
const RESERVE: f64 = 0.05;

/// Free and total bytes of one file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Bytes an unprivileged process can still write.
    pub free: u64,
    /// Its size.
    pub total: u64,
}

/// What is known of a server's disks; `None` where it cannot be known from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Disks {
    /// Below the data directory.
    pub data: Option<Space>,
    /// Below the directory of sort files and row log.
    pub tmp: Option<Space>,
    /// Both lie on one file system.
    pub same: bool,
}

/// Where a server keeps its data and its sort files, as it says itself.
struct Homes {
    data: PathBuf,
    tmp: PathBuf,
    hostname: String,
}

async fn homes(session: &mut Session) -> Result<Option<Homes>, SqlError> {
    let row = session.row("SELECT @@datadir AS d, @@tmpdir AS t, @@innodb_tmpdir AS i, @@hostname AS h").await?;
    Ok(row.and_then(|row| {
        let tmp = row.text("i").filter(|text| !text.is_empty()).or_else(|| row.text("t"))?;
        // `tmpdir` may be a list; the server takes them in turn, so the first stands for all.
        let tmp = tmp.split(':').next().unwrap_or_default().to_owned();
        Some(Homes { data: row.text("d")?.into(), tmp: tmp.into(), hostname: row.text("h")? })
    }))
}

/// Reads the disks: `statvfs` if the server runs on this machine, else MariaDB's `DISKS` plugin, else nothing.
pub async fn probe(session: &mut Session) -> Result<Disks, SqlError> {
    // What a server does not know or does not tell is unknown; one that did not answer may tell next time.
    match seen(session).await {
        Err(error) if error.is_unknown_statement() || error.is_denied() => Ok(Disks::default()),
        other => other,
    }
}

async fn seen(session: &mut Session) -> Result<Disks, SqlError> {
    let Some(homes) = homes(session).await? else { return Ok(Disks::default()) };
    if is_here(session, &homes) { Ok(local(&homes)) } else { disks_plugin(session, &homes).await }
}

/// The server is ours to look at only if it is reached by loopback, bears this machine's name (a container does not) and
/// its data directory is there.
fn is_here(session: &Session, homes: &Homes) -> bool {
    let host = session.address().host.as_str();
    let loopback = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    loopback && name.trim() == homes.hostname && homes.data.join("ibdata1").exists()
}

fn local(homes: &Homes) -> Disks {
    let (data, tmp) = (statvfs(&homes.data), statvfs(&homes.tmp));
    let same = data.is_some() && data.map(|d| d.1) == tmp.map(|t| t.1);
    Disks { data: data.map(|d| d.0), tmp: tmp.map(|t| t.0), same }
}

fn statvfs(path: &Path) -> Option<(Space, u64)> {
    use std::os::unix::fs::MetadataExt;
    let device = std::fs::metadata(path).ok()?.dev();
    let stat = nix::sys::statvfs::statvfs(path).ok()?;
    let unit = stat.fragment_size();
    Some((Space { free: stat.blocks_available() * unit, total: stat.blocks() * unit }, device))
}

async fn disks_plugin(session: &mut Session, homes: &Homes) -> Result<Disks, SqlError> {
    let rows = session.rows("SELECT Path AS p, Total AS t, Available AS a FROM information_schema.DISKS").await?;
    let mounts: Vec<(PathBuf, Space)> = rows
        .iter()
        .filter_map(|row| {
            let (total, free) = (row.parse::<u64>("t")? * 1024, row.parse::<u64>("a")? * 1024);
            Some((row.text("p")?.into(), Space { free, total }))
        })
        .collect();
    let of = |path: &Path| {
        let under = mounts.iter().filter(|mount| path.starts_with(&mount.0));
        under.max_by_key(|mount| mount.0.as_os_str().len())
    };
    let (data, tmp) = (of(&homes.data), of(&homes.tmp));
    let same = data.is_some() && data.map(|d| &d.0) == tmp.map(|t| &t.0);
    Ok(Disks { data: data.map(|d| d.1), tmp: tmp.map(|t| t.1), same })
}

/// The gate. Space may come free, so too little is a wait. Unknown passes: the plan says so in its warnings, and a full
/// disk fails the statement cleanly (1114) with the table whole.
pub fn verdict(disks: &Disks, data_needed: u64, tmp_needed: u64) -> GateVerdict {
    let data_needed = if disks.same { data_needed + tmp_needed } else { data_needed };
    let short = |what: &str, space: Option<Space>, needed: u64| {
        let space = space?;
        let reserve = reserve(space);
        (space.free < needed + reserve).then(|| {
            let [needed, free, reserve] = [needed, space.free, reserve].map(|bytes| bytes / (1 << 20));
            wait(format!("the {what} disk has {free} MB free; {needed} MB are needed and {reserve} MB stay in reserve"))
        })
    };
    short("data", disks.data, data_needed)
        .or_else(|| if disks.same { None } else { short("temporary", disks.tmp, tmp_needed) })
        .unwrap_or(GateVerdict::Pass)
}

/// A twentieth of the disk, but never more than 1 GB: the tool is called for when disks are nearly full, and a larger
/// reserve would refuse the very rebuilds that give space back.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a size in bytes"
)]
fn reserve(space: Space) -> u64 {
    ((space.total as f64 * RESERVE) as u64).min(1 << 30)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GB: u64 = 1 << 30;

    #[test]
    fn both_needs_count_on_one_disk() {
        let space = Some(Space { free: 3 * GB, total: 20 * GB });
        let apart = Disks { data: space, tmp: space, same: false };
        let together = Disks { same: true, ..apart };
        assert_eq!(verdict(&apart, 2 * GB - 1, GB), GateVerdict::Pass);
        assert!(matches!(verdict(&together, 2 * GB - 1, GB), GateVerdict::Wait { .. }));
        assert!(matches!(verdict(&apart, GB, 3 * GB), GateVerdict::Wait { .. }));
        assert_eq!(verdict(&Disks::default(), GB, GB), GateVerdict::Pass);
    }
}
