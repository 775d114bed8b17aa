//! One private server: start, stop, crash, start again on the same data.

use crate::{
    Engine, PASSWORD, USER,
    engine::{FOLD_NAMES, current_user},
    keyring,
    port::free_port,
};
use mysql::{Endpoint, Session};
use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;
use types::{Address, Secret};

/// How a server is started beyond the small defaults.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `@@server_id`; 0 takes the port.
    pub server_id: u32,
    /// Further arguments, last word wins, such as `--innodb-buffer-pool-size=64M`; `{port}` stands for the server's port.
    pub arguments: Vec<String>,
    /// Announce host and port to the source (`report_host`); on unless set.
    pub silent: bool,
    /// Where the data directory is made; the system's temporary directory unless set.
    pub parent: Option<PathBuf>,
    /// Its files may be written by every account of this machine: Galera's rsync, where root starts it, works as nobody.
    pub open: bool,
    /// It has a key to encrypt tables with.
    pub keyring: bool,
    /// `innodb_page_size` in KiB; 0 is the default.
    pub page_kib: u32,
    /// Names of databases and tables are kept in small letters (`lower_case_table_names = 1`), as on Windows.
    pub fold_names: bool,
}

/// A running (or crashed) server and its directory, both gone when dropped.
pub struct Server {
    engine: Engine,
    options: Options,
    port: u16,
    directory: TempDir,
    child: Option<Child>,
}

impl Server {
    /// Starts a server on a free port and waits until it answers.
    pub async fn start(engine: Engine, options: Options) -> Server {
        let parent = options.parent.clone().unwrap_or_else(std::env::temp_dir);
        let directory = tempfile::Builder::new().prefix("drydock-").tempdir_in(parent).expect("a temporary directory");
        let status = Command::new("cp")
            .arg("-a")
            .arg(engine.template(options.page_kib, options.fold_names))
            .arg(directory.path().join("data"))
            .status();
        assert!(status.expect("cp starts").success(), "copying the template");
        let _ = std::fs::remove_file(directory.path().join("data/auto.cnf"));
        if options.open {
            let status = Command::new("chmod").args(["-R", "a+rwX"]).arg(directory.path()).status();
            assert!(status.expect("chmod starts").success(), "opening the directory");
        }
        let mut server = Server { engine, options, port: 0, directory, child: None };
        for _ in 0..5 {
            server.port = free_port();
            if server.launch().await {
                return server;
            }
        }
        panic!("{} does not start; its log:\n{}", engine.name(), server.error_log());
    }

    /// Whether it does not announce itself to its source.
    pub(crate) fn is_silent(&self) -> bool {
        self.options.silent
    }

    /// Starts it again on the same data and port after [`Server::stop`] or [`Server::kill`].
    pub async fn restart(&mut self) {
        assert!(self.launch().await, "no restart; its log:\n{}", self.error_log());
    }

    async fn launch(&mut self) -> bool {
        let child = self.command().spawn().expect("the server program starts");
        self.child = Some(child);
        for _ in 0..1200 {
            if self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(Some(_)))) {
                return false;
            }
            if let Ok(mut session) = self.login().await {
                if self.is_ours(&mut session).await {
                    return true;
                }
                self.kill();
                return false;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.kill();
        false
    }

    /// Another fleet may have taken the port between our choice and the bind, and it knows the same account.
    async fn is_ours(&self, session: &mut Session) -> bool {
        let own = self.directory.path().file_name().and_then(|name| name.to_str()).expect("a plain directory name");
        session.value("SELECT @@datadir").await.ok().flatten().is_some_and(|path| path.contains(own))
    }

