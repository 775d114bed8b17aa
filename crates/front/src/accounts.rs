//! Who may come in, and who may see and set the log service.

use std::collections::BTreeMap;
use types::Secret;
use wire::Credential;

/// The account of a new installation, and the password `MatrixOne` gives it.
const DEFAULT: (&str, &str) = ("root", "111");
/// The only tenant there is.
const TENANT: &str = "sys";
/// The role that administers, and the one everybody has.
const ROLES: (&str, &str) = ("moadmin", "public");

/// What is kept of one account.
#[derive(Debug, Clone)]
struct Account {
    credential: Credential,
    admin: bool,
}

/// Accounts by name. A client may write the name as `user`, `sys#user` or `sys#user#role`, with `:` for `#` as well.
#[derive(Debug, Clone)]
pub struct Accounts(BTreeMap<String, Account>);

impl Default for Accounts {
    /// `root` with the password everybody knows: for loopback only.
    fn default() -> Self {
        Self::none().admin(DEFAULT.0, Credential::of(&Secret::new(DEFAULT.1)))
    }
}

/// A name as a client writes it, taken apart.
struct Login<'a> {
    user: &'a str,
    role: Option<&'a str>,
}

impl Accounts {
    /// Nobody.
    pub fn none() -> Self {
        Self(BTreeMap::new())
    }

    /// With one that may see and set the log service.
    #[must_use]
    pub fn admin(self, user: &str, credential: Credential) -> Self {
        self.with(user, Account { credential, admin: true })
    }

    /// With one that may only come in.
    #[must_use]
    pub fn guest(self, user: &str, credential: Credential) -> Self {
        self.with(user, Account { credential, admin: false })
    }

    fn with(mut self, user: &str, account: Account) -> Self {
        self.0.insert(user.to_owned(), account);
        self
    }

    /// Those whose password everybody knows, or that have none.
    pub(crate) fn open(&self) -> Vec<&str> {
        let known = [DEFAULT.1, ""].map(|password| Credential::of(&Secret::new(password)));
        let open = self.0.iter().filter(|(_, account)| known.contains(&account.credential));
        open.map(|(user, _)| user.as_str()).collect()
    }

    /// What is kept of the password of whoever writes this name.
    pub(crate) fn credential(&self, name: &str) -> Option<Credential> {
        self.find(name).map(|(account, _)| account.credential.clone())
    }

    /// Whether whoever writes this name administers, in the role it came in.
    pub(crate) fn is_admin(&self, name: &str) -> bool {
        self.find(name).is_some_and(|(account, role)| account.admin && role != Some(ROLES.1))
    }

    fn find<'a>(&self, name: &'a str) -> Option<(&Account, Option<&'a str>)> {
        let login = Login::read(name)?;
        let account = self.0.get(login.user)?;
        let granted = login.role.is_none_or(|role| role == ROLES.1 || role == ROLES.0 && account.admin);
        granted.then_some((account, login.role))
    }
}

impl<'a> Login<'a> {
    /// Labels behind a `?` are not for us.
    fn read(name: &'a str) -> Option<Self> {
        let name = name.split('?').next().unwrap_or_default();
        let separator = ["%3A", ":", "#"].into_iter().find(|separator| name.contains(separator));
        let parts: Vec<&str> = separator.map_or_else(|| vec![name], |separator| name.split(separator).collect());
        match parts[..] {
            [user] | [TENANT, user] => Some(Self { user, role: None }),
            [TENANT, user, role] => Some(Self { user, role: Some(role) }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_account_goes_by_many_names() {
        let accounts = Accounts::default();
        for name in ["root", "sys#root", "sys:root", "sys%3Aroot", "sys#root#moadmin", "sys:root:moadmin", "root?a=b"] {
            assert!(accounts.credential(name).is_some() && accounts.is_admin(name), "{name}");
        }
        for name in ["", "sys#", "other#root", "sys#root#", "sys#root#accountadmin", "a#sys#root#moadmin", "Root"] {
            assert!(accounts.credential(name).is_none() && !accounts.is_admin(name), "{name}");
        }
    }

    #[test]
    fn a_guest_and_an_admin_in_the_common_role_do_not_administer() {
        let accounts = Accounts::default().guest("reader", Credential::of(&Secret::new("r")));
        assert!(accounts.credential("reader").is_some() && !accounts.is_admin("reader"));
        assert!(accounts.credential("sys#reader#moadmin").is_none(), "a role it was not given");
        assert!(accounts.credential("sys#root#public").is_some() && !accounts.is_admin("sys#root#public"));
    }

    #[test]
    fn passwords_that_everybody_knows_are_named() {
        let accounts = Accounts::default().guest("empty", Credential::of(&Secret::default()));
        assert_eq!(accounts.open(), ["empty", "root"]);
        assert_eq!(Accounts::none().admin("root", Credential::of(&Secret::new("112"))).open(), Vec::<&str>::new());
    }
}
