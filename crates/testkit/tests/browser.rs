//! The browser of the test bed sees, presses, types, and hears complaints.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops loudly where it stands")]

use testkit::Browser;

const PAGE: &str = "data:text/html,<title>t</title><input id=i><button id=b onclick=\"this.textContent = i.value\">?</button>\
                    <button id=bad onclick=\"console.error('a complaint'); nowhere()\">!</button>";

#[tokio::test]
async fn it_presses_types_and_hears() {
    if !Browser::is_available() {
        eprintln!("skipped: chromium is not installed");
        return;
    }
    let mut browser = Browser::open(800).await;
    browser.goto(PAGE).await;
    browser.fill("#i", "typed").await;
    browser.click("#b").await;
    assert_eq!(browser.text("#b").await, "typed");
    assert_eq!(browser.complaints(), Vec::<String>::new());

    browser.click("#bad").await;
    browser.wait("document.title === 't'", "the page").await;
    let complaints = browser.complaints().join("\n");
    assert!(complaints.contains("a complaint"), "{complaints}");
    assert!(complaints.contains("nowhere is not defined"), "{complaints}");
    assert!(browser.requests().iter().any(|url| url.starts_with("data:text/html")));
}
