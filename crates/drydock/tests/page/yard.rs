//! What the walk walks on: a fleet with waste in it, and the real program.

use crate::support::Place;
use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
};
use testkit::{Engine, Fleet, PASSWORD, Server, USER};
use types::Address;

/// A primary and two replicas; `yard.frag` and `yard.held` have lost two rows of three everywhere, `yard.whole` none.
pub struct Yard {
    pub fleet: Fleet,
}

impl Yard {
    pub async fn start(engine: Engine) -> Yard {
        let fleet = Fleet::start(engine, 2).await;
        fleet.primary().run(&["CREATE DATABASE yard"]).await;
        for (table, doublings) in [("frag", 16), ("held", 14), ("whole", 12)] {
            let create =
                format!("CREATE TABLE yard.{table} (id INT AUTO_INCREMENT PRIMARY KEY, pad CHAR(200)) ENGINE=InnoDB");
            let first = format!("INSERT INTO yard.{table} (pad) VALUES (REPEAT('x', 200))");
            fleet.primary().run(&[&create, &first]).await;
            let double = format!("INSERT INTO yard.{table} (pad) SELECT pad FROM yard.{table}");
            fleet.primary().run(&vec![double.as_str(); doublings]).await;
        }
        fleet
            .primary()
            .run(&["DELETE FROM yard.frag WHERE id % 3 > 0", "DELETE FROM yard.held WHERE id % 3 > 0"])
            .await;
        for replica in [1, 2] {
            fleet.catch_up(replica, 0).await;
        }
        Yard { fleet }
    }

    /// The replicas.
    pub fn replicas(&self) -> &[Server] {
        &self.fleet.servers[1..]
    }

    /// A configuration that knows the way in.
    pub fn known(&self) -> String {
        let Address { host, port } = self.fleet.primary().address();
        format!(
            "database:\n  clusters:\n    - name: yard\n      primary: {{host: {host}, port: {port}, username: {USER}, \
             password: {PASSWORD}}}\n"
        )
    }

    /// Sizes of the table's files, all replicas together, as the file system says.
    pub fn bytes(&self, table: &str) -> i64 {
        let sum: u64 = self.replicas().iter().map(|server| server.file_bytes(format!("yard/{table}.ibd"))).sum();
        i64::try_from(sum).expect("small")
    }
}

/// `drydock server` on a free port in a directory of its own; ended when dropped.
pub struct Program {
    pub url: String,
    child: Child,
    place: Place,
}

impl Program {
    /// Starts it with a configuration.
    pub async fn start(config: &str) -> Program {
        let place = Place::with_config(&format!("{config}\n"));
        let (url, child) = serve(&place, "0").await;
        Program { url, child, place }
    }

    /// Where it listens.
    pub fn address(&self) -> Address {
        let (host, port) = self.url.trim_start_matches("http://").rsplit_once(':').expect("a port");
        Address::new(host, port.parse().expect("a number"))
    }

    /// Ends it without a word.
    pub fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again in its directory and on its port.
    pub async fn again(&mut self) {
        let port = self.address().port.to_string();
        (self.url, self.child) = serve(&self.place, &port).await;
    }
}

/// Starts the server and reads where it listens.
async fn serve(place: &Place, port: &str) -> (String, Child) {
    let mut command = place.command("drydock");
    let mut child =
        command.args(["server", "--port", port]).stdout(Stdio::piped()).spawn().expect("the program starts");
    let out = child.stdout.take().expect("its standard output");
    let line = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).expect("it speaks");
        line
    });
    let line = line.await.expect("it says where it listens");
    let url = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("it says {line:?}")).to_owned();
    (url, child)
}

impl Drop for Program {
    fn drop(&mut self) {
        self.end();
    }
}

/// A token of `role` and the configuration that lets it in, both from the program itself.
pub fn token(name: &str, role: &str) -> (String, String) {
    let ended = Place::new().run(&["token", "new", "--name", name, "--role", role]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let token = ended.out.lines().find_map(|line| line.strip_prefix("token: ")).expect("a token").to_owned();
    let entry = ended.out.split_once("auth:").expect("an entry").1;
    (token, format!("auth:{entry}"))
}
