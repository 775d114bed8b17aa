//! Certificates that are half named, and doors open to others without any.

use crate::{
    finding::Finding,
    reach,
    service::{ServiceConfig, ServiceType},
};

pub(super) fn check(service: &ServiceConfig, found: &mut Vec<Finding>) {
    let ours = &service.drydock;
    let tls = [("ca", &ours.ca), ("cert", &ours.cert), ("key", &ours.key)];
    let missing: Vec<&str> = tls.iter().filter(|(_, file)| file.is_empty()).map(|(key, _)| *key).collect();
    if !missing.is_empty() && missing.len() < tls.len() {
        let what = format!("{} not set: members could not prove who they are", missing.join(" and "));
        found.push(service.source.error("drydock.tls", what, "name ca, cert and key, or none of them"));
    }
    sql(service, found);
    if service.is(ServiceType::Log) && missing.len() == tls.len() {
        open(service, found);
    }
}

fn sql(service: &ServiceConfig, found: &mut Vec<Finding>) {
    let (ours, theirs) = (&service.drydock, &service.cn);
    if ours.sql_cert.is_empty() != ours.sql_key.is_empty() {
        let what = "sql-tls-cert and sql-tls-key go together";
        found.push(service.source.error("drydock.sql-tls-cert", what, "name both, or neither"));
        return;
    }
    let half = theirs.tls && (theirs.tls_cert.is_empty() || theirs.tls_key.is_empty());
    if service.is(ServiceType::Cn) && half && ours.sql_cert.is_empty() {
        let next = "name tlsCertFile and tlsKeyFile, or sql-tls-cert and sql-tls-key in [drydock]";
        found.push(service.source.error("cn.frontend.enableTls", "TLS is on without a certificate or its key", next));
    }
}

/// The doors of a store take orders from whoever knocks, unless members show certificates.
fn open(service: &ServiceConfig, found: &mut Vec<Finding>) {
    let log = &service.log_service;
    for (name, door) in [("raft", &log.raft), ("logservice", &log.service), ("gossip", &log.gossip)] {
        let bound = door.listening(&log.service_host);
        let wide = reach::split(&bound).is_some_and(|(host, _)| reach::is_wildcard(host) || !reach::is_local(host));
        if wide {
            let what = format!("{bound} is open to other hosts, and whoever reaches it can write to the log");
            let next = "name ca, cert and key in [drydock.tls], or listen on 127.0.0.1";
            found.push(service.source.warning(&open_key(service, name), what, next));
        }
    }
}

fn open_key(service: &ServiceConfig, door: &str) -> String {
    let keys = ["listen-address", "port", "address"].map(|what| format!("logservice.{door}-{what}"));
    let said = keys.iter().find(|key| service.source.says(key));
    said.unwrap_or(&keys[2]).clone()
}
