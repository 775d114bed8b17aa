//! The walk itself: from the first page to freed bytes, by mouse and keyboard, with the servers' own files as witness.

use crate::yard::{Program, Yard};
use serde_json::Value;
use std::path::Path;
use testkit::{Browser, PASSWORD, USER};

/// As on a slow machine, no two looks at the clock show the same moment.
const SLOW_CLOCK: &str = "(() => { const now = Date.now; let ahead = 0; Date.now = () => now() + ++ahead })()";
/// A job that never was.
const NO_JOB: &str = "job-19990101-001";

/// One person at the page.
pub struct Walk<'a> {
    yard: &'a Yard,
    url: &'a str,
    browser: Browser,
    asked: Vec<String>,
    job: String,
}

impl<'a> Walk<'a> {
    pub async fn begin(yard: &'a Yard, program: &'a Program) -> Walk<'a> {
        let mut browser = Browser::open(1360).await;
        browser.prelude(SLOW_CLOCK).await;
        Walk { yard, url: &program.url, browser, asked: Vec::new(), job: String::new() }
    }

    /// No complaint since the last look but that the job that never was is not found, which is asked until its page is left;
    /// remembers who was asked.
    fn quiet(&mut self, place: &str) {
        let mut complaints = self.browser.complaints();
        complaints.retain(|text| !(text.contains(NO_JOB) && text.contains("404")));
        assert_eq!(complaints, Vec::<String>::new(), "complaints on {place}");
        self.listen();
    }

    fn listen(&mut self) {
        self.asked.extend(self.browser.requests());
        self.browser.forget();
    }

    /// A picture for people, where one is wanted.
    async fn picture(&mut self, name: &str) {
        if let Ok(folder) = std::env::var("DRYDOCK_PICTURES") {
            let engine = self.yard.fleet.primary().engine().name();
            self.browser.screenshot(&Path::new(&folder).join(format!("{engine}-{name}.png"))).await;
        }
    }

    async fn count(&mut self, selector: &str) -> u64 {
        self.browser.eval(&format!("document.querySelectorAll({selector:?}).length")).await.as_u64().unwrap_or(0)
    }

    /// From the empty first page, first with a wrong password, then with the right one.
    pub async fn connects(&mut self) {
        let port = self.yard.fleet.primary().address().port.to_string();
        self.browser.goto(self.url).await;
        assert!(self.browser.text(".empty").await.contains("No fleet is connected yet"));
        self.quiet("the first page");
        for (field, text) in
            [("name", "yard"), ("host", "127.0.0.1"), ("port", &port), ("username", USER), ("password", "wrong")]
        {
            self.browser.fill(&format!("input[name={field}]"), text).await;
        }
        self.browser.press("Enter").await;
        let refusal = self.browser.text("form [role=alert]").await;
        assert!(refusal.contains("1002") && refusal.contains("What to do"), "{refusal}");
        assert!(!refusal.contains("wrong-password"), "{refusal}");
        self.listen();
        self.browser.fill("input[name=password]", PASSWORD).await;
        self.browser.click("form button.main").await;
        self.browser.wait("location.pathname === '/fleet/yard'", "the fleet's address").await;
    }

    /// Three members, one writer with its reasons, two links with proofs from both ends, waste on each card.
    pub async fn shows_the_fleet(&mut self) {
        let primary = self.yard.fleet.primary().address().to_string();
        self.browser.wait("document.querySelectorAll('[data-node]').length === 3", "three members").await;
        let writers =
            self.browser.eval("[...document.querySelectorAll('.card.writer')].map((card) => card.dataset.node)").await;
        assert_eq!(writers, serde_json::json!([primary]));
        self.browser.wait("document.querySelectorAll('.card .back').length === 3", "waste on each card").await;
        self.picture("fleet").await;

        assert_eq!(self.count("[data-edge]").await, 2);
        self.browser.click("[data-edge] .count").await;
        self.browser.wait("document.querySelectorAll('aside .proof').length >= 2", "two proofs").await;
        let panel = self.browser.text("aside").await;
        assert!(panel.contains("told by both ends") && panel.contains("both threads run"), "{panel}");
        self.browser.wait("location.search.includes('edge=')", "the link's own address").await;
        self.picture("evidence").await;

        self.browser.click(&format!("[data-node='{primary}'] .name")).await;
        self.browser.wait("document.querySelector('aside .reasons li')", "why it counts as a writer").await;
        self.browser.press("Escape").await;
        self.browser.wait("!document.querySelector('aside')", "the panel to close").await;
        self.quiet("the fleet");
    }

    /// Every copy of every table; sorted and filtered; the fragmented ones with a gain inside their interval.
    pub async fn shows_space_and_disk(&mut self) {
        self.browser.click(".tabs a[href='/fleet/yard/space']").await;
        self.browser.fill("input[type=search]", "yard.").await;
        self.browser.wait("document.querySelectorAll('tbody tr').length === 9", "three tables on three members").await;
        let first = self.browser.text("tbody tr").await;
        assert!(first.contains("frag"), "sorted by what would be freed, so the most wasteful comes first: {first}");
        let label = self.browser.text("tbody tr svg title").await;
        assert!(label.contains("a rebuild would free") && label.contains("DATA_FREE"), "{label}");
        self.browser.click("th:first-child button").await;
        self.browser.click("th:first-child button").await;
        self.browser
            .wait("document.querySelector('tbody tr').textContent.includes('whole')", "the order to turn")
            .await;
        self.browser.fill("input[type=search]", "held").await;
        self.browser.wait("document.querySelectorAll('tbody tr').length === 3", "the filter").await;
        self.picture("space").await;

        self.browser.click(".tabs a[href='/fleet/yard/census']").await;
        self.browser.wait("document.querySelectorAll('main section tbody tr').length >= 3", "the census").await;
        self.picture("disk").await;
        self.quiet("space and disk");
    }

    async fn make_plan(&mut self, table: &str) {
        self.browser.goto(&format!("{}/fleet/yard/plan", self.url)).await;
        self.browser.fill("input[name=threshold_mb]", "1").await;
        self.browser.fill("input[name=tables]", table).await;
        self.browser.click("form button.main").await;
        self.browser.wait("document.querySelector('[data-plan]')", "the plan").await;
    }

    /// Both replicas, not the primary; the exact statement; gates.
    pub async fn plans(&mut self) {
        self.browser.click(".tabs a[href='/fleet/yard/plan']").await;
        self.make_plan("yard.frag").await;
        let worked =
            "[...document.querySelectorAll('[data-plan-node]')].filter((node) => node.querySelector('.name button'))";
        let nodes = self.browser.eval(&format!("{worked}.map((node) => node.dataset.planNode).sort()")).await;
        let mut replicas: Vec<String> =
            self.yard.replicas().iter().map(|server| server.address().to_string()).collect();
        replicas.sort();
        assert_eq!(nodes, serde_json::json!(replicas));
        self.browser.click("[data-plan-node] .name button").await;
        let statements = self.browser.text("[data-plan-node] pre").await;
        assert!(
            statements.contains("ALTER") && statements.contains("`yard`.`frag`") && statements.contains("sql_log_bin"),
            "{statements}"
        );
        assert!(self.browser.text("[data-plan-node] .gates").await.contains("writer test"));
        self.picture("plan").await;
        self.quiet("the plan");
    }

    async fn start(&mut self) {
        self.browser.click(".bar button.main").await;
        self.browser.click("dialog button.main").await;
        self.browser.wait("location.pathname.startsWith('/jobs/job-')", "the job's address").await;
        self.job = self.browser.eval("location.pathname.split('/')[2]").await.as_str().unwrap_or("").to_owned();
    }

    /// Started from the plan; progress never falls and ends at 100; what the page says was freed is what the files lost.
    pub async fn runs_a_job(&mut self) {
        let before = self.yard.bytes("frag");
        self.start().await;
        let watch = "window.seen = []; window.watch = setInterval(() => { const at = document.querySelector('[data-percentage]'); \
                     if (at) window.seen.push(parseFloat(at.textContent)) }, 20); true";
        self.browser.eval(watch).await;
        self.browser.wait("document.querySelector('[data-status=completed]')", "the job to complete").await;
        self.browser.wait("document.querySelectorAll('td[data-freed]').length === 2", "both tables measured").await;
        assert_eq!(self.browser.text("[data-percentage]").await, "100.0 %");
        let fell = self
            .browser
            .eval("clearInterval(window.watch), window.seen.some((at, i) => i > 0 && at < window.seen[i - 1])")
            .await;
        assert_eq!(fell, Value::Bool(false), "progress fell");
        let freed = self.browser.eval("Number(document.querySelector('dd[data-freed]').dataset.freed)").await.as_i64();
        let lost = before - self.yard.bytes("frag");
        assert!(lost > 1 << 20, "the rebuild freed {lost} bytes");
        assert_eq!(freed, Some(lost), "what the page says was freed, and what the files lost");
        self.picture("job").await;
        self.quiet("the job");
    }

    /// A rebuild that waits for a reader's lock is cancelled from its page; the table keeps its file.
    pub async fn cancels_a_job(&mut self) {
        let before = self.yard.bytes("held");
        let mut readers = Vec::new();
        for replica in self.yard.replicas() {
            let mut reader = replica.session().await;
            reader.run("START TRANSACTION").await.expect("a transaction");
            reader.run("SELECT COUNT(*) FROM yard.held").await.expect("a read that holds a metadata lock");
            readers.push(reader);
        }
        self.make_plan("yard.held").await;
        self.start().await;
        self.browser.wait("document.querySelector('[data-status=running]')", "the job to run").await;
        self.browser.click("header button.danger").await;
        self.browser.click("dialog button.danger").await;
        self.browser.wait("document.querySelector('h1 ~ [data-status=cancelled]')", "the job to be cancelled").await;
        assert_eq!(self.count("button.danger").await, 0, "a final job cannot be cancelled");
        assert_eq!(self.yard.bytes("held"), before, "the table under way keeps its file");
        for mut reader in readers {
            reader.run("ROLLBACK").await.expect("the reader ends");
        }
        self.quiet("cancelling");
    }

    /// Each part has an address that can be typed, and the first page leads to each.
    pub async fn opens_every_address_directly(&mut self) {
        let job = self.job.clone();
        let parts = [
            ("/".to_owned(), "a.sketch"),
            ("/connect".to_owned(), "input[name=host]"),
            ("/fleet/yard".to_owned(), "[data-node]"),
            ("/fleet/yard/space".to_owned(), "tbody tr"),
            ("/fleet/yard/census".to_owned(), "tbody tr"),
            ("/fleet/yard/plan".to_owned(), "form select"),
            ("/jobs".to_owned(), "[data-job]"),
            (format!("/jobs/{job}"), "[data-percentage]"),
            (format!("/jobs/{job}/plan"), "[data-plan]"),
            ("/history".to_owned(), "main h1"),
            ("/audit".to_owned(), "tbody tr"),
        ];
        for (path, sign) in parts {
            self.browser.goto(&format!("{}{path}", self.url)).await;
            self.browser.wait(&format!("document.querySelector({sign:?})"), &path).await;
            assert!(self.browser.eval("document.title").await.as_str().is_some_and(|title| title.ends_with("Drydock")));
            self.quiet(&path);
        }
        self.browser.goto(self.url).await;
        self.browser.wait("document.querySelector('[data-job]')", "the jobs on the first page").await;
        for path in [
            "/fleet/yard",
            "/fleet/yard/space",
            "/fleet/yard/census",
            "/fleet/yard/plan",
            "/jobs",
            "/history",
            "/audit",
            "/connect",
        ] {
            assert!(self.count(&format!("a[href='{path}']")).await > 0, "the first page has no link to {path}");
        }
        self.browser.goto(&format!("{}/jobs/{NO_JOB}", self.url)).await;
        let refusal = self.browser.text("main [role=alert]").await;
        assert!(refusal.contains("1006") && refusal.contains("What to do"), "{refusal}");
        self.listen();
    }

    /// Chinese at a press, kept over a reload; dark where the system is dark.
    pub async fn speaks_both_tongues(&mut self) {
        self.browser.prefer("dark").await;
        self.browser.goto(&format!("{}/fleet/yard", self.url)).await;
        self.browser.click("header button[lang=zh]").await;
        self.browser.wait("document.documentElement.lang === 'zh-CN'", "Chinese").await;
        self.browser.goto(&format!("{}/fleet/yard", self.url)).await;
        self.browser.wait("document.querySelectorAll('[data-node]').length === 3", "the fleet").await;
        assert_eq!(self.browser.text(".tabs a").await, "拓扑");
        let paper = self.browser.eval("getComputedStyle(document.documentElement).backgroundColor").await;
        let dark = paper.as_str().is_some_and(|colour| colour.contains("15, 21, 24"));
        assert!(dark, "the page is not dark: {paper}");
        self.picture("dark").await;
        self.quiet("the page in Chinese");
    }

    /// Every request of the walk went to the program, by HTTP or WebSocket.
    pub fn asked_nobody_else(&self) {
        let sockets = self.url.replacen("http", "ws", 1);
        let strangers: Vec<&String> =
            self.asked.iter().filter(|url| !url.starts_with(self.url) && !url.starts_with(&sockets)).collect();
        assert!(strangers.is_empty(), "asked someone else: {strangers:?}");
        assert!(self.asked.iter().any(|url| url.starts_with(&sockets)), "no live connection was opened");
    }
}
