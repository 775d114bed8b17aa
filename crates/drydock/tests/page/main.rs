//! The page in a real headless Chromium, before the real program and a real fleet: every part, on both engines.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

mod approval;
mod keys;
mod link;
#[path = "../support/mod.rs"]
mod support;
mod walk;
mod writer;
mod yard;

use testkit::{Browser, Engine};
use yard::{Program, Yard};

fn ready(engine: Engine) -> bool {
    let ready = Browser::is_available() && engine.is_available();
    if !ready {
        eprintln!("skipped: chromium or {} is not installed", engine.name());
    }
    ready
}

async fn whole_walk(engine: Engine) {
    if !ready(engine) {
        return;
    }
    let yard = Yard::start(engine).await;
    let program = Program::start("").await;
    let mut walk = walk::Walk::begin(&yard, &program).await;
    walk.connects().await;
    walk.shows_the_fleet().await;
    walk.shows_space_and_disk().await;
    walk.plans().await;
    walk.runs_a_job().await;
    walk.cancels_a_job().await;
    walk.opens_every_address_directly().await;
    walk.speaks_both_tongues().await;
    walk.asked_nobody_else();
}

#[tokio::test]
async fn mariadb_fleet_from_first_page_to_freed_bytes() {
    whole_walk(Engine::MariaDb).await;
}

#[tokio::test]
async fn mysql_fleet_from_first_page_to_freed_bytes() {
    whole_walk(Engine::MySql).await;
}

/// A server with tokens shows nothing before one is given, and nothing more than its role allows.
#[tokio::test]
async fn a_token_opens_the_page() {
    if !ready(Engine::MariaDb) {
        return;
    }
    let (token, entry) = yard::token("watcher", "viewer");
    let program = Program::start(&entry).await;
    let mut browser = Browser::open(1280).await;
    browser.goto(&program.url).await;
    browser.fill("input[name=token]", "ddk_wrong").await;
    browser.press("Enter").await;
    assert!(browser.text("main [role=alert]").await.contains("does not accept"));

    browser.fill("input[name=token]", &token).await;
    browser.press("Enter").await;
    browser.wait("document.querySelector('.link.live')", "the live connection with the token").await;
    browser.wait("document.querySelector('form[aria-label=\"Connect a fleet\"]')", "the first page").await;
    assert!(browser.text("main").await.contains("takes the role admin; you have viewer"));
    let kept = browser.eval("[JSON.stringify(localStorage), document.cookie].join()").await;
    assert!(!kept.to_string().contains(&token), "the token is kept beyond the tab: {kept}");
}
