//! `token new`: a token for the REST doors, and the entry that lets it in.

use crate::{args::TokenCommand, output::Sink};
use runtime::Random;
use sha2::{Digest, Sha256};
use std::{fmt::Write, process::ExitCode};
use types::Failure;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// 256 bits; only the hash is meant to be kept. The prefix lets secret scanners find a lost one.
fn make() -> (String, String) {
    let mut bytes = [0; 32];
    Random::secret(&mut bytes);
    let token = format!("ddk_{}", hex(&bytes));
    let hash = hex(&Sha256::digest(token.as_bytes()));
    (token, hash)
}

/// Prints both.
pub fn run(command: &TokenCommand) -> Result<ExitCode, Failure> {
    let TokenCommand::New { name, role } = command;
    let (token, hash) = make();
    // A JSON text is a YAML text, whatever the name holds.
    let name = serde_json::Value::from(name.as_str());
    Sink::Stdout.write(&format!(
        "token: {token}\nsha256: {hash}\n\n# in config.yaml; the token itself is shown this once and kept nowhere\n\
         auth:\n  tokens:\n    - name: {name}\n      role: {role}\n      sha256: {hash}"
    ))?;
    Ok(ExitCode::SUCCESS)
}
