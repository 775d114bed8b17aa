//! A real headless Chromium for tests of the page: one tab, real mouse and keyboard, an ear for complaints.

mod pipe;

use pipe::{PROGRAM, Pipe};
use serde_json::{Value, json};
use std::{path::Path, time::Duration};
use tempfile::TempDir;

/// How long something may take to show; far beyond what it takes, so that only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(50);

/// A browser with one tab and a fresh profile, both gone when dropped.
pub struct Browser {
    pipe: Pipe,
    session: String,
    _profile: TempDir,
}

impl Browser {
    /// Whether Debian's Chromium is installed.
    pub fn is_available() -> bool {
        Path::new(PROGRAM).exists()
    }

    /// Starts one, with its tab `width` by 900 pixels.
    pub async fn open(width: u32) -> Browser {
        let profile = tempfile::Builder::new().prefix("drydock-browser-").tempdir().expect("a temporary directory");
        let mut pipe = Pipe::start(profile.path());
        let target = pipe.call(None, "Target.createTarget", json!({ "url": "about:blank" })).await;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = pipe.call(None, "Target.attachToTarget", attach).await;
        let session = attached["sessionId"].as_str().expect("a session").to_owned();
        let mut browser = Browser { pipe, session, _profile: profile };
        for domain in ["Page", "Runtime", "Network", "Log"] {
            browser.call(&format!("{domain}.enable"), json!({})).await;
        }
        let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        browser.call("Emulation.setDeviceMetricsOverride", size).await;
        browser
    }

    async fn call(&mut self, method: &str, params: Value) -> Value {
        self.pipe.call(Some(&self.session), method, params).await
    }

    /// Runs a script in every document opened from now on, before the page's own.
    pub async fn prelude(&mut self, script: &str) {
        self.call("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script })).await;
    }

    /// Opens an address and waits until its document is complete.
    pub async fn goto(&mut self, url: &str) {
        let answer = self.call("Page.navigate", json!({ "url": url })).await;
        assert!(answer.get("errorText").is_none(), "{url}: {}", answer["errorText"]);
        self.wait("document.readyState === 'complete'", url).await;
    }

    /// Value of a `JavaScript` expression; a promise is awaited.
    pub async fn eval(&mut self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut answer = self.call("Runtime.evaluate", params).await;
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].take()
    }

    /// Waits until an expression is truthy and gives its value; panics with the page's text if that never happens.
    pub async fn wait(&mut self, expression: &str, what: &str) -> Value {
        let guarded = format!("(() => {{ try {{ return {expression} }} catch {{ return false }} }})()");
        for _ in 0..PATIENCE.as_millis() / PAUSE.as_millis() {
            let value = self.eval(&guarded).await;
            if !matches!(&value, Value::Null | Value::Bool(false)) && value != json!(0) && value != json!("") {
                return value;
            }
            tokio::time::sleep(PAUSE).await;
        }
        let text = self.eval("location.href + '\\n' + document.body.innerText").await;
        panic!("waited in vain for {what}; the page:\n{}", text.as_str().unwrap_or(""));
    }

    /// Waits for an element and presses the mouse in its middle; fails if something else lies above it.
    pub async fn click(&mut self, selector: &str) {
        let find = format!(
            "(() => {{ const e = document.querySelector({}); if (!e || e.disabled) return null; \
             e.scrollIntoView({{ block: 'center', inline: 'center', behavior: 'instant' }}); \
             const b = e.getBoundingClientRect(); const x = b.x + b.width / 2, y = b.y + b.height / 2; \
             const top = document.elementFromPoint(x, y); return top && (e.contains(top) || top.contains(e)) && [x, y]; }})()",
            json!(selector)
        );
        let at = self.wait(&find, &format!("{selector} to be clickable")).await;
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"] {
            let params = json!({ "type": kind, "x": at[0], "y": at[1], "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", params).await;
        }
    }

