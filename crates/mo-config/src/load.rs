//! The only place that opens files: a launch with all of its services, or one service.

use crate::{
    check::{check, check_launch},
    finding::{Finding, ordered},
    launch::Launch,
    service::ServiceConfig,
    source::Source,
};
use std::{fs, path::Path};

/// Everything that was read, and everything that was found, in the order of the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Absent where a service was named directly, or the launch's file cannot be read.
    pub launch: Option<Launch>,
    /// Those that could be read.
    pub services: Vec<ServiceConfig>,
    /// What is wrong with them, each alone and all together.
    pub findings: Vec<Finding>,
}

/// `mo-service -launch FILE`, run in `base`.
pub fn load_launch(file: &str, base: &Path) -> Loaded {
    let mut loaded = Loaded { launch: None, services: Vec::new(), findings: Vec::new() };
    let Some((source, text)) = loaded.open(file, base) else { return loaded };
    let read = Launch::read(source, &text);
    loaded.findings.extend(read.findings);
    for (_, file) in read.value.files() {
        loaded.service(file, base);
    }
    loaded.findings.extend(check_launch(&read.value, &loaded.services));
    loaded.launch = Some(read.value);
    loaded.checked()
}

/// `mo-service -cfg FILE`, run in `base`.
pub fn load_service(file: &str, base: &Path) -> Loaded {
    let mut loaded = Loaded { launch: None, services: Vec::new(), findings: Vec::new() };
    loaded.service(file, base);
    loaded.checked()
}

impl Loaded {
    fn service(&mut self, file: &str, base: &Path) {
        if let Some((source, text)) = self.open(file, base) {
            let read = ServiceConfig::read(source, &text);
            self.findings.extend(read.findings);
            self.services.push(read.value);
        }
    }

    fn open(&mut self, file: &str, base: &Path) -> Option<(Source, String)> {
        let source = Source::new(file, base);
        match fs::read_to_string(source.sibling(file)) {
            Ok(text) => Some((source, text)),
            Err(error) => {
                let next = format!("name a file that is there; paths start at {}", base.display());
                self.findings.push(source.error("", format!("cannot be read: {error}"), next));
                None
            }
        }
    }

    fn checked(mut self) -> Self {
        self.findings.extend(check(&self.services));
        self.findings = ordered(self.findings);
        self
    }
}
