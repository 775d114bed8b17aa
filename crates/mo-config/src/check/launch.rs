//! A launch against the services it names.

use crate::{
    finding::{Finding, ordered},
    launch::Launch,
    service::{ServiceConfig, ServiceType},
};

/// Whether each file is of the type it is listed as, and what of the launch is not done.
pub fn check_launch(launch: &Launch, services: &[ServiceConfig]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (expected, file) in launch.files() {
        let read = services.iter().find(|service| service.source.file == file);
        found.extend(read.and_then(|service| other_type(service, expected)));
    }
    if launch.files().next().is_none() {
        let next = "list files under logservices, tnservices and cnservices";
        found.push(launch.source.error("", "no service to start", next));
    }
    twice(launch, &mut found);
    idle(launch, &mut found);
    ordered(found)
}

fn other_type(service: &ServiceConfig, expected: ServiceType) -> Option<Finding> {
    let actual = service.service_type.filter(|actual| *actual != expected)?;
    let (actual, expected, file) = (actual.name(), expected.name(), &service.source.file);
    let what = format!("{expected} service config \"{file}\" has service-type={actual}, expected {expected}");
    Some(service.source.error("service-type", what, "correct it, or list the file where it belongs"))
}

fn twice(launch: &Launch, found: &mut Vec<Finding>) {
    let paths: Vec<_> = launch.files().map(|(kind, file)| (kind, launch.source.path(file), file)).collect();
    for (at, (kind, path, file)) in paths.iter().enumerate() {
        if paths[..at].iter().any(|(_, other, _)| other == path) {
            found.push(launch.source.error(list(*kind), format!("{file} is listed twice"), "list each file once"));
        }
    }
}

fn list(kind: ServiceType) -> &'static str {
    match kind {
        ServiceType::Tn => "tnservices",
        ServiceType::Cn => "cnservices",
        _ => "logservices",
    }
}

/// What the original would start and Drydock does not.
fn idle(launch: &Launch, found: &mut Vec<Finding>) {
    let rules = [
        (!launch.proxy.is_empty(), "proxy-services", "list CN services; each serves SQL itself"),
        (!launch.python_udf.is_empty(), "python-udf-services", "run functions in the engine"),
        (launch.dynamic.enable, "dynamic.enable", "list the CN services under cnservices"),
    ];
    for (set, key, next) in rules {
        if set {
            found.push(launch.source.warning(key, "is not started by Drydock", next));
        }
    }
}
