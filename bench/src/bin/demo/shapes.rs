//! Five ways to waste space. Statements go through the binlog as text, so that three servers work side by side.

use crate::tell::say;
use testkit::Fleet;

/// A table, what is done to it, and the statements.
pub struct Shape {
    /// In database `demo`.
    pub table: &'static str,
    /// For the reader.
    story: &'static str,
    statements: &'static [&'static str],
}

/// Each about 60 MB before anything is taken away.
pub const SHAPES: [Shape; 5] = [
    Shape {
        table: "events",
        story: "range delete: the oldest 60 % of the rows are gone",
        statements: &[
            "CREATE TABLE demo.events (id INT PRIMARY KEY, at INT NOT NULL, body VARCHAR(400) NOT NULL, KEY (at))",
            "INSERT INTO demo.events SELECT seq, seq * 3, REPEAT(CHAR(97 + seq % 26), 330) FROM demo_seq",
            "DELETE FROM demo.events WHERE id <= 90000",
        ],
    },
    Shape {
        table: "orders",
        story: "scattered delete: seven rows of ten are gone, everywhere",
        statements: &[
            "CREATE TABLE demo.orders (id INT PRIMARY KEY, customer INT NOT NULL, note VARCHAR(400) NOT NULL, \
             KEY (customer))",
            "INSERT INTO demo.orders SELECT seq, seq * 7919 % 5003, REPEAT(CHAR(97 + seq % 26), 330) FROM demo_seq",
            "DELETE FROM demo.orders WHERE id % 10 < 7",
        ],
    },
    Shape {
        table: "notes",
        story: "shortened rows: long texts became short ones",
        statements: &[
            "CREATE TABLE demo.notes (id INT PRIMARY KEY, body VARCHAR(500) NOT NULL)",
            "INSERT INTO demo.notes SELECT seq, REPEAT(CHAR(97 + seq % 26), 380) FROM demo_seq",
            "UPDATE demo.notes SET body = LEFT(body, 60)",
        ],
    },
    Shape {
        table: "sessions",
        story: "random keys: pages split in the middle and stayed half full",
        statements: &[
            "CREATE TABLE demo.sessions (token CHAR(32) CHARACTER SET ascii PRIMARY KEY, data VARCHAR(400) NOT NULL)",
            "INSERT INTO demo.sessions SELECT MD5(seq), REPEAT(CHAR(97 + seq % 26), 300) FROM demo_seq",
            "DELETE FROM demo.sessions WHERE CONV(LEFT(token, 2), 16, 10) % 4 = 0",
        ],
    },
    Shape {
        table: "readings",
        story: "partitions: the two oldest of four are nearly empty",
        statements: &[
            "CREATE TABLE demo.readings (id INT PRIMARY KEY, value VARCHAR(400) NOT NULL) PARTITION BY RANGE (id) \
             (PARTITION p0 VALUES LESS THAN (37500), PARTITION p1 VALUES LESS THAN (75000), \
              PARTITION p2 VALUES LESS THAN (112500), PARTITION p3 VALUES LESS THAN MAXVALUE)",
            "INSERT INTO demo.readings SELECT seq, REPEAT(CHAR(97 + seq % 26), 330) FROM demo_seq",
            "DELETE FROM demo.readings WHERE id < 75000 AND id % 10 <> 0",
        ],
    },
];

const ROWS: u32 = 150_000;

/// Makes all of them on the primary and waits until every replica has them and stands still:
/// what was deleted is purged and every page written, as on a server some minutes later.
pub async fn fill(fleet: &Fleet) {
    let mut primary = fleet.primary().session().await;
    // Deterministic statements, so each replica may run them itself instead of being sent every row.
    for statement in ["SET SESSION binlog_format = STATEMENT", "CREATE DATABASE demo", "USE demo"] {
        primary.run(statement).await.unwrap();
    }
    let numbers = format!("seq_1_to_{ROWS}");
    for shape in &SHAPES {
        say(&format!("{:<9} {}", shape.table, shape.story));
        for statement in shape.statements {
            primary.run(&statement.replace("demo_seq", &numbers)).await.unwrap();
        }
    }
    primary.close().await;
    for (index, server) in fleet.servers.iter().enumerate() {
        if index > 0 {
            fleet.catch_up(index, 0).await;
        }
        server.settled().await;
    }
}
