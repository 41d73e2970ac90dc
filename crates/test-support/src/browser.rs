//! A real browser: headless Chromium, driven through ChromeDriver.
//!
//! Emulation (screen, scripts, languages, …) applies to the current tab until it is closed.

mod axe;
mod driver;
mod emulation;
mod page;
mod processes;
mod screenshots;
mod tabs;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use parking_lot::Mutex;
use tempfile::TempDir;
use thirtyfour::WebDriver;
pub use thirtyfour::{Key, TypingData};

use crate::eventually;

/// A browser with its own profile. Dropping it kills all its processes.
#[derive(Debug)]
pub struct Browser {
    driver: WebDriver,
    process: Child,
    profile: TempDir,
    /// The media features that a test has set, by name.
    preferences: Mutex<BTreeMap<&'static str, &'static str>>,
}

impl Browser {
    /// Opens a browser with the size of a laptop.
    pub async fn open() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let (driver, process) = driver::open(profile.path(), &profile.path().join(DOWNLOADS)).await;
        Self { driver, process, profile, preferences: Mutex::default() }
    }

    /// Waits until a file with this name is downloaded completely, and returns its path.
    pub async fn downloaded(&self, name: &str) -> PathBuf {
        let file = self.profile.path().join(DOWNLOADS).join(name);
        // Chromium writes an incomplete file under another name.
        eventually(name, || async { is_complete(&file).then_some(()) }).await;
        file
    }
}

/// The directory of downloads in the profile.
const DOWNLOADS: &str = "downloads";

/// Whether a download is complete. Until then Chromium reserves the final name with an empty file.
fn is_complete(file: &Path) -> bool {
    let Some(folder) = file.parent().and_then(|folder| fs::read_dir(folder).ok()) else { return false };
    let growing = folder.flatten().any(|entry| entry.path().extension().is_some_and(|end| end == "crdownload"));
    file.is_file() && !growing
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Closing the session would block a runtime that is shutting down.
        let _ = self.driver.clone().leak();
        if let Ok(group) = i32::try_from(self.process.id()) {
            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
        let _ = self.process.wait();
    }
}