    /// Puts the cursor into a field, replacing what it holds, and types.
    pub async fn fill(&mut self, selector: &str, text: &str) {
        let focus = format!(
            "(() => {{ const e = document.querySelector({}); e.focus(); e.select?.(); return true }})()",
            json!(selector)
        );
        self.wait(&focus, selector).await;
        self.write(text).await;
    }

    /// Types where the cursor is.
    pub async fn write(&mut self, text: &str) {
        self.call("Input.insertText", json!({ "text": text })).await;
    }

    /// Presses a key such as `Enter`, `Escape`, `Tab` or `Shift+Tab`.
    pub async fn press(&mut self, key: &str) {
        let (shift, key) = key.strip_prefix("Shift+").map_or((0, key), |key| (8, key));
        let (code, text) = match key {
            "Enter" => (13, "\r"),
            "Escape" => (27, ""),
            "Tab" => (9, ""),
            other => panic!("no key {other}"),
        };
        for kind in ["keyDown", "keyUp"] {
            let mut params =
                json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": shift });
            if kind == "keyDown" && !text.is_empty() {
                params["text"] = text.into();
            }
            self.call("Input.dispatchKeyEvent", params).await;
        }
    }

    /// Text of an element once it is there.
    pub async fn text(&mut self, selector: &str) -> String {
        let expression = format!("document.querySelector({}).textContent.trim()", json!(selector));
        self.wait(&expression, selector).await.as_str().unwrap_or("").to_owned()
    }

    /// Pretends that the system prefers `dark` or `light`.
    pub async fn prefer(&mut self, scheme: &str) {
        let params = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.call("Emulation.setEmulatedMedia", params).await;
    }

    /// Writes what is seen as a PNG.
    pub async fn screenshot(&mut self, path: &Path) {
        use std::io::Write;
        let answer = self.call("Page.captureScreenshot", json!({ "format": "png" })).await;
        let encoded = answer["data"].as_str().expect("a picture");
        let mut decoder = std::process::Command::new("base64")
            .arg("-d")
            .stdin(std::process::Stdio::piped())
            .stdout(std::fs::File::create(path).expect("the picture's file"))
            .spawn()
            .expect("base64");
        decoder.stdin.take().expect("a pipe").write_all(encoded.as_bytes()).expect("base64 reads");
        assert!(decoder.wait().expect("base64 ends").success(), "{}", path.display());
    }

    /// Console errors and warnings, uncaught exceptions, and what the browser itself complained of (a violated content
    /// security policy, a resource that failed).
    pub fn complaints(&self) -> Vec<String> {
        let events = self.pipe.events(&["Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"]);
        let grave = |event: &&Value| {
            let params = &event["params"];
            let level = params["entry"]["level"].as_str().or(params["type"].as_str()).unwrap_or("error");
            matches!(level, "error" | "warning" | "assert")
        };
        events.iter().filter(grave).map(complaint).collect()
    }

    /// Every address asked for: documents, files, calls, sockets.
    pub fn requests(&self) -> Vec<String> {
        let events = self.pipe.events(&["Network.requestWillBeSent", "Network.webSocketCreated"]);
        let url = |event: &Value| {
            let params = &event["params"];
            params["request"]["url"].as_str().or(params["url"].as_str()).map(str::to_owned)
        };
        events.iter().filter_map(url).collect()
    }

    /// Forgets complaints and requests so far.
    pub fn forget(&self) {
        self.pipe.forget();
    }
}

/// What was said and where, without the stack, which may be longer than anyone reads.
fn complaint(event: &Value) -> String {
    let params = &event["params"];
    let thrown = params["exceptionDetails"]["exception"]["description"].as_str();
    let logged = params["entry"]["text"].as_str();
    let said = thrown.and_then(|text| text.lines().next()).or(logged).map_or_else(|| params.to_string(), str::to_owned);
    let place = [&params["entry"]["url"], &params["exceptionDetails"]["url"]];
    format!("{said} ({})", place.into_iter().find_map(Value::as_str).unwrap_or("the console"))
}
