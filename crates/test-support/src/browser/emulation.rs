//! Emulates the preferences of the user and the properties of the machine, for the current tab.

use serde_json::{Value, json};

use super::Browser;

impl Browser {
    /// Sets the colour scheme and the size of the screen.
    pub async fn emulate(&self, dark: bool, width: u32, height: u32) {
        self.set_preference("prefers-color-scheme", if dark { "dark" } else { "light" }).await;
        let mobile = width < 600;
        let scale = if mobile { 2 } else { 1 };
        let screen = json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": mobile });
        self.send_command("Emulation.setDeviceMetricsOverride", screen).await;
    }

    /// Sets whether the user prefers reduced motion.
    pub async fn reduced_motion(&self, reduced: bool) {
        self.set_preference("prefers-reduced-motion", if reduced { "reduce" } else { "no-preference" }).await;
    }

    /// Switches the scripts of pages on or off, from the next page on. Scripts of tests still run.
    pub async fn scripts(&self, on: bool) {
        self.send_command("Emulation.setScriptExecutionDisabled", json!({ "value": !on })).await;
    }

    /// Runs a script in every page that this tab loads later, before the scripts of the page.
    pub async fn before_each_page(&self, script: &str) {
        self.send_command("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script })).await;
    }

    /// Sets the languages of the user, as in `Accept-Language`: `de-DE`, or `de-DE,en`.
    pub async fn languages(&self, languages: &str) {
        let agent = self.run("return navigator.userAgent").await;
        let identity = json!({ "userAgent": agent, "acceptLanguage": languages });
        self.send_command("Emulation.setUserAgentOverride", identity).await;
        let first = languages.split(',').next().unwrap_or_default();
        self.send_command("Emulation.setLocaleOverride", json!({ "locale": first })).await;
    }

    /// Sets the time zone of the machine, such as `Europe/Berlin`.
    pub async fn time_zone(&self, zone: &str) {
        self.send_command("Emulation.setTimezoneOverride", json!({ "timezoneId": zone })).await;
    }

    /// Adds a header field to each request of this tab, as a proxy could.
    pub async fn sends(&self, header: &str, value: &str) {
        self.send_command("Network.enable", json!({})).await;
        self.send_command("Network.setExtraHTTPHeaders", json!({ "headers": { header: value } })).await;
    }

    /// Disconnects this tab from the network, or connects it again. The browser notices.
    pub async fn offline(&self, offline: bool) {
        self.send_command("Network.enable", json!({})).await;
        let network = json!({ "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
        self.send_command("Network.emulateNetworkConditions", network).await;
    }

    /// Limits how fast this tab sends data, in bytes a second; `None`: no limit.
    pub async fn limit_uploads(&self, rate: Option<u32>) {
        self.send_command("Network.enable", json!({})).await;
        let rate = rate.map_or(-1, i64::from);
        let network = json!({ "offline": false, "latency": 0, "downloadThroughput": -1, "uploadThroughput": rate });
        self.send_command("Network.emulateNetworkConditions", network).await;
    }

    /// Sends all features each time: Chromium resets those that are missing.
    async fn set_preference(&self, feature: &'static str, value: &'static str) {
        let features: Vec<Value> = {
            let mut preferences = self.preferences.lock();
            preferences.insert(feature, value);
            preferences.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
        };
        self.send_command("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Sends a command of the Chrome DevTools Protocol to the current tab.
    async fn send_command(&self, command: &str, parameters: Value) {
        self.driver.cdp().send_raw(command, parameters).await.unwrap();
    }
}
