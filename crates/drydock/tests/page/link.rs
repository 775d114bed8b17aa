//! The page when the live connection dies: it says so, asks by itself meanwhile, tries less often, and comes back.

use crate::{
    ready,
    yard::{Program, Yard},
};
use testkit::{Browser, Engine, Proxy};

/// Notes when a connection was tried; while `deaf` is set none opens, though the server answers everything else.
const EAR: &str = "window.tries = []; window.deaf = false; const Real = WebSocket; \
    window.WebSocket = class extends Real { constructor(url, protocols) { \
    window.tries.push(performance.now()); super(window.deaf ? url + '/deaf' : url, protocols) } }";
const LIVE: &str = "document.querySelector('.link.live')";
/// What the page says of itself while it polls.
const POLLING: &str = "document.querySelector('.link.polling')?.title.includes('asking every two seconds')";
const UNANSWERED: &str = "document.querySelector('main [role=alert]')?.textContent.includes('does not answer')";

/// Every pause between two tries lasts at least half of its full length, which doubles; the spread is in the other half.
async fn backs_off(browser: &mut Browser, tries: usize) {
    browser.wait(&format!("window.tries.length > {tries}"), "further tries").await;
    let gaps = browser.eval("window.tries.slice(1).map((at, i) => at - window.tries[i])").await;
    // The first gap is the time the connection lived.
    for (n, gap) in gaps.as_array().expect("gaps").iter().skip(1).take(tries - 1).enumerate() {
        let least = f64::from(250 << (n + 1).min(6));
        assert!(gap.as_f64().expect("a number") > least - 5.0, "try {n} came too soon: {gaps}");
    }
}

#[tokio::test]
async fn the_page_outlives_its_server() {
    if !ready(Engine::MariaDb) {
        return;
    }
    let mut program = Program::start("").await;
    let mut browser = Browser::open(1280).await;
    browser.prelude(EAR).await;
    browser.goto(&format!("{}/jobs", program.url)).await;
    browser.wait(LIVE, "the live connection").await;
    browser.wait("document.querySelector('main').textContent.includes('No job yet')", "the empty list").await;

    program.end();
    browser.wait(POLLING, "the word that the connection is lost").await;
    browser.wait(UNANSWERED, "the word that nobody answers").await;
    backs_off(&mut browser, 4).await;
    browser.click("header nav a[href='/']").await;
    browser.wait(UNANSWERED, "the word that nobody answers for the fleets").await;

    program.again().await;
    browser.wait(LIVE, "the live connection to come back").await;
    browser.wait("document.querySelector('form[aria-label=\"Connect a fleet\"]')", "the fleets, asked again").await;
    browser.wait("!document.querySelector('main [role=alert]')", "the complaint to go").await;
}

/// Where something between lets no WebSocket through, a job is seen to its end all the same.
#[tokio::test]
async fn a_job_is_followed_by_polling() {
    if !ready(Engine::MariaDb) {
        return;
    }
    let yard = Yard::start(Engine::MariaDb).await;
    let program = Program::start(&yard.known()).await;
    let mut browser = Browser::open(1280).await;
    browser.prelude(&EAR.replace("deaf = false", "deaf = true")).await;
    browser.goto(&format!("{}/fleet/yard/plan?tables=yard.frag&threshold_mb=1", program.url)).await;
    browser.wait(POLLING, "the word that it polls").await;
    browser.click("form button.main").await;
    browser.click(".bar button.main").await;
    browser.click("dialog button.main").await;
    browser.wait("document.querySelector('[data-status=completed]')", "the job to complete").await;
    browser.wait("document.querySelectorAll('td[data-freed]').length === 2", "both tables measured").await;
    assert!(browser.eval(POLLING).await.as_bool() == Some(true), "the figures came over the live connection");

    browser.eval("window.deaf = false").await;
    browser.wait(LIVE, "the live connection").await;
}

/// A path that swallows everything closes nothing: the page finds out by itself, and when the path is back, so is the page.
#[tokio::test]
async fn a_silent_path_is_noticed() {
    if !ready(Engine::MariaDb) {
        return;
    }
    let program = Program::start("").await;
    let proxy = Proxy::start(program.address()).await;
    let mut browser = Browser::open(1280).await;
    browser.goto(&format!("http://{}/jobs", proxy.address())).await;
    browser.wait(LIVE, "the live connection").await;

    proxy.silence();
    browser.wait(POLLING, "the silence to be noticed").await;
    browser.wait(UNANSWERED, "the word that nobody answers").await;

    proxy.speak();
    browser.wait(LIVE, "the live connection to come back").await;
    browser.wait("!document.querySelector('main [role=alert]')", "the complaint to go").await;
}
