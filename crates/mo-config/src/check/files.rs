//! Fileservices: what a standby needs, and copies that would find no files or overwrite the originals.

use crate::{
    finding::Finding,
    service::{FileService, ServiceConfig, ServiceType},
};

const BACKENDS: [&str; 7] = ["MEM", "DISK", "DISK-V2", "DISK-ETL", "DISK-TMP", "S3", "MINIO"];

pub(super) fn check(service: &ServiceConfig, found: &mut Vec<Finding>) {
    for (at, files) in service.file_services.iter().enumerate() {
        one(service, files, found);
        let before = &service.file_services[..at];
        if let Some(other) = before.iter().find(|other| other.name.eq_ignore_ascii_case(&files.name)) {
            let what = format!("there are two fileservices named {}", other.name);
            found.push(service.source.error(&files.key("name"), what, "remove one; S3 is another name of SHARED"));
        }
    }
    if service.is(ServiceType::Log) {
        standby(service, found);
    }
}

fn one(service: &ServiceConfig, files: &FileService, found: &mut Vec<Finding>) {
    if files.name.is_empty() {
        let next = "write LOCAL, SHARED, ETL or STANDBY";
        found.push(service.source.error(&files.key("name"), "a fileservice has no name", next));
    }
    if !BACKENDS.contains(&files.backend.as_str()) {
        let what = format!("file service backend {} not implemented", files.backend);
        found.push(service.source.error(&files.key("backend"), what, format!("write one of {}", BACKENDS.join(", "))));
    }
}

/// The original panics at start where a standby has no fileservice of its own.
fn standby(service: &ServiceConfig, found: &mut Vec<Finding>) {
    let Some(standby) = service.file_service("STANDBY") else {
        if service.log_service.bootstrap.standby {
            let what = "standby-enabled without a fileservice STANDBY";
            let next = "add [[fileservice]] name = \"STANDBY\", backend = \"DISK\", data-dir = \"mo-data/standby\"";
            found.push(service.source.error("logservice.BootstrapConfig.standby-enabled", what, next));
        }
        return;
    };
    if standby.backend == "MEM" {
        let what = "copies for the standby would be gone after a restart";
        found.push(service.source.error(&standby.key("backend"), what, "write DISK, or S3 with its bucket"));
    }
    same_place(service, standby, found);
    format_of_shared(service, standby, found);
}

fn same_place(service: &ServiceConfig, standby: &FileService, found: &mut Vec<Finding>) {
    let mut others = service.file_services.iter().filter(|other| other.index != standby.index);
    if let Some(other) = others.find(|other| standby.on_disk() && other.on_disk() && other.data_dir == standby.data_dir)
    {
        let what =
            format!("STANDBY and {} share a directory: copies would overwrite what they are copies of", other.name);
        found.push(service.source.error(&standby.key("data-dir"), what, "give STANDBY a directory of its own"));
    }
}

/// DISK frames blocks with checksums and DISK-V2 does not: files copied from one are unreadable to the other.
fn format_of_shared(service: &ServiceConfig, standby: &FileService, found: &mut Vec<Finding>) {
    let Some(shared) = service.file_service("SHARED") else { return };
    if standby.on_disk() && shared.on_disk() && standby.backend != shared.backend {
        let what = format!(
            "STANDBY is {} and SHARED is {}: one cannot read the other's files",
            standby.backend, shared.backend
        );
        found.push(service.source.warning(&standby.key("backend"), what, format!("write {}", shared.backend)));
    }
}

/// Where the log and the engine see different shared files, the original copies nothing and says nothing. The log here carries
/// the transactions themselves, so this is a warning: seed 004's own log files beside the shipped tn.toml are such a pair.
pub(super) fn among(service: &ServiceConfig, all: &[ServiceConfig], found: &mut Vec<Finding>) {
    if !service.is(ServiceType::Log) {
        return;
    }
    let neighbours = all.iter().filter(|other| other.is(ServiceType::Tn) || other.is(ServiceType::Cn));
    for other in neighbours {
        let (Some(mine), Some(theirs)) = (service.file_service("SHARED"), other.file_service("SHARED")) else {
            continue;
        };
        if place(mine) != place(theirs) {
            let what = format!(
                "SHARED is {} in {}, and {} in {}: copies for a standby would find no files",
                said(mine),
                service.source.file,
                said(theirs),
                other.source.file
            );
            let next = "write the same [[fileservice]] SHARED in both files";
            found.push(service.source.warning(&mine.key("data-dir"), what, next));
        }
    }
}

fn place(files: &FileService) -> (&str, Option<&std::path::Path>, &str, &str, &str) {
    let dir = files.on_disk().then_some(files.data_dir.as_path());
    (&files.backend, dir, &files.endpoint, &files.bucket, &files.prefix)
}

fn said(files: &FileService) -> String {
    if files.on_disk() { format!("{} {}", files.backend, files.data_dir.display()) } else { files.backend.clone() }
}
