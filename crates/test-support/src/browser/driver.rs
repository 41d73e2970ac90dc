//! Starting ChromeDriver and Chromium.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::json;
use thirtyfour::common::capabilities::chromium::ChromiumLikeCapabilities as _;
use thirtyfour::{CapabilitiesHelper as _, DesiredCapabilities, LoggingPrefsLogLevel, WebDriver};

/// The flags of Chromium: no window, no sandbox (tests may run as root), no background requests.
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // A host that is not a loopback address: over plain HTTP, browsers send fewer header fields to it (no Sec-Fetch-*).
    "--host-resolver-rules=MAP app.test 127.0.0.1",
    // Scroll bars differ between systems.
    "--hide-scrollbars",
    "--window-size=1100,800",
];

/// How often ChromeDriver may fail to find a port.
const MAX_ATTEMPTS: u32 = 5;

/// Starts both. The browser saves downloads in `downloads`.
pub(super) async fn open(profile: &Path, downloads: &Path) -> (WebDriver, Child) {
    let (process, port) = (0..MAX_ATTEMPTS).find_map(|_| start(profile)).expect("chromedriver does not start");
    let mut capabilities = DesiredCapabilities::chrome();
    for flag in FLAGS {
        capabilities.add_arg(flag).unwrap();
    }
    // Those that an example makes for itself.
    capabilities.accept_insecure_certs(true).unwrap();
    capabilities.add_arg(&format!("--user-data-dir={}", profile.display())).unwrap();
    let preferences = json!({ "download.default_directory": downloads, "download.prompt_for_download": false });
    capabilities.add_experimental_option("prefs", preferences).unwrap();
    capabilities.set_browser_log_level(LoggingPrefsLogLevel::Severe).unwrap();
    let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities).await.unwrap();
    (driver, process)
}

/// Starts ChromeDriver on a free port and returns the port. ChromeDriver takes a free port of IPv4 and needs the same port of
/// IPv6: if that one is taken, ChromeDriver ends, and the caller tries again.
fn start(profile: &Path) -> Option<(Child, String)> {
    let mut process = Command::new("chromedriver")
        .arg("--port=0")
        // The files that a killed Chromium leaves behind are removed with the profile.
        .env("TMPDIR", profile)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // Its own process group, which includes Chromium, so that both can be killed together.
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
