//! Takes `--password` out of the process list: the program starts itself again without it, the password in its
//! environment, which only the same account can read.

use crate::config::MOVED_PASSWORD;
use std::{
    ffi::{OsStr, OsString},
    os::unix::{ffi::OsStrExt, process::CommandExt},
    process::Command,
};

const FLAG: &str = "--password";

/// Arguments without the password, and the password.
fn split(arguments: &[OsString]) -> Option<(Vec<OsString>, OsString)> {
    let mut rest = Vec::new();
    let mut password = None;
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            rest.push(word.clone());
            rest.extend(words.by_ref().cloned());
        } else if word == FLAG {
            // The last word stays, so that the reader says what is missing.
            match words.next() {
                Some(value) => password = Some(value.clone()),
                None => rest.push(word.clone()),
            }
        } else if let Some(value) = word.as_bytes().strip_prefix(b"--password=") {
            password = Some(OsStr::from_bytes(value).to_owned());
        } else {
            rest.push(word.clone());
        }
    }
    password.map(|password| (rest, password))
}

/// Does not return if there was a password to move. Where starting again fails, the arguments stay as they are and
/// the caller is told the reason.
pub fn hide_password(arguments: &[OsString]) -> Option<std::io::Error> {
    let (rest, password) = split(arguments)?;
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return Some(error),
    };
    let mut command = Command::new(program);
    if let Some(name) = rest.first() {
        command.arg0(name);
    }
    Some(command.args(rest.iter().skip(1)).env(MOVED_PASSWORD, password).exec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn the_password_is_found_in_both_spellings_and_nothing_else_is_touched() {
        for line in ["d recycle --password pw --host h", "d recycle --password=pw --host h"] {
            assert_eq!(split(&words(line)), Some((words("d recycle --host h"), "pw".into())), "{line}");
        }
        for line in ["d recycle --host h", "d recycle --password-file f", "d recycle --password", "d x -- --password y"]
        {
            assert_eq!(split(&words(line)), None, "{line}");
        }
    }
}
