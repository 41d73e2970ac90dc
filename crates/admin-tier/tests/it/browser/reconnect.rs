//! A page whose admin tier goes away and comes back.

use super::{open, three};
use crate::Admin;

#[tokio::test]
async fn a_page_says_that_the_tier_does_not_answer_and_reconnects() {
    let (fake, _) = three().await;
    let port = test_support::free_port();
    let here = format!("127.0.0.1:{port}");
    let admin = Admin::with(&[&fake.address], &[("HTTP_ADDR", &here)]).await;
    admin.sessions(3).await;
    let browser = open(&admin, "/admin").await;
    drop(admin);
    browser.reads("#stream-state", "The admin tier does not answer; trying again.").await;
    browser.sees("#freshness.lost").await;
    let _again = Admin::with(&[&fake.address], &[("HTTP_ADDR", &here)]).await;
    browser.reads("#stream-state", "Live.").await;
    browser.reads("#summary", "3 sessions on 1 pod.").await;
}
