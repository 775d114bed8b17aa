//! What a later look makes of the files it finds.

use super::*;
use serde_json::json;

fn table() -> TableResult {
    let result = json!({
        "node": "db1:3306", "database": "shop", "table": "orders", "state": "done", "file_bytes": 300,
        "predicted_freed_bytes": 200, "predicted_low_bytes": 150, "predicted_high_bytes": 250, "data_free_bytes": 0,
        "method": "sql", "file_bytes_after": 100, "freed_bytes": 200, "tablespaces": [7, 9],
    });
    serde_json::from_value(result).expect("a result")
}

fn found(spaces: &[(&str, u64, u64)]) -> Identity {
    Identity { spaces: spaces.iter().map(|(name, id, size)| ((*name).to_owned(), (*id, *size))).collect() }
}

#[test]
fn the_same_files_are_compared_with_their_size_after_the_rebuild() {
    assert_eq!(compare(&found(&[("p0", 7, 90), ("p1", 9, 40)]), &table()), Seen::Grown(30));
    assert_eq!(compare(&found(&[("p0", 7, 20), ("p1", 9, 40)]), &table()), Seen::Grown(-40));
    let added = found(&[("p0", 7, 90), ("p1", 9, 40), ("p2", 12, 1000)]);
    assert_eq!(compare(&added, &table()), Seen::Grown(30), "a partition added since is no growth of these files");
}

#[test]
fn other_files_are_told_as_such_and_never_compared() {
    let untold = |spaces: &[(&str, u64, u64)]| match compare(&found(spaces), &table()) {
        Seen::Untold(why) => why,
        seen => panic!("{seen:?}"),
    };
    assert!(untold(&[("p0", 7, 90), ("p1", 10, 40)]).contains("other files"));
    assert!(untold(&[("p0", 7, 90)]).contains("other files"), "one of its files is gone");
    assert!(untold(&[]).contains("no file of its own"));
}