    fn command(&self) -> Command {
        let (port, data) = (self.port, self.data_directory());
        let (mut command, keyring) = self.program();
        command
            .arg(format!("--user={}", current_user()))
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--socket={}", self.directory.path().join("s").display()))
            .arg(format!("--pid-file={}", self.directory.path().join("pid").display()))
            .arg(format!("--tmpdir={}", self.temporary_directory().display()))
            .arg(format!("--log-error={}", self.error_log_path().display()))
            .arg(format!("--init-file={}", self.write_init_file().display()))
            .arg(format!("--port={port}"))
            .args(["--bind-address=127.0.0.1", "--log-bin=binlog", "--binlog-format=ROW", "--relay-log=relay"])
            .args(["--innodb-buffer-pool-size=32M", "--max-connections=80", "--sync-binlog=0"])
            .args(["--innodb-flush-log-at-trx-commit=2", "--skip-name-resolve"]);
        let server_id = if self.options.server_id == 0 { u32::from(port) } else { self.options.server_id };
        command.arg(format!("--server-id={server_id}"));
        match self.engine {
            Engine::MariaDb => command.args(["--log-slave-updates", "--gtid-strict-mode=ON"]),
            Engine::MySql => command.args(["--gtid-mode=ON", "--enforce-gtid-consistency=ON"]),
        };
        if !self.options.silent {
            command.args(["--report-host=127.0.0.1".to_owned(), format!("--report-port={port}")]);
        }
        if self.options.page_kib != 0 {
            command.arg(format!("--innodb-page-size={}k", self.options.page_kib));
        }
        if self.options.fold_names {
            command.arg(FOLD_NAMES);
        }
        command.args(keyring);
        let further = self.options.arguments.iter().map(|argument| argument.replace("{port}", &port.to_string()));
        command.args(further).stderr(Stdio::null());
        command
    }

    /// The server program, and what it has to be told of its keys.
    fn program(&self) -> (Command, Vec<String>) {
        let directory = self.directory.path();
        match (self.options.keyring, self.engine) {
            (false, engine) => (engine.server(), Vec::new()),
            (true, Engine::MariaDb) => (self.engine.server(), keyring::mariadb(directory)),
            (true, Engine::MySql) => {
                let (runner, plugins) = keyring::mysql(directory, &crate::engine::unpacked());
                (self.engine.server_by(&runner), vec![plugins])
            }
        }
    }

    /// Gives the fleet's account all rights at the first start, out of the binlog, so that no server begins with a
    /// GTID of its own.
    fn write_init_file(&self) -> PathBuf {
        let path = self.directory.path().join("init.sql");
        let text = format!(
            "SET sql_log_bin = 0;\nCREATE USER IF NOT EXISTS '{USER}'@'%' IDENTIFIED BY '{PASSWORD}';\n\
             GRANT ALL PRIVILEGES ON *.* TO '{USER}'@'%' WITH GRANT OPTION;\n"
        );
        std::fs::write(&path, text).expect("the init file can be written");
        path
    }

    async fn login(&self) -> Result<Session, mysql::SqlError> {
        // Filling a table is one long statement, and a busy machine takes its time.
        let statement_limit = Duration::from_hours(1);
        Session::connect(&Endpoint { statement_limit, ..self.endpoint() }).await
    }

    /// A session with all rights and no hurry.
    pub async fn session(&self) -> Session {
        self.login().await.expect("the account gets in")
    }

    /// Runs statements one after the other in one session.
    pub async fn run(&self, statements: &[&str]) {
        let mut session = self.session().await;
        for statement in statements {
            session.run(statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
        session.close().await;
    }

    /// First column of the first row, as text; empty for NULL.
    pub async fn value(&self, statement: &str) -> String {
        let mut session = self.session().await;
        let value = session.value(statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
        session.close().await;
        value.unwrap_or_default()
    }

    /// Asks it to shut down and waits.
    pub async fn stop(&mut self) {
        if let Ok(mut session) = self.login().await {
            let _ = session.run("SHUTDOWN").await;
        }
        if let Some(mut child) = self.child.take() {
            let _ = tokio::task::spawn_blocking(move || child.wait()).await;
        }
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Which engine.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Loopback address.
    pub fn address(&self) -> Address {
        Address::new("127.0.0.1", self.port)
    }

    /// Address and account.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint::new(self.address(), USER, Secret::new(PASSWORD))
    }

    /// Process id; `None` while down.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// The data directory.
    pub fn data_directory(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn temporary_directory(&self) -> PathBuf {
        let directory = self.directory.path().join("tmp");
        let _ = std::fs::create_dir_all(&directory);
        directory
    }

    fn error_log_path(&self) -> PathBuf {
        self.directory.path().join("error.log")
    }

    /// The server's own error log.
    pub fn error_log(&self) -> String {
        std::fs::read_to_string(self.error_log_path()).unwrap_or_default()
    }

    /// Size of one file below the data directory, such as `db/t.ibd`.
    pub fn file_bytes(&self, below: impl AsRef<Path>) -> u64 {
        std::fs::metadata(self.data_directory().join(below)).map_or(0, |meta| meta.len())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
