//! The file of one service, read: every key that counts, with its default where the file says nothing.

mod build;
mod log;
mod neighbours;

pub use log::{BootstrapConfig, KeeperTimes, LogService, Restore};
pub use neighbours::{CnConfig, Drydock, FileService, KeeperClient, Logging, Observability, TnConfig};

use crate::source::Source;
use std::path::PathBuf;

/// What a service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServiceType {
    /// Keeps replicas of the log.
    Log,
    /// Runs or watches an engine; older files say `DN`.
    Tn,
    /// Serves SQL.
    Cn,
    /// Known, and not started: the front does its work.
    Proxy,
    /// Known, and not started.
    PythonUdf,
}

impl ServiceType {
    /// Reads a name in any case.
    pub fn read(text: &str) -> Option<Self> {
        match text.to_ascii_uppercase().as_str() {
            "LOG" => Some(Self::Log),
            "TN" | "DN" => Some(Self::Tn),
            "CN" => Some(Self::Cn),
            "PROXY" => Some(Self::Proxy),
            "PYTHON_UDF" => Some(Self::PythonUdf),
            _ => None,
        }
    }

    /// As files say it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Log => "LOG",
            Self::Tn => "TN",
            Self::Cn => "CN",
            Self::Proxy => "PROXY",
            Self::PythonUdf => "PYTHON_UDF",
        }
    }
}

/// The file of one service. Whatever its type, all tables are there: files carry more than their service uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceConfig {
    /// Where it was read.
    pub source: Source,
    /// `service-type`; nothing where the file names none that exists, which is a finding.
    pub service_type: Option<ServiceType>,
    /// `data-dir`, from the directory the program is run in.
    pub data_dir: PathBuf,
    /// `[log]`
    pub log: Logging,
    /// `[observability]`
    pub observability: Observability,
    /// `[hakeeper-client]`
    pub keeper: KeeperClient,
    /// `[[fileservice]]`, those of the file first, then those every service has.
    pub file_services: Vec<FileService>,
    /// `[logservice]`
    pub log_service: LogService,
    /// `[tn]`
    pub tn: TnConfig,
    /// `[cn]`
    pub cn: CnConfig,
    /// `[drydock]`
    pub drydock: Drydock,
}

impl ServiceConfig {
    /// The fileservice of a name, in any case.
    pub fn file_service(&self, name: &str) -> Option<&FileService> {
        self.file_services.iter().find(|service| service.name.eq_ignore_ascii_case(name))
    }

    /// The uuid that counts for the service's type.
    pub fn uuid(&self) -> &str {
        match self.service_type {
            Some(ServiceType::Log) => &self.log_service.uuid,
            Some(ServiceType::Tn) => &self.tn.uuid,
            Some(ServiceType::Cn) => &self.cn.uuid,
            _ => "",
        }
    }

    pub(crate) fn uuid_key(&self) -> &'static str {
        match self.service_type {
            Some(ServiceType::Tn) => "tn.uuid",
            Some(ServiceType::Cn) => "cn.uuid",
            _ => "logservice.uuid",
        }
    }

    pub(crate) fn is(&self, service_type: ServiceType) -> bool {
        self.service_type == Some(service_type)
    }
}
