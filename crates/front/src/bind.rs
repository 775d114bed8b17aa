//! Whether the door may open where it is told to: loopback is open, anything else needs passwords of its own.

use crate::Accounts;
use std::net::SocketAddr;
use types::{Code, Failure};

/// Refuses an address that others can reach while an account has a password everybody knows; 1001 with the way out.
pub fn check_bind(address: SocketAddr, accounts: &Accounts) -> Result<(), Failure> {
    let open = accounts.open();
    if address.ip().to_canonical().is_loopback() || open.is_empty() {
        return Ok(());
    }
    let who = open.join(", ");
    let error = format!("SQL on {address} would let in anyone who reaches it: {who} has the default password or none");
    let next = "give the account a password of its own, or listen on 127.0.0.1";
    Err(Failure::new(Code::InvalidArgument, error, next).with("field", "sql"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::Secret;
    use wire::Credential;

    #[test]
    fn only_loopback_is_open_to_the_default_password() {
        let at = |text: &str| -> SocketAddr { text.parse().unwrap() };
        let own = Accounts::none().admin("root", Credential::of(&Secret::new("its own")));
        for open in ["127.0.0.1:6001", "[::1]:6001", "[::ffff:127.0.0.1]:6001"] {
            assert_eq!(check_bind(at(open), &Accounts::default()), Ok(()), "{open}");
        }
        for shut in ["0.0.0.0:6001", "[::]:6001", "10.0.0.1:6001"] {
            let refused = check_bind(at(shut), &Accounts::default()).unwrap_err();
            assert_eq!(refused.code, Code::InvalidArgument);
            assert!(refused.to_string().contains("root has the default password"), "{refused}");
            assert_eq!(check_bind(at(shut), &own), Ok(()), "{shut}");
        }
    }
}
