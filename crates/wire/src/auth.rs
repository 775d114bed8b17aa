//! Passwords: what is kept of one, and whether a client's token shows that it knows it.

use sha1::Sha1;
use sha2::{Digest, Sha256};

/// How a client proves that it knows its password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Plugin {
    /// `mysql_native_password`: SHA-1; all old clients, and MariaDB's.
    Native,
    /// `caching_sha2_password`, always by its fast path: SHA-256.
    #[default]
    CachingSha2,
}

impl Plugin {
    /// Name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "mysql_native_password",
            Self::CachingSha2 => "caching_sha2_password",
        }
    }

    pub(crate) fn of(name: &[u8]) -> Option<Self> {
        let name = name.strip_suffix(&[0]).unwrap_or(name);
        [Self::Native, Self::CachingSha2].into_iter().find(|plugin| plugin.name().as_bytes() == name)
    }
}

/// What a server keeps of a password: twice hashed, for each plugin. The password cannot be had from it.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    native: [u8; 20],
    sha2: [u8; 32],
    empty: bool,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential(******)")
    }
}

impl Credential {
    /// Of a password; the empty one lets in without a token.
    pub fn of(password: &types::Secret) -> Self {
        let text = password.expose().as_bytes();
        Self {
            native: Sha1::digest(Sha1::digest(text)).into(),
            sha2: Sha256::digest(Sha256::digest(text)).into(),
            empty: text.is_empty(),
        }
    }

    /// Whether the token answers the nonce.
    pub(crate) fn admits(&self, plugin: Plugin, nonce: &[u8; 20], token: &[u8]) -> bool {
        // Some clients send one zero byte for no password.
        if self.empty {
            return token.is_empty() || token == [0];
        }
        match plugin {
            Plugin::Native => self.admits_native(nonce, token),
            Plugin::CachingSha2 => self.admits_sha2(nonce, token),
        }
    }

    /// Token = SHA1(password) xor SHA1(nonce, SHA1(SHA1(password))).
    fn admits_native(&self, nonce: &[u8; 20], token: &[u8]) -> bool {
        let mask = Sha1::new().chain_update(nonce).chain_update(self.native).finalize();
        token.len() == 20 && same(&Sha1::digest(xor(token, &mask)), &self.native)
    }

    /// Token = SHA256(password) xor SHA256(SHA256(SHA256(password)), nonce).
    fn admits_sha2(&self, nonce: &[u8; 20], token: &[u8]) -> bool {
        let mask = Sha256::new().chain_update(self.sha2).chain_update(nonce).finalize();
        token.len() == 32 && same(&Sha256::digest(xor(token, &mask)), &self.sha2)
    }
}

fn xor(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().zip(b).map(|(a, b)| a ^ b).collect()
}

/// Compares in a time that does not depend on where the difference is.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::Secret;

    #[test]
    fn the_right_token_is_admitted_and_no_other() {
        let (nonce, kept) = ([7; 20], Credential::of(&Secret::new("päss")));
        let native = |password: &str| {
            let mask = Sha1::new().chain_update(nonce).chain_update(Sha1::digest(Sha1::digest(password))).finalize();
            xor(&Sha1::digest(password), &mask)
        };
        let sha2 = |password: &str| {
            let mask =
                Sha256::new().chain_update(Sha256::digest(Sha256::digest(password))).chain_update(nonce).finalize();
            xor(&Sha256::digest(password), &mask)
        };
        assert!(kept.admits(Plugin::Native, &nonce, &native("päss")));
        assert!(kept.admits(Plugin::CachingSha2, &nonce, &sha2("päss")));
        assert!(!kept.admits(Plugin::Native, &nonce, &native("pass")));
        assert!(!kept.admits(Plugin::CachingSha2, &nonce, &sha2("pass")));
        assert!(!kept.admits(Plugin::CachingSha2, &[8; 20], &sha2("päss")), "a token serves one nonce");
        assert!(!kept.admits(Plugin::Native, &nonce, &[]));
        assert!(Credential::of(&Secret::default()).admits(Plugin::Native, &nonce, &[]));
    }
}
