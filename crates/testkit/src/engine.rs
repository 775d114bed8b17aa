//! Which servers can be had here, and where their programs and initialised data directories lie.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A server program a fleet can be made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engine {
    /// The distribution's MariaDB.
    MariaDb,
    /// A current MySQL, unpacked beside the system by `tools/unpack-mysql`.
    MySql,
}

/// The argument that makes a server keep names in small letters.
pub(crate) const FOLD_NAMES: &str = "--lower-case-table-names=1";

/// Where downloaded servers and templates are kept: `$DRYDOCK_CACHE`, else `.cache` at the workspace root.
fn cache() -> PathBuf {
    let root = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.cache");
    std::env::var_os("DRYDOCK_CACHE").map_or_else(root, PathBuf::from)
}

/// Where MySQL is unpacked.
pub(crate) fn unpacked() -> PathBuf {
    cache().join("mysql")
}

impl Engine {
    /// Every engine that can run here. MariaDB must; MySQL may be missing where it cannot be downloaded.
    pub fn available() -> Vec<Engine> {
        [Engine::MariaDb, Engine::MySql].into_iter().filter(|engine| engine.is_available()).collect()
    }

    /// Whether its programs are here.
    pub fn is_available(self) -> bool {
        match self {
            Engine::MariaDb => {
                ["/usr/sbin/mariadbd", "/usr/libexec/mariadbd"].iter().any(|path| Path::new(path).exists())
            }
            Engine::MySql => Self::runner().exists(),
        }
    }

    /// Word for messages and paths.
    pub fn name(self) -> &'static str {
        match self {
            Engine::MariaDb => "mariadb",
            Engine::MySql => "mysql",
        }
    }

    fn runner() -> PathBuf {
        unpacked().join("my")
    }

    /// A client program of this engine, such as `binlog` or `check`: `mariadb-binlog`, or the unpacked `mysqlbinlog`.
    pub fn tool(self, name: &str) -> Command {
        match self {
            Engine::MariaDb => Command::new(format!("mariadb-{name}")),
            Engine::MySql => {
                let mut command = Command::new(Self::runner());
                command.arg(format!("mysql{name}"));
                command
            }
        }
    }

    /// A command that starts the server program; `setpriv` ends it with us, however we end.
    pub(crate) fn server(self) -> Command {
        self.server_by(&Self::runner())
    }

    /// The same with another runner of the unpacked MySQL.
    pub(crate) fn server_by(self, runner: &Path) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]);
        match self {
            Engine::MariaDb => command.args(["mariadbd", "--no-defaults"]),
            Engine::MySql => command.arg(runner).args(["mysqld", "--no-defaults"]).args(Self::homes()),
        };
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    /// Where an unpacked MySQL finds what a system install has under `/usr`.
    fn homes() -> Vec<String> {
        let root = cache().join("mysql/root/usr");
        let root = root.canonicalize().unwrap_or(root);
        let share = root.join("share/mysql");
        vec![
            format!("--basedir={}", root.display()),
            format!("--lc-messages-dir={}", share.display()),
            format!("--character-sets-dir={}", share.join("charsets").display()),
            format!("--plugin-dir={}", root.join("lib/mysql/plugin").display()),
            "--secure-file-priv=NULL".to_owned(),
            "--mysqlx=OFF".to_owned(),
        ]
    }

    /// An initialised data directory to copy, made once per machine, page size and way with names, under a lock.
    pub(crate) fn template(self, page_kib: u32, fold_names: bool) -> PathBuf {
        let size = if page_kib == 0 { String::new() } else { format!("-{page_kib}k") };
        let fold = if fold_names { "-folded" } else { "" };
        let (directory, ready) = (cache().join(format!("template-{}{size}{fold}", self.name())), ".ready");
        std::fs::create_dir_all(cache()).expect("the cache directory can be made");
        let lock = File::create(cache().join(format!("{}.lock", self.name()))).expect("a lock file can be made");
        lock.lock().expect("the template lock can be taken");
        if !directory.join(ready).exists() {
            let _ = std::fs::remove_dir_all(&directory);
            self.initialise(&directory, page_kib, fold_names);
            File::create(directory.join(ready)).expect("the template can be marked ready");
        }
        directory
    }

    fn initialise(self, directory: &Path, page_kib: u32, fold_names: bool) {
        let data = format!("--datadir={}", directory.display());
        let user = format!("--user={}", current_user());
        let mut command = match self {
            Engine::MariaDb => {
                let mut command = Command::new("mariadb-install-db");
                command.args([
                    "--no-defaults",
                    "--auth-root-authentication-method=normal",
                    "--skip-test-db",
                    // With transactions left to purge, a start would keep to as many undo tablespaces as there are: none.
                    "--innodb-fast-shutdown=0",
                    &user,
                    &data,
                ]);
                command
            }
            Engine::MySql => {
                let mut command = self.server();
                command.args(["--initialize-insecure", &user, &data]);
                command
            }
        };
        if page_kib != 0 {
            command.arg(format!("--innodb-page-size={page_kib}k"));
        }
        if fold_names {
            // MySQL keeps it with the data and refuses to start otherwise.
            command.arg(FOLD_NAMES);
        }
        let output = command.output().expect("the initialiser starts");
        assert!(output.status.success(), "initialising {}: {}", self.name(), String::from_utf8_lossy(&output.stderr));
    }
}

/// The account this process runs as; servers refuse to run as root unless told so by name.
pub(crate) fn current_user() -> String {
    let uid = nix::unistd::Uid::current();
    nix::unistd::User::from_uid(uid).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name)
}
