//! Predictions held against real rebuilds, on every engine there is.

#[path = "estimating/bed.rs"]
mod bed;

use api::Method;
use bed::{Bed, engines};
use reclaim::estimate::{FileAccess, TableFacts};

const PAD: &str = "id INT PRIMARY KEY, a INT, pad VARCHAR(300), KEY (a)";
const ROW: &str = "n, n * 7919 % 1000003, REPEAT('x', 150 + n * 31 % 100)";

/// How far the prediction is off, in percent of the file.
fn off(facts: &TableFacts, freed: i64) -> f64 {
    let estimate = &facts.estimate;
    (estimate.predicted_freed_bytes - freed) as f64 * 100.0 / estimate.file_bytes as f64
}

/// Predicts by pages and by SQL, rebuilds, and says how far each was off.
async fn judge(bed: &mut Bed, table: &str) -> [(TableFacts, f64); 2] {
    bed.settle().await;
    let pages = bed.survey(table, FileAccess::Auto).await;
    let sql = bed.survey(table, FileAccess::Off).await;
    let freed = bed.rebuild(table).await;
    let both = [pages, sql].map(|facts| (facts.clone(), off(&facts, freed)));
    for (facts, off) in &both {
        let (file, e) = (facts.estimate.file_bytes, &facts.estimate);
        eprintln!(
            "{table} {:?}: file {file} predicted {} [{} {}] freed {freed} DATA_FREE {} off {off:.2} %",
            e.method, e.predicted_freed_bytes, e.predicted_low_bytes, e.predicted_high_bytes, e.data_free_bytes
        );
    }
    both
}

#[tokio::test]
async fn s8_scattered_deletes_are_seen_where_data_free_is_blind() {
    for engine in engines() {
        let mut bed = Bed::start(engine).await;
        bed.run(&format!("CREATE TABLE t ({PAD})")).await;
        bed.fill("t", "id, a, pad", ROW, 400_000).await;
        bed.run("DELETE FROM t WHERE id % 10 <> 3").await;
        let [(pages, by_pages), (sql, by_sql)] = judge(&mut bed, "t").await;
        let freed = pages.estimate.predicted_freed_bytes as f64 - by_pages * pages.estimate.file_bytes as f64 / 100.0;
        let seen = pages.estimate.data_free_bytes as f64 / freed;
        assert!(seen < 0.15, "{}: DATA_FREE sees {seen:.3} of what is freed", engine.name());
        assert_eq!((pages.estimate.method, sql.estimate.method), (Method::Pages, Method::Sql));
        assert!(by_pages.abs() <= 3.0, "{}: pages off by {by_pages:.2} %", engine.name());
        assert!(by_sql.abs() <= 3.0, "{}: SQL off by {by_sql:.2} %", engine.name());
    }
}
