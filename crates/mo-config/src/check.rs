//! What cannot work although every line reads well: settings that contradict each other, in one file or between files.

mod addresses;
mod bootstrap;
mod files;
mod launch;
mod required;
mod security;
mod together;
mod traps;

pub use launch::check_launch;

use crate::{
    finding::{Finding, ordered},
    service::{ServiceConfig, ServiceType},
};

/// Holds the services of one launch against the rules and against each other; a single one is a launch of its own.
pub fn check(services: &[ServiceConfig]) -> Vec<Finding> {
    let mut found = Vec::new();
    for service in services {
        alone(service, &mut found);
        among(service, services, &mut found);
    }
    together::check(services, &mut found);
    ordered(found)
}

fn alone(service: &ServiceConfig, found: &mut Vec<Finding>) {
    required::check(service, found);
    files::check(service, found);
    security::check(service, found);
    if service.is(ServiceType::Log) {
        bootstrap::check(service, found);
        traps::check(service, found);
    }
}

fn among(service: &ServiceConfig, all: &[ServiceConfig], found: &mut Vec<Finding>) {
    let stores: Vec<&ServiceConfig> = all.iter().filter(|service| service.is(ServiceType::Log)).collect();
    addresses::check(service, &stores, found);
    files::among(service, all, found);
    if service.is(ServiceType::Log) {
        bootstrap::among(service, &stores, found);
    }
}
