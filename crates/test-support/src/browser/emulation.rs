//! What the tab in front is made to believe of the person and the machine before it.

use serde_json::{Value, json};

use super::Browser;

impl Browser {
    /// Makes the page believe that the person likes the dark, and sits before a screen of this size.
    pub async fn emulate(&self, dark: bool, width: u32, height: u32) {
        self.prefers("prefers-color-scheme", if dark { "dark" } else { "light" }).await;
        let mobile = width < 600;
        let scale = if mobile { 2 } else { 1 };
        let screen = json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": mobile });
        self.tell("Emulation.setDeviceMetricsOverride", screen).await;
    }

    /// Whether the person wants things to stand still.
    pub async fn reduced_motion(&self, reduced: bool) {
        self.prefers("prefers-reduced-motion", if reduced { "reduce" } else { "no-preference" }).await;
    }

    /// Switches the scripts of pages on or off, from the next page on. What a test runs still runs.
    pub async fn scripts(&self, on: bool) {
        self.tell("Emulation.setScriptExecutionDisabled", json!({ "value": !on })).await;
    }

    /// Runs a script in every page that this tab loads from now on, before any of the page's own.
    pub async fn before_each_page(&self, script: &str) {
        self.tell("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script })).await;
    }

    /// The languages that the person reads, as `Accept-Language` has them: `de-DE`, or `de-DE,en`.
    pub async fn languages(&self, languages: &str) {
        let agent = self.run("return navigator.userAgent").await;
        let identity = json!({ "userAgent": agent, "acceptLanguage": languages });
        self.tell("Emulation.setUserAgentOverride", identity).await;
        let first = languages.split(',').next().unwrap_or_default();
        self.tell("Emulation.setLocaleOverride", json!({ "locale": first })).await;
    }

    /// The time zone that the machine is in: `Europe/Berlin`.
    pub async fn time_zone(&self, zone: &str) {
        self.tell("Emulation.setTimezoneOverride", json!({ "timezoneId": zone })).await;
    }

    /// A header that goes with each request of this tab, as a proxy in front would add it.
    pub async fn sends(&self, header: &str, value: &str) {
        self.tell("Network.enable", json!({})).await;
        self.tell("Network.setExtraHTTPHeaders", json!({ "headers": { header: value } })).await;
    }

    /// Takes the network away from this tab, or gives it back, as a cable that is pulled: the browser notices.
    pub async fn offline(&self, offline: bool) {
        self.tell("Network.enable", json!({})).await;
        let network = json!({ "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
        self.tell("Network.emulateNetworkConditions", network).await;
    }

    /// All features are said each time, as Chromium forgets those that it is not told.
    async fn prefers(&self, feature: &'static str, value: &'static str) {
        let features: Vec<Value> = {
            let mut prefers = self.prefers.lock().unwrap();
            prefers.insert(feature, value);
            prefers.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
        };
        self.tell("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// A command of the Chrome DevTools Protocol, to the tab in front.
    async fn tell(&self, command: &str, parameters: Value) {
        self.driver.cdp().send_raw(command, parameters).await.unwrap();
    }
}
