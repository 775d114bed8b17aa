//! Names as the log service needs them.

use log::net::{Tls, TlsError, TlsFiles};
use sha2::{Digest, Sha256};

/// A cluster's number, by its name: the same on every member.
pub fn cluster(name: &str) -> u128 {
    let digest = Sha256::digest(name.as_bytes());
    digest.iter().take(16).fold(0, |number, byte| (number << 8) | u128::from(*byte))
}

/// What members prove themselves by.
pub fn tls(files: Option<&mo_config::Tls>) -> Result<Option<Tls>, TlsError> {
    let load = |files: &mo_config::Tls| {
        let (authority, certificate, key) = (files.ca.clone(), files.cert.clone(), files.key.clone());
        Tls::load(&TlsFiles { authority, certificate, key })
    };
    files.map(load).transpose()
}

#[cfg(test)]
mod tests {
    use super::cluster;

    #[test]
    fn a_name_is_one_number_everywhere() {
        assert_eq!(cluster("deployment-1"), cluster("deployment-1"));
        assert_ne!(cluster("deployment-1"), cluster("deployment-2"));
        // Written down: a release that counted otherwise would not know its own members.
        assert_eq!(format!("{:032x}", cluster("deployment-1")), "6d187e3ec9dc766201d6ab8c1f1fba57");
    }
}
