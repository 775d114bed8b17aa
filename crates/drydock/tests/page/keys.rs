//! The page by keyboard alone: from the first page to a cancelled job, with the focus always somewhere and always seen.

use crate::{
    ready,
    yard::{Program, Yard},
};
use serde_json::json;
use testkit::{Browser, Engine, PASSWORD, USER};

/// Notes every moment at which a focus once taken was nowhere, or on what cannot be pressed.
const GUARD: &str = "window.lost = []; let held = ''; setInterval(() => { const at = document.activeElement; \
    const none = !at || at === document.body; \
    if (held && (none || at.matches(':disabled'))) window.lost.push('after ' + held); \
    held = none ? '' : at.outerHTML.slice(0, 120) }, 4)";
/// Why the focus cannot be seen; empty if it can: an outline, or in the drawing a thicker line.
const UNSEEN: &str = "(() => { const at = document.activeElement; \
    if (!at || at === document.body) return 'nothing has the focus'; \
    const style = getComputedStyle(at), box = at.getBoundingClientRect(); \
    const drawn = at.querySelector?.(':scope > .body, .tag'); \
    const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1; \
    const line = drawn && parseFloat(getComputedStyle(drawn).strokeWidth) >= 2.5; \
    const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth; \
    return at.matches(':focus-visible') && (ring || line) && inside ? '' : at.outerHTML.slice(0, 200) })()";
/// More stops than any part of the page has.
const STOPS: usize = 120;

/// A person without a mouse.
struct Keys {
    browser: Browser,
}

impl Keys {
    async fn seen(&mut self, when: &str) {
        assert_eq!(self.browser.eval(UNSEEN).await, json!(""), "the focus is not seen {when}");
    }

    async fn holds(&mut self, selector: &str) -> bool {
        let expression = format!("document.activeElement.matches({})", json!(selector));
        self.browser.eval(&expression).await == json!(true)
    }

    async fn press(&mut self, key: &str) {
        self.browser.press(key).await;
    }

    /// Goes from stop to stop until it comes to an element.
    async fn tab_to(&mut self, selector: &str) {
        for _ in 0..STOPS {
            self.press("Tab").await;
            self.seen(&format!("on the way to {selector}")).await;
            if self.holds(selector).await {
                return;
            }
        }
        panic!("{selector} is not reached by {STOPS} stops");
    }

    async fn enter(&mut self, selector: &str) {
        self.tab_to(selector).await;
        self.press("Enter").await;
    }

    async fn write(&mut self, selector: &str, text: &str) {
        self.tab_to(selector).await;
        self.browser.write(text).await;
    }

    async fn wait(&mut self, selector: &str) {
        self.browser.wait(&format!("document.querySelector({})", json!(selector)), selector).await;
    }

    /// Escape closes the question and leads back to what asked it.
    async fn escapes_to(&mut self, selector: &str) {
        self.wait("dialog[open]").await;
        self.seen("in the question").await;
        self.browser.eval("window.gone = document.querySelector('dialog'), 0").await;
        self.press("Escape").await;
        self.browser.wait("!document.querySelector('dialog')", "the question to close").await;
        assert!(self.holds(selector).await, "the focus is not back on {selector}");
        self.seen("after the question").await;
    }

    /// Asks again and says yes. Behind a question not yet open the last stop of the page leads out of it.
    async fn answers(&mut self, yes: &str) {
        self.press("Enter").await;
        self.wait("dialog[open]").await;
        // On a slow machine the first question's own end is told only now; it must not end this one.
        self.browser.eval("window.gone.dispatchEvent(new Event('close')), 0").await;
        self.wait("dialog[open]").await;
        self.enter(yes).await;
    }

    async fn connects(&mut self, port: u16) {
        for (field, text) in [("name", "yard"), ("host", "127.0.0.1"), ("port", &port.to_string()), ("username", USER)]
        {
            self.write(&format!("input[name={field}]"), text).await;
        }
        self.write("input[name=password]", PASSWORD).await;
        self.press("Enter").await;
        self.wait("[data-node]").await;
        self.seen("on the fleet").await;
    }

    /// A member's panel opens, leads on to a link's, and Escape leads back into the drawing.
    async fn reads_a_member(&mut self) {
        self.enter("[data-node]").await;
        self.wait("aside").await;
        self.enter("aside li button").await;
        self.wait("aside .proof").await;
        self.seen("in the link's panel").await;
        self.press("Escape").await;
        self.browser.wait("!document.querySelector('aside')", "the panel to close").await;
        assert!(self.holds("[data-edge]").await, "the focus is not back on the link");
        self.seen("after the panel").await;
    }

    /// Back to the parts of the fleet, which stand before the drawing: the skip link and the bar come again from the top.
    async fn plans(&mut self, table: &str) {
        while !self.holds(".tabs a[href='/fleet/yard/plan']").await {
            self.press("Shift+Tab").await;
            self.seen("on the way back").await;
        }
        self.press("Enter").await;
        self.wait("form select[name=target]").await;
        self.write("input[name=threshold_mb]", "1").await;
        self.write("input[name=tables]", table).await;
        self.enter("form button.main").await;
        self.wait("[data-plan]").await;
        assert!(self.holds("form button.main").await, "the focus left the form while the plan was made");
    }

    async fn starts(&mut self) {
        self.enter(".bar button.main").await;
        self.escapes_to(".bar button.main").await;
        self.answers("dialog button.main").await;
        self.wait("[data-status=running]").await;
        self.seen("on the job").await;
    }

    async fn cancels(&mut self) {
        self.enter("header button.danger").await;
        self.escapes_to("header button.danger").await;
        self.answers("dialog button.danger").await;
        self.wait("h1 ~ [data-status=cancelled]").await;
        self.browser.wait("!document.querySelector('button.danger')", "nothing left to cancel").await;
        self.seen("on the cancelled job").await;
    }
}

async fn whole_walk(engine: Engine) {
    if !ready(engine) {
        return;
    }
    let yard = Yard::start(engine).await;
    let program = Program::start("").await;
    let mut readers = Vec::new();
    for replica in yard.replicas() {
        let mut reader = replica.session().await;
        reader.run("START TRANSACTION").await.expect("a transaction");
        reader.run("SELECT COUNT(*) FROM yard.held").await.expect("a read that keeps the rebuild waiting");
        readers.push(reader);
    }
    let mut keys = Keys { browser: Browser::open(1280).await };
    keys.browser.prelude(GUARD).await;
    keys.browser.goto(&program.url).await;
    keys.wait("form[aria-label='Connect a fleet']").await;
    keys.connects(yard.fleet.primary().address().port).await;
    keys.reads_a_member().await;
    keys.plans("yard.held").await;
    keys.starts().await;
    keys.cancels().await;
    assert_eq!(keys.browser.eval("window.lost").await, json!([]), "the focus was lost");
}

#[tokio::test]
async fn mariadb_fleet_by_keyboard_alone() {
    whole_walk(Engine::MariaDb).await;
}

#[tokio::test]
async fn mysql_fleet_by_keyboard_alone() {
    whole_walk(Engine::MySql).await;
}
