//! `launch.toml`: which services one program runs.

use crate::{
    read,
    schema::LAUNCH,
    service::ServiceType,
    source::{Read, Source},
};

/// The files of the services, by type, as they were named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// Where it was read.
    pub source: Source,
    /// `logservices`
    pub log: Vec<String>,
    /// `tnservices`
    pub tn: Vec<String>,
    /// `cnservices`
    pub cn: Vec<String>,
    /// `proxy-services`
    pub proxy: Vec<String>,
    /// `python-udf-services`
    pub python_udf: Vec<String>,
    /// `[dynamic]`
    pub dynamic: Dynamic,
}

/// `[dynamic]`: CN services on demand, which Drydock does not start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dynamic {
    /// `enable`
    pub enable: bool,
    /// `ctl-address`
    pub ctl_address: String,
    /// `cn-template`
    pub template: String,
    /// `service-count`
    pub count: u64,
    /// `cpu-count`
    pub cpus: u64,
}

impl Launch {
    /// Reads `launch.toml`.
    pub fn read(mut source: Source, text: &str) -> Read<Launch> {
        let (v, findings) = read::read(LAUNCH, &mut source, text);
        let dynamic = Dynamic {
            enable: v.flag("dynamic.enable"),
            ctl_address: v.text("dynamic.ctl-address"),
            template: v.text("dynamic.cn-template"),
            count: v.whole("dynamic.service-count"),
            cpus: v.whole("dynamic.cpu-count"),
        };
        let (log, tn, cn) = (v.texts("logservices"), v.texts("tnservices"), v.texts("cnservices"));
        let (proxy, python_udf) = (v.texts("proxy-services"), v.texts("python-udf-services"));
        Read::new(Launch { source, log, tn, cn, proxy, python_udf, dynamic }, findings)
    }

    /// The files to read, each with what its service must be, in the order they start: the log before who writes to it.
    pub fn files(&self) -> impl Iterator<Item = (ServiceType, &str)> {
        let lists = [(ServiceType::Log, &self.log), (ServiceType::Tn, &self.tn), (ServiceType::Cn, &self.cn)];
        lists.into_iter().flat_map(|(kind, files)| files.iter().map(move |file| (kind, file.as_str())))
    }
}
