//! Tokens: opaque, 256 random bits, kept as SHA-256 only, compared in constant time.

use crate::{Caller, Control, Role, Settings, TokenSettings, approval::person};
use runtime::Random;
use sha2::{Digest, Sha256};
use std::{collections::BTreeSet, fmt::Write as _};
use subtle::ConstantTimeEq;
use types::{Code, Failure, Secret};

/// How the actor of a caller without a token begins; the peer follows. All of them may be one person.
pub(crate) const ANONYMOUS: &str = "anonymous@";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What is kept of a token.
pub fn token_digest(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

/// A fresh token and what to keep of it. The prefix lets secret scanners find one that leaked.
pub fn new_token(random: &Random) -> (Secret, String) {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    let token = format!("dd_{}", hex(&bytes));
    let digest = token_digest(&token);
    (Secret::new(token), digest)
}

/// Refuses tokens that could never match or could not be told apart; 1001.
pub(crate) fn check_tokens(tokens: &[TokenSettings]) -> Result<(), Failure> {
    for (index, token) in tokens.iter().enumerate() {
        let digits = token.sha256.len() == 64 && token.sha256.chars().all(|c| c.is_ascii_hexdigit());
        if !digits {
            let error = format!("the token `{}` has no SHA-256 of 64 hexadecimal digits", token.name);
            let next = "store the SHA-256 of the token, not the token";
            return Err(Failure::new(Code::InvalidArgument, error, next).with("field", "auth.tokens"));
        }
        let name = token.name.trim();
        if name.is_empty() || tokens[..index].iter().any(|other| other.name == token.name) {
            let error = format!("a token is named `{name}`: names must not be empty or repeated");
            let next = "name each token once; the audit knows its holder by it";
            return Err(Failure::new(Code::InvalidArgument, error, next).with("field", "auth.tokens"));
        }
    }
    Ok(())
}

/// Refuses `auth.two_person` where there are no two people who could ask and approve; 1001.
pub(crate) fn check_two_person(settings: &Settings) -> Result<(), Failure> {
    let admins = settings.tokens.iter().filter(|token| token.role == Role::Admin);
    let admins = admins.map(|token| person(&token.name)).collect::<BTreeSet<_>>().len();
    if !settings.two_person || admins >= 2 {
        return Ok(());
    }
    let error = match settings.tokens.len() {
        0 => {
            "`auth.two_person` is set while auth.tokens is empty: without tokens all callers are one person".to_owned()
        }
        _ => format!(
            "`auth.two_person` is set with {admins} people who have a token of role admin: nobody could approve what another asked"
        ),
    };
    let next = "give two people a token of role admin each (`drydock token new`), or leave auth.two_person out";
    Err(Failure::new(Code::InvalidArgument, error, next).with("field", "auth.two_person"))
}

/// The token's entry. Every entry is compared, so time tells nothing.
fn holder<'a>(tokens: &'a [TokenSettings], token: &str) -> Option<&'a TokenSettings> {
    let digest = token_digest(token);
    tokens.iter().fold(None, |found, entry| {
        let same = entry.sha256.to_ascii_lowercase().as_bytes().ct_eq(digest.as_bytes());
        if bool::from(same) { Some(entry) } else { found }
    })
}

fn identify(settings: &Settings, token: Option<&str>, peer: &str) -> Result<Caller, Failure> {
    if settings.tokens.is_empty() {
        return Ok(Caller::new(format!("{ANONYMOUS}{peer}"), Role::Admin));
    }
    let next = "send `Authorization: Bearer dd_…` with a token from auth.tokens";
    let token = token.ok_or_else(|| Failure::new(Code::Forbidden, "this server wants a token", next))?;
    let entry = holder(&settings.tokens, token)
        .ok_or_else(|| Failure::new(Code::Forbidden, "the token is not one of this server's", next))?;
    let caller = Caller::new(entry.name.clone(), entry.role);
    Ok(match &entry.groups {
        Some(groups) => caller.limited_to(groups.iter().cloned()),
        None => caller,
    })
}

impl Control {
    /// Who holds this bearer token. Without configured tokens everyone is `anonymous@<peer>` with all rights, which
    /// the door allows on loopback only. 1008 for a missing or unknown token.
    pub fn authenticate(&self, token: Option<&str>, peer: &str) -> Result<Caller, Failure> {
        identify(&self.settings(), token, peer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(tokens: &[(&str, Role, &str)]) -> Settings {
        let entry = |(name, role, token): &(&str, Role, &str)| TokenSettings {
            name: (*name).to_owned(),
            role: *role,
            sha256: token_digest(token).to_uppercase(),
            groups: None,
        };
        Settings { tokens: tokens.iter().map(entry).collect(), ..Settings::default() }
    }

    #[test]
    fn a_token_opens_for_its_holder_only() {
        let settings = settings(&[("ann", Role::Viewer, "dd_a"), ("bob", Role::Admin, "dd_b")]);
        assert_eq!(identify(&settings, Some("dd_b"), "::1"), Ok(Caller::new("bob", Role::Admin)));
        assert_eq!(identify(&settings, Some("dd_a"), "::1"), Ok(Caller::new("ann", Role::Viewer)));
        for wrong in [None, Some(""), Some("dd_c"), Some("dd_a ")] {
            let refused = identify(&settings, wrong, "::1").unwrap_err();
            assert_eq!(refused.code, Code::Forbidden);
            assert!(!refused.to_string().contains("dd_c"));
        }
    }

    #[test]
    fn without_tokens_everyone_is_anonymous() {
        assert_eq!(identify(&Settings::default(), None, "127.0.0.1").unwrap().actor, "anonymous@127.0.0.1");
    }

    #[test]
    fn new_tokens_differ_and_match_their_digest() {
        let random = Random::real();
        let ((one, digest), (two, _)) = (new_token(&random), new_token(&random));
        assert_ne!(one, two);
        assert_eq!(token_digest(one.expose()), digest);
        assert_eq!(one.expose().len(), 3 + 64);
    }

    #[test]
    fn tokens_that_cannot_work_are_refused() {
        let mut settings = settings(&[("ann", Role::Viewer, "a"), ("ann", Role::Viewer, "b")]);
        assert!(check_tokens(&settings.tokens).unwrap_err().to_string().contains("ann"));
        settings.tokens[1] =
            TokenSettings { name: "x".into(), role: Role::Admin, sha256: "dd_plain".into(), groups: None };
        let refused = check_tokens(&settings.tokens).unwrap_err();
        assert!(!refused.to_string().contains("dd_plain"), "a token put there by mistake is not repeated");
    }
}
