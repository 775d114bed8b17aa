//! Holds the floors table against `cargo metadata`, and each source file against the house's opening line.

use crate::table::{self, Room};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};
use std::{collections::BTreeMap, fs, path::Path};

/// A sentence for success, or every fault found.
pub fn check() -> Result<String, Vec<String>> {
    let metadata = MetadataCommand::new().no_deps().exec().map_err(|error| vec![error.to_string()])?;
    let page =
        fs::read_to_string(metadata.workspace_root.join("ARCHITECTURE.md")).map_err(|error| vec![error.to_string()])?;
    let rooms = table::read(&page);
    let mut faults = faults(&metadata, &rooms);
    faults.extend(openings(metadata.workspace_root.as_std_path()));
    if faults.is_empty() {
        Ok(format!("layers: {} rooms stand as ARCHITECTURE.md says", rooms.len()))
    } else {
        Err(faults)
    }
}

fn faults(metadata: &Metadata, rooms: &BTreeMap<String, Room>) -> Vec<String> {
    let packages = metadata.workspace_packages();
    let unlisted = packages.iter().filter(|package| !rooms.contains_key(package.name.as_str()));
    let mut faults: Vec<String> =
        unlisted.map(|package| format!("{}: not in ARCHITECTURE.md's table", package.name)).collect();
    for package in &packages {
        if let Some(room) = rooms.get(package.name.as_str()) {
            faults.extend(imports(package, room, rooms));
        }
    }
    faults
}

fn imports(package: &Package, room: &Room, rooms: &BTreeMap<String, Room>) -> Vec<String> {
    let Some(allowed) = &room.imports else { return Vec::new() };
    let inside = |kind| package.dependencies.iter().filter(move |d| d.kind == kind && rooms.contains_key(&d.name));
    let used: Vec<&str> = inside(DependencyKind::Normal).map(|dependency| dependency.name.as_str()).collect();
    let mut faults = Vec::new();
    for name in &used {
        if !allowed.contains(*name) {
            faults.push(format!("{}: imports {name}, which the table does not list", package.name));
        } else if room.floor.is_some() && rooms[*name].floor > room.floor {
            faults.push(format!("{}: imports {name} from a floor above", package.name));
        }
    }
    let idle = allowed.iter().filter(|name| !used.contains(&name.as_str()));
    faults.extend(idle.map(|name| format!("{}: the table lists {name}, which it does not import", package.name)));
    for dependency in inside(DependencyKind::Development) {
        let floor = rooms[&dependency.name].floor;
        if room.floor.is_some() && floor.is_some() && floor > room.floor {
            faults.push(format!("{}: its tests import {} from a floor above", package.name, dependency.name));
        }
    }
    faults
}

/// Every source file says in its first line which room it is, and stays under 500 lines.
fn openings(root: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for folder in ["crates", "xtask", "bench"] {
        gather(&root.join(folder), &mut files);
    }
    files.iter().filter_map(|path| fault_of(path)).collect()
}

fn fault_of(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let net = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or("").lines().count();
    if !text.starts_with("//!") {
        return Some(format!("{}: does not open with a `//!` sentence", path.display()));
    }
    (net > 500).then(|| format!("{}: {net} lines without its tests; 500 is the ceiling", path.display()))
}

fn gather(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("target") && !path.ends_with("node_modules") {
            gather(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
