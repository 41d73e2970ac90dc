//! The counters of a pod up to its exit: scrapes its metrics until it does not answer any more.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Client;
use test_support::metric;
use tokio::task::JoinHandle;
use tokio::time::sleep;

const SCRAPE_EVERY: Duration = Duration::from_millis(50);
/// After so many failed scrapes the pod counts as gone.
const MISSES: u32 = 5;

/// The last metrics page of a pod.
#[derive(Debug)]
pub(crate) struct LastMetrics {
    page: Arc<Mutex<String>>,
    scraper: JoinHandle<()>,
}

impl LastMetrics {
    /// Scrapes this URL repeatedly.
    pub(crate) fn of(url: String) -> Self {
        let page = Arc::default();
        let scraper = tokio::spawn(scrape(url, Arc::clone(&page)));
        Self { page, scraper }
    }

    /// The value of a series so far; 0 before the first page.
    pub(crate) fn value(&self, series: &str) -> f64 {
        let page = self.page.lock().unwrap();
        if page.is_empty() {
            return 0.0;
        }
        metric(&page, series).unwrap_or_else(|| panic!("no {series} in:\n{page}"))
    }

    /// Waits until the pod does not answer any more, and returns the last page.
    pub(crate) async fn last(self) -> String {
        self.scraper.await.unwrap();
        self.page.lock().unwrap().clone()
    }
}

async fn scrape(url: String, page: Arc<Mutex<String>>) {
    let client = Client::new();
    let read = async || client.get(&url).send().await?.error_for_status()?.text().await;
    let mut missed = 0;
    while missed < MISSES {
        match read().await {
            Ok(read) => {
                *page.lock().unwrap() = read;
                missed = 0;
            }
            Err(_) => missed += 1,
        }
        sleep(SCRAPE_EVERY).await;
    }
}
