//! A browser that a test drives, by the commands of W3C WebDriver.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use fantail_testkit::{process::Process, program};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixture::PATIENCE;

/// Keys without a character.
pub(crate) const ENTER: char = '\u{e007}';
pub(crate) const TAB: char = '\u{e004}';
pub(crate) const DOWN: char = '\u{e015}';
pub(crate) const ESCAPE: char = '\u{e00c}';

/// The key of an element in an answer.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A Chromium with one window; it ends with the test.
pub(crate) struct Browser {
    agent: ureq::Agent,
    /// The address of the session.
    session: String,
    _driver: Process,
    _profile: TempDir,
}

impl Browser {
    /// Starts a browser; skips the test if none is installed.
    pub(crate) fn start() -> Option<Self> {
        let (chromium, driver) = (program("chromium")?, program("chromedriver")?);
        let profile = tempfile::tempdir().unwrap();
        let mut driver = Process::start_with(Command::new(driver).arg("--port=0"), |command| {
            command.stdout(Stdio::piped()).stderr(Stdio::null());
        });
        let mut lines = BufReader::new(driver.child().stdout.take().unwrap()).lines();
        let port = lines.find_map(|line| {
            let line = line.unwrap();
            let (_, port) = line.split_once("started successfully on port ")?;
            Some(port.trim_end_matches('.').to_owned())
        });
        let port = port.expect("chromedriver says its port");
        // A full pipe would stop it.
        thread::spawn(move || lines.for_each(drop));
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE * 2));
        let mut browser = Self {
            agent: config.build().new_agent(),
            session: format!("http://127.0.0.1:{port}/session"),
            _driver: driver,
            _profile: profile,
        };
        let folder = browser._profile.path().display();
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": {
                "binary": chromium,
                "args": [
                    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                    "--no-first-run", "--disable-extensions", "--window-size=1280,900",
                    format!("--user-data-dir={folder}"),
                ],
            },
        } } });
        let begun = browser.post("", &wanted);
        let id = begun["sessionId"].as_str().expect("a session").to_owned();
        browser.session = format!("{}/{id}", browser.session);
        Some(browser)
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.session);
        let request = self.agent.post(&url).content_type("application/json");
        let mut answer = request.send(body.to_string()).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        let value = &answer["value"];
        assert!(value["error"].is_null(), "{path}: {value}");
        value.clone()
    }

    pub(crate) fn go(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    /// Returns the result of a script's `return`; `arguments[0]` is the argument.
    pub(crate) fn run(&self, script: &str, argument: &Value) -> Value {
        let body = json!({ "script": script, "args": [argument] });
        self.post("/execute/sync", &body)
    }

    /// Returns the value of an expression.
    pub(crate) fn get(&self, expression: &str) -> Value {
        self.run(&format!("return {expression}"), &Value::Null)
    }

    /// Returns the text of the page.
    pub(crate) fn text(&self) -> String {
        self.get("document.body.innerText")
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub(crate) fn wait(&self, expression: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.get(&format!("Boolean({expression})")) != true {
            let text = self.text();
            assert!(Instant::now() < deadline, "never: {expression} in\n{text}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the page has this text.
    #[track_caller]
    pub(crate) fn wait_for_text(&self, text: &str) {
        let text = Value::from(text);
        self.wait(&format!("document.body.innerText.includes({text})"));
    }

    /// Clicks an element as a user does.
    #[track_caller]
    pub(crate) fn click(&self, css: &str) {
        let element = self.find(css);
        self.post(&format!("/element/{element}/click"), &json!({}));
    }

    /// Types into an element as a user does.
    #[track_caller]
    pub(crate) fn type_into(&self, css: &str, text: &str) {
        let element = self.find(css);
        let body = json!({ "text": text });
        self.post(&format!("/element/{element}/value"), &body);
    }

    #[track_caller]
    fn find(&self, css: &str) -> String {
        self.wait(&format!("document.querySelector({})", Value::from(css)));
        let found = self.post(
            "/element",
            &json!({ "using": "css selector", "value": css }),
        );
        found[ELEMENT].as_str().expect("an element").to_owned()
    }

    /// Presses keys, one after another, wherever the focus is.
    pub(crate) fn press(&self, keys: &str) {
        let actions: Vec<_> = keys
            .chars()
            .flat_map(|key| {
                ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key.to_string() }))
            })
            .collect();
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": actions });
        self.post("/actions", &json!({ "actions": [keyboard] }));
    }

    /// A command of Chromium's own protocol.
    pub(crate) fn command(&self, name: &str, parameters: &Value) -> Value {
        let body = json!({ "cmd": name, "params": parameters });
        self.post("/goog/cdp/execute", &body)
    }

    /// Shows the page as on a screen of this width and height, light or dark.
    pub(crate) fn show_as(&self, (width, height): (u32, u32), scheme: &str) {
        let size = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600,
        });
        self.command("Emulation.setDeviceMetricsOverride", &size);
        let scheme = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.command("Emulation.setEmulatedMedia", &json!({ "features": scheme }));
    }

    /// Lets the page of this address read what it copied.
    pub(crate) fn allow_clipboard(&self, url: &str) {
        let origin = url.trim_end_matches('/');
        let allowed = ["clipboardReadWrite", "clipboardSanitizedWrite"];
        let parameters = json!({ "origin": origin, "permissions": allowed });
        self.command("Browser.grantPermissions", &parameters);
    }

    /// Returns a picture of the window as PNG.
    pub(crate) fn screenshot(&self) -> Vec<u8> {
        let picture = self.command("Page.captureScreenshot", &json!({ "format": "png" }));
        from_base64(picture["data"].as_str().unwrap())
    }

    /// Checks that the browser has reported no error since the last call: neither one of a
    /// script nor a violation of the page's policy.
    #[track_caller]
    pub(crate) fn check_no_errors(&self) {
        let entries = self.post("/se/log", &json!({ "type": "browser" }));
        let entries = entries.as_array().unwrap().iter();
        let errors: Vec<_> = entries.filter(|entry| entry["level"] == "SEVERE").collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}

fn from_base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.bytes().filter(|digit| *digit != b'=');
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for digit in digits {
        let value = DIGITS.iter().position(|known| *known == digit).unwrap();
        bits = (bits << 6) | u32::try_from(value).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).unwrap());
        }
    }
    bytes
}
