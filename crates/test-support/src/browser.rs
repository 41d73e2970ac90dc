//! A real browser, driven as a person drives it: Chromium without a window, through ChromeDriver.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::common::capabilities::chromium::ChromiumLikeCapabilities as _;
use thirtyfour::{By, DesiredCapabilities, WebDriver, WebElement};

use crate::eventually;

/// What Chromium is started with: no window, no sandbox (tests may run as root), nothing that calls home.
const FLAGS: [&str; 6] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// How often ChromeDriver may fail to find a port.
const TRIES: u32 = 5;

/// A browser with a profile of its own. Every process of it is killed when it is dropped.
#[derive(Debug)]
pub struct Browser {
    driver: WebDriver,
    process: Child,
    _profile: TempDir,
}

impl Browser {
    /// Opens a browser, as large as a laptop's.
    pub async fn open() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let (process, port) =
            (0..TRIES).find_map(|_| start_driver(profile.path())).expect("chromedriver does not start");
        let mut capabilities = DesiredCapabilities::chrome();
        for flag in FLAGS {
            capabilities.add_arg(flag).unwrap();
        }
        capabilities.add_arg(&format!("--user-data-dir={}", profile.path().display())).unwrap();
        capabilities.add_arg("--window-size=1100,800").unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let driver = WebDriver::new(url, capabilities).await.unwrap();
        Self { driver, process, _profile: profile }
    }

    /// Goes to an address.
    pub async fn go(&self, url: &str) {
        self.driver.goto(url).await.unwrap();
    }

    /// The address of the page.
    pub async fn url(&self) -> String {
        self.driver.current_url().await.unwrap().to_string()
    }

    /// Opens another tab and goes there.
    pub async fn new_tab(&self) {
        let tab = self.driver.new_tab().await.unwrap();
        self.driver.switch_to_window(tab).await.unwrap();
    }

    /// Goes to the tab that was opened as the `number`th, counted from 0.
    pub async fn switch_to(&self, number: usize) {
        let tabs = self.driver.windows().await.unwrap();
        self.driver.switch_to_window(tabs[number].clone()).await.unwrap();
    }

    /// Types at the end of a box.
    pub async fn write(&self, css: &str, text: &str) {
        self.element(css).await.send_keys(text).await.unwrap();
    }

    /// Clicks, as soon as the element has arrived where it can be clicked.
    pub async fn click(&self, css: &str) {
        eventually(&format!("a click on {css}"), || async {
            self.driver.find(By::Css(css)).await.ok()?.click().await.ok()
        })
        .await;
    }

    /// What an element shows.
    pub async fn text(&self, css: &str) -> String {
        self.element(css).await.text().await.unwrap()
    }

    /// What stands in a box.
    pub async fn value(&self, css: &str) -> String {
        self.element(css).await.prop("value").await.unwrap().unwrap_or_default()
    }

    /// Whether there is such an element and a person can see it.
    pub async fn shows(&self, css: &str) -> bool {
        match self.driver.find(By::Css(css)).await {
            // It may vanish between the two questions: then it is not shown.
            Ok(element) => element.is_displayed().await.unwrap_or(false),
            Err(_) => false,
        }
    }

    /// Waits until an element is shown.
    pub async fn sees(&self, css: &str) {
        eventually(css, || async { self.shows(css).await.then_some(()) }).await;
    }

    /// Waits until an element's text contains `part`, and gives the text.
    pub async fn reads(&self, css: &str, part: &str) -> String {
        eventually(&format!("{part:?} in {css}"), || async {
            let text = self.driver.find(By::Css(css)).await.ok()?.text().await.ok()?;
            text.contains(part).then_some(text)
        })
        .await
    }

    /// Runs a script in the page and gives what it returns.
    pub async fn run(&self, script: &str) -> Value {
        self.driver.execute(script, Vec::<Value>::new()).await.unwrap().json().clone()
    }

    /// Makes the page believe that the person likes the dark, and sits before a screen of this size.
    pub async fn emulate(&self, dark: bool, width: u32, height: u32) {
        let scheme = if dark { "dark" } else { "light" };
        let tools = self.driver.cdp();
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        tools.send_raw("Emulation.setEmulatedMedia", media).await.unwrap();
        let mobile = width < 600;
        let screen = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile });
        tools.send_raw("Emulation.setDeviceMetricsOverride", screen).await.unwrap();
    }

    async fn element(&self, css: &str) -> WebElement {
        eventually(css, || async { self.driver.find(By::Css(css)).await.ok() }).await
    }
}

/// Starts ChromeDriver on a free port and gives the port. It takes one of IPv4 and wants the same of IPv6: where that is
/// taken it ends, and another try finds another.
fn start_driver(profile: &Path) -> Option<(Child, String)> {
    let mut process = Command::new("chromedriver")
        .arg("--port=0")
        // Where Chromium, killed in the end, leaves its scraps: they go with the profile.
        .env("TMPDIR", profile)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // A process group of its own, which Chromium is in as well: both can be killed as one.
        .process_group(0)
        .spawn()
        .unwrap_or_else(|error| panic!("chromedriver cannot be started ({error}); cargo xtask test installs it"));
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
    let port = lines.find_map(|line| {
        line.rsplit_once(" successfully on port ").map(|(_, port)| port.trim_end_matches('.').to_owned())
    });
    let Some(port) = port else {
        let _ = process.wait();
        return None;
    };
    std::thread::spawn(move || lines.for_each(drop));
    Some((process, port))
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Asking it politely would block a runtime that is on its way out.
        let _ = self.driver.clone().leak();
        if let Ok(group) = i32::try_from(self.process.id()) {
            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
        let _ = self.process.wait();
    }
}
