//! Passwords: what is kept of one, and whether a client's token shows that it knows it.

use sha1::Sha1;
use sha2::{Digest, Sha256};

/// How a client proves that it knows its password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Plugin {
    /// `mysql_native_password`: SHA-1; all old clients, and MariaDB's.
    Native,
    /// `caching_sha2_password`: SHA-256; by its fast path where enough is kept of the password, else by the password itself over TLS.
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
    /// `None` where only the older hash was handed down.
    sha2: Option<[u8; 32]>,
    empty: bool,
}

/// What a token is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It shows that the client knows the password.
    Admitted,
    /// It does not.
    Denied,
    /// That cannot be told from it: the password itself is needed.
    PasswordNeeded,
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
            sha2: Some(Sha256::digest(Sha256::digest(text)).into()),
            empty: text.is_empty(),
        }
    }

    /// Of what `mysql_native_password` keeps of a password that is not empty: SHA1(SHA1(password)).
    pub fn of_native(native: [u8; 20]) -> Self {
        Self { native, sha2: None, empty: false }
    }

    /// Whether the token answers the nonce.
    pub(crate) fn judge(&self, plugin: Plugin, nonce: &[u8; 20], token: &[u8]) -> Verdict {
        let admitted = match (plugin, self.sha2) {
            // Some clients send one zero byte for no password.
            _ if self.empty => token.is_empty() || token == [0],
            (Plugin::Native, _) => self.admits_native(nonce, token),
            (Plugin::CachingSha2, Some(kept)) => admits_sha2(&kept, nonce, token),
            (Plugin::CachingSha2, None) if token.len() == 32 => return Verdict::PasswordNeeded,
            (Plugin::CachingSha2, None) => false,
        };
        if admitted { Verdict::Admitted } else { Verdict::Denied }
    }

    /// Whether this is the password.
    pub(crate) fn is_of(&self, password: &[u8]) -> bool {
        same(&Sha1::digest(Sha1::digest(password)), &self.native)
    }

    /// Token = SHA1(password) xor SHA1(nonce, SHA1(SHA1(password))).
    fn admits_native(&self, nonce: &[u8; 20], token: &[u8]) -> bool {
        let mask = Sha1::new().chain_update(nonce).chain_update(self.native).finalize();
        token.len() == 20 && same(&Sha1::digest(xor(token, &mask)), &self.native)
    }
}

/// Token = SHA256(password) xor SHA256(SHA256(SHA256(password)), nonce).
fn admits_sha2(kept: &[u8; 32], nonce: &[u8; 20], token: &[u8]) -> bool {
    let mask = Sha256::new().chain_update(kept).chain_update(nonce).finalize();
    token.len() == 32 && same(&Sha256::digest(xor(token, &mask)), kept)
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
        let admits = |kept: &Credential, plugin, nonce: &[u8; 20], token: &[u8]| {
            kept.judge(plugin, nonce, token) == Verdict::Admitted
        };
        assert!(admits(&kept, Plugin::Native, &nonce, &native("päss")));
        assert!(admits(&kept, Plugin::CachingSha2, &nonce, &sha2("päss")));
        assert!(!admits(&kept, Plugin::Native, &nonce, &native("pass")));
        assert!(!admits(&kept, Plugin::CachingSha2, &nonce, &sha2("pass")));
        assert!(!admits(&kept, Plugin::CachingSha2, &[8; 20], &sha2("päss")), "a token serves one nonce");
        assert!(!admits(&kept, Plugin::Native, &nonce, &[]));
        assert!(admits(&Credential::of(&Secret::default()), Plugin::Native, &nonce, &[]));
        let old = Credential::of_native(kept.native);
        assert!(admits(&old, Plugin::Native, &nonce, &native("päss")));
        assert_eq!(old.judge(Plugin::CachingSha2, &nonce, &sha2("päss")), Verdict::PasswordNeeded);
        assert_eq!(old.judge(Plugin::CachingSha2, &nonce, &[]), Verdict::Denied, "no password is no password");
        assert!(old.is_of("päss".as_bytes()) && !old.is_of(b"pass"));
    }
}
