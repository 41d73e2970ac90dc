//! A real browser, driven as a person drives it: Chromium without a window, through ChromeDriver.
//!
//! What is emulated (screen, scripts, languages, …) holds for the tab that is in front at that moment, until it is closed.

mod axe;
mod driver;
mod emulation;
mod page;
mod pictures;
mod processes;
mod tabs;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Mutex;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;
use thirtyfour::WebDriver;
pub use thirtyfour::{Key, TypingData};

use crate::eventually;

/// A browser with a profile of its own. Every process of it is killed when it is dropped.
#[derive(Debug)]
pub struct Browser {
    driver: WebDriver,
    process: Child,
    profile: TempDir,
    /// What the person prefers, as far as a test has said so: media features by name.
    prefers: Mutex<BTreeMap<&'static str, &'static str>>,
}

impl Browser {
    /// Opens a browser, as large as a laptop's.
    pub async fn open() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let (driver, process) = driver::open(profile.path(), &profile.path().join(DOWNLOADS)).await;
        Self { driver, process, profile, prefers: Mutex::default() }
    }

    /// Waits until a file of this name has been downloaded as a whole, and gives its place.
    pub async fn downloaded(&self, name: &str) -> PathBuf {
        let file = self.profile.path().join(DOWNLOADS).join(name);
        // Until it is complete Chromium writes it under another name.
        eventually(name, || async { is_complete(&file).then_some(()) }).await;
        file
    }
}

/// The folder within the profile that files are downloaded into.
const DOWNLOADS: &str = "downloads";

/// Whether a download is at its end. Chromium keeps the final name free with an empty file beside the growing one.
fn is_complete(file: &Path) -> bool {
    let Some(folder) = file.parent().and_then(|folder| fs::read_dir(folder).ok()) else { return false };
    let growing = folder.flatten().any(|entry| entry.path().extension().is_some_and(|end| end == "crdownload"));
    file.is_file() && !growing
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
