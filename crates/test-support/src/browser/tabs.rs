//! The tabs of a browser.

use super::Browser;

impl Browser {
    /// Opens another tab and goes there.
    pub async fn new_tab(&self) {
        let tab = self.driver.new_tab().await.unwrap();
        self.driver.switch_to_window(tab).await.unwrap();
    }

    /// Opens another window and goes there. Unlike a tab in the background, a window stays visible: its timers keep time.
    pub async fn new_window(&self) {
        let window = self.driver.new_window().await.unwrap();
        self.driver.switch_to_window(window).await.unwrap();
    }

    /// How many tabs are open.
    pub async fn tabs(&self) -> usize {
        self.driver.windows().await.unwrap().len()
    }

    /// Goes to the tab that was opened as the `number`th of those still open, counted from 0.
    pub async fn switch_to(&self, number: usize) {
        let tabs = self.driver.windows().await.unwrap();
        self.driver.switch_to_window(tabs[number].clone()).await.unwrap();
    }

    /// Closes the tab in front and goes to the first of the others: there must be one.
    pub async fn close_tab(&self) {
        self.driver.close_window().await.unwrap();
        self.switch_to(0).await;
    }
}
