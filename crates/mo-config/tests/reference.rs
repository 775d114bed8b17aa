//! `docs/mo-service.md` lists every key as the schema has it.

use std::fs;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/mo-service.md");
const MARK: &str = "<!-- made by crates/mo-config/tests/reference.rs: run with UPDATE=1 -->\n";

#[test]
fn the_page_lists_every_key() {
    let page = fs::read_to_string(PAGE).unwrap();
    let (head, kept) = page.split_once(MARK).expect("the page has its mark");
    let fresh = mo_config::reference();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(PAGE, format!("{head}{MARK}{fresh}")).unwrap();
        return;
    }
    assert!(kept == fresh, "docs/mo-service.md is old: run with UPDATE=1 and commit it");
}
