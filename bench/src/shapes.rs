//! Twenty-four tables that waste space in different ways, none of which the estimate's model was fitted on.

/// One table and what is done to it.
pub struct Shape {
    /// Word for the report.
    pub name: &'static str,
    /// `CREATE TABLE t (…)`: what stands in the brackets, and after them.
    pub columns: &'static str,
    /// Options after the brackets.
    pub options: &'static str,
    /// Columns filled, or empty for all.
    pub into: &'static str,
    /// Expressions over `n` that fill a row.
    pub values: &'static str,
    /// Rows.
    pub rows: u64,
    /// What wastes the space.
    pub then: &'static [&'static str],
}

/// `name, columns, options, into, values, rows, then`.
type Line = (&'static str, &'static str, &'static str, &'static str, &'static str, u64, &'static [&'static str]);

const EVENTS: &str =
    "id BIGINT PRIMARY KEY, user INT NOT NULL, at DATETIME NOT NULL, body VARCHAR(400), KEY (user), KEY (at)";
const EVENT: &str = "n + 1, (n * 48271) MOD 99991, '2026-01-01' + INTERVAL n MINUTE, REPEAT(CHAR(97 + n MOD 26), 120 + (n * 37) MOD 140)";
const HASHED: &str = "id CHAR(32) CHARACTER SET ascii PRIMARY KEY, score INT NOT NULL, body VARCHAR(300), KEY (score)";
const HASH: &str = "LEFT(SHA2(n, 256), 32), (n * 16807) MOD 65521, REPEAT('u', 150 + (n * 53) MOD 120)";
const DOCS: &str = "id INT PRIMARY KEY, title VARCHAR(60), doc MEDIUMTEXT";

const LINES: &[Line] = &[
    ("fresh, sequential", EVENTS, "", "", EVENT, 400_000, &[]),
    ("range delete, oldest 60 %", EVENTS, "", "", EVENT, 400_000, &["DELETE FROM t WHERE id <= 240000"]),
    (
        "range delete, a hole of 25 % in the middle",
        EVENTS,
        "",
        "",
        EVENT,
        400_000,
        &["DELETE FROM t WHERE id BETWEEN 150000 AND 250000"],
    ),
    ("scattered delete 20 %", EVENTS, "", "", EVENT, 400_000, &["DELETE FROM t WHERE (id * 2654435761) MOD 100 < 20"]),
    ("scattered delete 50 %", EVENTS, "", "", EVENT, 400_000, &["DELETE FROM t WHERE (id * 2654435761) MOD 100 < 50"]),
    ("scattered delete 90 %", EVENTS, "", "", EVENT, 400_000, &["DELETE FROM t WHERE (id * 2654435761) MOD 100 < 90"]),
    (
        "striped delete: 9 of 10 thousands",
        EVENTS,
        "",
        "",
        EVENT,
        400_000,
        &["DELETE FROM t WHERE (id DIV 1000) MOD 10 <> 0"],
    ),
    ("all rows shortened", EVENTS, "", "", EVENT, 400_000, &["UPDATE t SET body = LEFT(body, 30)"]),
    ("every other row shortened", EVENTS, "", "", EVENT, 400_000, &["UPDATE t SET body = 'x' WHERE id MOD 2 = 0"]),
    (
        "rows grown, pages split",
        EVENTS,
        "",
        "",
        EVENT,
        250_000,
        &["UPDATE t SET body = CONCAT(body, LEFT(body, 110)) WHERE id MOD 3 = 0"],
    ),
    ("random key", HASHED, "", "", HASH, 350_000, &[]),
    ("random key, delete 50 %", HASHED, "", "", HASH, 350_000, &["DELETE FROM t WHERE score MOD 2 = 0"]),
    (
        "random binary key, four indexes, delete 35 %",
        "id BINARY(16) PRIMARY KEY, a INT, b INT, c VARCHAR(30), d DECIMAL(18,4), pad VARCHAR(200), KEY (a), KEY (b, c), KEY (c), KEY (d)",
        "",
        "",
        "UNHEX(LEFT(SHA2(n, 256), 32)), n MOD 977, (n * 31) MOD 88883, CONCAT('name-', (n * 7919) MOD 300007), n / 7, REPEAT('p', 90 + n MOD 60)",
        300_000,
        &["DELETE FROM t WHERE b MOD 100 < 35"],
    ),
    (
        "wide rows, three to a page, delete 40 %",
        "id INT PRIMARY KEY, kind INT, body VARCHAR(6000), KEY (kind)",
        "CHARACTER SET latin1",
        "",
        "n, n MOD 17, REPEAT('w', 3300 + (n * 97) MOD 1900)",
        22_000,
        &["DELETE FROM t WHERE (id * 48271) MOD 100 < 40"],
    ),
    (
        "long columns off the row, delete half",
        DOCS,
        "",
        "",
        "n, CONCAT('doc ', n), REPEAT('b', 14000 + (n * 131) MOD 40000)",
        2_500,
        &["DELETE FROM t WHERE id MOD 2 = 0"],
    ),
    (
        "long columns moved into the row",
        DOCS,
        "",
        "",
        "n, CONCAT('doc ', n), REPEAT('b', 14000 + (n * 131) MOD 40000)",
        2_500,
        &["UPDATE t SET doc = LEFT(doc, 900)"],
    ),
    (
        "narrow rows, no index, delete 70 % in runs",
        "id INT PRIMARY KEY, a BIGINT, b BIGINT, c BIGINT, d BIGINT, e DOUBLE",
        "",
        "",
        "n, n * 3, n * 5, n * 7, n * 11, n / 3",
        1_000_000,
        &["DELETE FROM t WHERE (id DIV 300) MOD 10 < 7"],
    ),
    (
        "range partitions: one emptied, the rest thinned",
        EVENTS,
        "PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (100000), PARTITION p1 VALUES LESS THAN (200000), \
         PARTITION p2 VALUES LESS THAN (300000), PARTITION `p-Rest` VALUES LESS THAN MAXVALUE)",
        "",
        EVENT,
        400_000,
        &["DELETE FROM t WHERE id < 100000", "DELETE FROM t WHERE (id * 2654435761) MOD 100 < 30"],
    ),
    (
        "hash partitions, delete 60 %",
        EVENTS,
        "PARTITION BY HASH (id) PARTITIONS 4",
        "",
        EVENT,
        400_000,
        &["DELETE FROM t WHERE (id * 2654435761) MOD 100 < 60"],
    ),
    (
        "composite key, every third tenant gone",
        "tenant INT, id INT, note VARCHAR(300), PRIMARY KEY (tenant, id), KEY (id)",
        "",
        "",
        "n MOD 300, n, REPEAT('t', 140 + (n * 11) MOD 120)",
        400_000,
        &["DELETE FROM t WHERE tenant MOD 3 = 0"],
    ),
    (
        "utf8mb4 CHAR and NULLs, delete 75 %",
        "id INT PRIMARY KEY, code CHAR(40), maybe INT, flag ENUM('a','b'), day DATE, txt VARCHAR(200), KEY (code), KEY (maybe)",
        "CHARACTER SET utf8mb4",
        "",
        "n, CONCAT('Straße ', n), IF(n MOD 3 = 0, NULL, n), IF(n MOD 2, 'a', NULL), NULL, IF(n MOD 5 = 0, NULL, REPEAT('ü', 40 + n MOD 50))",
        500_000,
        &["DELETE FROM t WHERE (id * 2654435761) MOD 100 < 75"],
    ),
    (
        "compact, 10 to 2,000 bytes, delete half",
        "id INT PRIMARY KEY, v INT, body VARCHAR(2500), KEY (v)",
        "ROW_FORMAT=COMPACT CHARACTER SET latin1",
        "",
        "n, n MOD 1009, REPEAT('c', 10 + (n * 7919) MOD 1990)",
        100_000,
        &["DELETE FROM t WHERE (id * 2654435761) MOD 100 < 50"],
    ),
    (
        "redundant, delete half",
        EVENTS,
        "ROW_FORMAT=REDUNDANT",
        "",
        EVENT,
        350_000,
        &["DELETE FROM t WHERE (id * 2654435761) MOD 100 < 50"],
    ),
    (
        "no primary key, delete half",
        "a INT, b VARCHAR(300), KEY (a)",
        "",
        "",
        "(n * 48271) MOD 99991, REPEAT('k', 150 + (n * 13) MOD 100)",
        400_000,
        &["DELETE FROM t WHERE a MOD 2 = 0"],
    ),
];

/// Every shape.
pub fn all() -> impl Iterator<Item = Shape> {
    LINES.iter().map(|line| {
        let (name, columns, options, into, values, rows, then) = *line;
        Shape { name, columns, options, into, values, rows, then }
    })
}
