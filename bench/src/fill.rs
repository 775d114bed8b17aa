//! Tables that waste space, quickly made on any server: a filler and what is then done to it.

use mysql::{Session, ident};

/// Makes `database.table` with `rows` rows of about 300 bytes in key order and two secondary indexes.
pub async fn sequential(session: &mut Session, database: &str, table: &str, rows: u64) {
    let name = format!("{}.{}", ident(database), ident(table));
    session.run(&format!("CREATE DATABASE IF NOT EXISTS {}", ident(database))).await.unwrap();
    let columns = "id BIGINT PRIMARY KEY, k INT NOT NULL, c VARCHAR(255) NOT NULL, KEY (k), KEY kc (k, id)";
    session.run(&format!("CREATE TABLE {name} ({columns}) ENGINE=InnoDB")).await.unwrap();
    let first = "VALUES (1, 7, REPEAT('ab', 110))";
    session.run(&format!("INSERT INTO {name} {first}")).await.unwrap();
    let mut have = 1;
    while have < rows {
        let take = have.min(rows - have).min(100_000);
        let copy = format!(
            "INSERT INTO {name} SELECT id + {have}, (id * 7919) MOD 100003, REPEAT(CHAR(97 + id MOD 26), 220) \
             FROM {name} WHERE id <= {take}"
        );
        session.run(&copy).await.unwrap();
        have += take;
    }
}

/// Deletes every row but each `keep`-th, scattered over the whole table, in pieces.
pub async fn scatter_delete(session: &mut Session, database: &str, table: &str, rows: u64, keep: u64) {
    let name = format!("{}.{}", ident(database), ident(table));
    for low in (0..rows).step_by(50_000) {
        let high = low + 50_000;
        session
            .run(&format!("DELETE FROM {name} WHERE id > {low} AND id <= {high} AND id MOD {keep} <> 0"))
            .await
            .unwrap();
    }
}
