//! The page of the current tab: its content, and keyboard and mouse.

use std::time::Duration;

use serde_json::Value;
use thirtyfour::{By, TypingData, WebElement};

use super::Browser;
use crate::eventually;

/// Modifier keys, which stay down until the keys pressed together with them are released.
const MODIFIERS: [char; 4] = ['\u{e008}', '\u{e009}', '\u{e00a}', '\u{e03d}'];

impl Browser {
    /// Opens a URL.
    pub async fn go(&self, url: &str) {
        self.driver.goto(url).await.unwrap();
    }

    /// The URL of the page.
    pub async fn url(&self) -> String {
        self.driver.current_url().await.unwrap().to_string()
    }

    /// The title of the page, as its tab shows it.
    pub async fn title(&self) -> String {
        self.driver.title().await.unwrap()
    }

    /// Goes back in the history of the tab.
    pub async fn back(&self) {
        self.driver.back().await.unwrap();
    }

    /// Goes forward in the history of the tab.
    pub async fn forward(&self) {
        self.driver.forward().await.unwrap();
    }

    /// Reloads the page.
    pub async fn reload(&self) {
        self.driver.refresh().await.unwrap();
    }

    /// Types at the end of a text field.
    pub async fn write(&self, css: &str, text: &str) {
        self.element(css).await.send_keys(text).await.unwrap();
    }

    /// Presses keys, one after the other, in the focused element: `Key::Tab`, `"j"`, `Key::Shift + Key::Tab`.
    /// Shift, Control, Alt and Meta stay down until the last of them.
    pub async fn press(&self, keys: impl Into<TypingData>) {
        let none = Some(Duration::ZERO);
        let mut chain = self.driver.action_chain_with_delay(none, none);
        let mut held = Vec::new();
        for key in keys.into().as_vec() {
            chain = chain.key_down(key);
            if MODIFIERS.contains(&key) {
                held.push(key);
            } else {
                chain = chain.key_up(key);
            }
        }
        for key in held {
            chain = chain.key_up(key);
        }
        chain.perform().await.unwrap();
    }

    /// Clicks an element as soon as it can be clicked.
    pub async fn click(&self, css: &str) {
        eventually(&format!("a click on {css}"), || async {
            self.driver.find(By::Css(css)).await.ok()?.click().await.ok()
        })
        .await;
    }

    /// Moves the pointer over the middle of an element.
    pub async fn hover(&self, css: &str) {
        let element = self.element(css).await;
        self.driver.action_chain().move_to_element_center(&element).perform().await.unwrap();
    }

    /// The visible text of an element.
    pub async fn text(&self, css: &str) -> String {
        self.element(css).await.text().await.unwrap()
    }

    /// The value of a form field.
    pub async fn value(&self, css: &str) -> String {
        self.element(css).await.prop("value").await.unwrap().unwrap_or_default()
    }

    /// The focused element: its id, or its tag in lower case.
    pub async fn focused(&self) -> String {
        let script = "const focused = document.activeElement; return focused.id || focused.tagName.toLowerCase()";
        self.run(script).await.as_str().unwrap_or_default().to_owned()
    }

    /// The number of matching elements, visible or not.
    pub async fn count(&self, css: &str) -> usize {
        self.driver.find_all(By::Css(css)).await.unwrap().len()
    }

    /// Whether there is a matching element that is visible.
    pub async fn shows(&self, css: &str) -> bool {
        match self.driver.find(By::Css(css)).await {
            // An element that vanishes between the two requests is not visible.
            Ok(element) => element.is_displayed().await.unwrap_or(false),
            Err(_) => false,
        }
    }

    /// Waits until an element is visible.
    pub async fn sees(&self, css: &str) {
        eventually(css, || async { self.shows(css).await.then_some(()) }).await;
    }

    /// Waits until the text of an element contains `part`, and returns the text.
    pub async fn reads(&self, css: &str, part: &str) -> String {
        eventually(&format!("{part:?} in {css}"), || async {
            let text = self.driver.find(By::Css(css)).await.ok()?.text().await.ok()?;
            text.contains(part).then_some(text)
        })
        .await
    }

    /// Runs a script in the page and returns its result. The script may `await`.
    pub async fn run(&self, script: &str) -> Value {
        self.driver.execute(script, Vec::<Value>::new()).await.unwrap().json().clone()
    }

    /// The errors in the console since the last call: of scripts, and of requests that failed.
    pub async fn console_errors(&self) -> Vec<String> {
        self.driver.browser_log().await.unwrap().into_iter().map(|entry| entry.message).collect()
    }

    /// Runs a script in a frame of the page, counted from 0, even if the frame is cross-origin.
    pub async fn run_in_frame(&self, number: u16, script: &str) -> Value {
        self.driver.enter_frame(number).await.unwrap();
        let answer = self.run(script).await;
        self.driver.enter_default_frame().await.unwrap();
        answer
    }

    async fn element(&self, css: &str) -> WebElement {
        eventually(css, || async { self.driver.find(By::Css(css)).await.ok() }).await
    }
}
