//! The tabs of a browser.

use super::Browser;

impl Browser {
    /// Opens another tab and switches to it.
    pub async fn new_tab(&self) {
        let tab = self.driver.new_tab().await.unwrap();
        self.driver.switch_to_window(tab).await.unwrap();
    }

    /// Opens another window and switches to it. Unlike a background tab, a window stays visible, and its timers are not throttled.
    pub async fn new_window(&self) {
        let window = self.driver.new_window().await.unwrap();
        self.driver.switch_to_window(window).await.unwrap();
    }

    /// The number of open tabs.
    pub async fn tabs(&self) -> usize {
        self.driver.windows().await.unwrap().len()
    }

    /// Switches to an open tab, counted from 0 in the order of opening.
    pub async fn switch_to(&self, number: usize) {
        let tabs = self.driver.windows().await.unwrap();
        self.driver.switch_to_window(tabs[number].clone()).await.unwrap();
    }

    /// Closes the current tab and switches to the first of the others. There must be one.
    pub async fn close_tab(&self) {
        self.driver.close_window().await.unwrap();
        self.switch_to(0).await;
    }
}
