//! Gate `data_loss_bug`: builds on which an online rebuild can lose rows when purge or writes run beside it.
//!
//! MySQL replaced its online rebuild in 8.0.27; since then `ALGORITHM=INPLACE` can drop rows while purge works on the
//! table (bugs #113812, #115608). The fix of 8.0.41 / 8.4.4 / 9.2 closed that and opened another (bug #117436; Percona
//! PS-9703, percona-server pull request 5597, describes it). No release note we could read names a version of
//! Oracle's MySQL with both closed, so every one from 8.0.27 on counts as affected. Percona Server fixed the first in
//! 8.0.39-30 and 8.4.2-2, took over upstream's half fix in 8.0.41-32 and 8.4.4-4, and fixed that in 8.0.42-33 and
//! 8.4.5-5. MariaDB's own race (MDEV-36122) was fixed in 10.6.22, 10.11.12, 11.4.6 and 11.8.2.
//!
//! `ALGORITHM=COPY` reads rows through the handler and blocks writes, so it is safe; so is `REBUILD PARTITION`, which
//! on MySQL copies rows as well and never enters the online loader (measured on 9.7.4: no `stage/innodb/alter table`
//! event is raised).

use api::GateVerdict;
use mysql::{Flavor, Version};

/// Why an online rebuild is not to be trusted on this build; `None` if it is.
pub fn affected(flavor: Flavor, version: Version) -> Option<&'static str> {
    let hit = match flavor {
        Flavor::MySql => version >= Version(8, 0, 27),
        Flavor::Percona => percona(version),
        Flavor::MariaDb => mariadb(version),
        Flavor::Other => true,
    };
    hit.then_some(match flavor {
        Flavor::MySql | Flavor::Percona => "MySQL bugs #113812, #115608, #117436: an online rebuild may lose rows",
        Flavor::MariaDb => "MDEV-36122: an online rebuild may lose rows",
        Flavor::Other => "an unknown engine: an online rebuild is not to be trusted",
    })
}

fn percona(version: Version) -> bool {
    let Version(major, minor, patch) = version;
    match (major, minor) {
        (8, 0) => (27..39).contains(&patch) || patch == 41,
        (8, 4) => patch < 2 || patch == 4,
        (8, _) => true,
        (major, _) => major >= 9,
    }
}

fn mariadb(Version(major, minor, patch): Version) -> bool {
    match (major, minor) {
        (10, 6) => patch < 22,
        (10, 11) => patch < 12,
        (11, 4) => patch < 6,
        (11, 8) => patch < 2,
        (10 | 11, _) => true,
        (major, _) => major < 10,
    }
}

/// The gate: refuses an online rebuild on an affected build, passes everything else.
pub fn verdict(flavor: Flavor, version: Version, online: bool) -> GateVerdict {
    match affected(flavor, version) {
        Some(reason) if online => GateVerdict::Refuse { reason: format!("{reason}; a copying rebuild is safe") },
        _ => GateVerdict::Pass,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_fall_on_the_right_side() {
        let cases = [
            (Flavor::MySql, Version(8, 0, 26), false),
            (Flavor::MySql, Version(8, 0, 27), true),
            (Flavor::MySql, Version(8, 0, 41), true),
            (Flavor::MySql, Version(5, 7, 44), false),
            (Flavor::MySql, Version(9, 7, 4), true),
            (Flavor::Percona, Version(8, 0, 37), true),
            (Flavor::Percona, Version(8, 0, 39), false),
            (Flavor::Percona, Version(8, 0, 41), true),
            (Flavor::Percona, Version(8, 0, 42), false),
            (Flavor::Percona, Version(8, 4, 0), true),
            (Flavor::Percona, Version(8, 4, 3), false),
            (Flavor::Percona, Version(8, 4, 4), true),
            (Flavor::Percona, Version(8, 4, 5), false),
            (Flavor::MariaDb, Version(10, 6, 21), true),
            (Flavor::MariaDb, Version(10, 6, 22), false),
            (Flavor::MariaDb, Version(10, 11, 19), false),
            (Flavor::MariaDb, Version(11, 5, 2), true),
            (Flavor::MariaDb, Version(11, 8, 9), false),
            (Flavor::MariaDb, Version(12, 0, 1), false),
            (Flavor::Other, Version(8, 0, 20), true),
        ];
        for (flavor, version, expected) in cases {
            assert_eq!(affected(flavor, version).is_some(), expected, "{flavor:?} {version}");
        }
    }

    #[test]
    fn only_online_rebuilds_are_refused() {
        assert_eq!(verdict(Flavor::MySql, Version(9, 7, 4), false), GateVerdict::Pass);
        assert!(matches!(verdict(Flavor::MySql, Version(9, 7, 4), true), GateVerdict::Refuse { .. }));
    }
}
