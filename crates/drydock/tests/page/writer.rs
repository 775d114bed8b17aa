//! Before a job touches a member that takes writes, the fleet's name must be typed.

use crate::{
    ready,
    yard::{Program, Yard},
};
use serde_json::{Value, json};
use testkit::{Browser, Engine};

const YES: &str = "dialog button.danger";

/// What can be done with what was typed so far: whether the button is shut, and how many jobs there are after Enter.
async fn typed(browser: &mut Browser, text: &str) -> (Value, Value) {
    browser.fill("dialog input", text).await;
    browser.press("Enter").await;
    let shut = browser.eval(&format!("document.querySelector('{YES}').disabled")).await;
    let jobs = "fetch('/api/v1/recycle/jobs').then((answer) => answer.json()).then((answer) => answer.data.total)";
    (shut, browser.eval(jobs).await)
}

async fn a_writer_is_named_first(engine: Engine) {
    if !ready(engine) {
        return;
    }
    let yard = Yard::start(engine).await;
    let program = Program::start(&yard.known()).await;
    let primary = yard.fleet.primary();
    let mut browser = Browser::open(1280).await;
    let wish = format!("target={}&scope=node&exclude_primary=false&tables=yard.frag&threshold_mb=1", primary.address());
    browser.goto(&format!("{}/fleet/yard/plan?{wish}", program.url)).await;
    browser.wait("document.querySelectorAll('select[name=target] option').length === 4", "the fleet").await;
    browser.click("form button.main").await;
    browser.click(".bar button.main").await;

    let question = browser.text("dialog").await;
    assert!(question.contains("takes writes") && question.contains("Type “yard” to confirm"), "{question}");
    assert_eq!(browser.eval(&format!("document.querySelector('{YES}').disabled")).await, json!(true));
    for wrong in ["yar", "Yard", "yard ", "yards", "orders"] {
        assert_eq!(typed(&mut browser, wrong).await, (json!(true), json!(0)), "after {wrong:?}");
    }
    let before = primary.file_bytes("yard/frag.ibd");
    browser.fill("dialog input", "yard").await;
    browser.click(YES).await;
    browser.wait("document.querySelector('[data-status=completed]')", "the job to complete").await;
    assert!(primary.file_bytes("yard/frag.ibd") < before, "the primary's table keeps its {before} bytes");
}

#[tokio::test]
async fn mariadb_writer_is_named_first() {
    a_writer_is_named_first(Engine::MariaDb).await;
}

#[tokio::test]
async fn mysql_writer_is_named_first() {
    a_writer_is_named_first(Engine::MySql).await;
}

/// A logged statement runs on the primary first, so its name is asked for as well, whatever the target.
#[tokio::test]
async fn a_logged_statement_is_named_first() {
    if !ready(Engine::MariaDb) {
        return;
    }
    let yard = Yard::start(Engine::MariaDb).await;
    let program = Program::start(&yard.known()).await;
    let mut browser = Browser::open(1280).await;
    let wish = "mode=binlog-on&exclude_primary=false&tables=yard.frag&threshold_mb=1";
    browser.goto(&format!("{}/fleet/yard/plan?{wish}", program.url)).await;
    browser.click("form button.main").await;
    browser.click(".bar button.main").await;
    assert_eq!(typed(&mut browser, "yar").await, (json!(true), json!(0)));
}
