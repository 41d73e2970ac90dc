//! The pictures of the user tier in the README: `cargo xtask pictures` copies them. Nothing is asserted of their pixels.

use test_support::{Browser, Signal, eventually};

use crate::pod;

const NOTES: &str = "Handover, Wednesday\n\n- Invoices of the week are checked up to 4711.\n\
    - Ms Okafor rings back about the delivery on Friday.\n- Still to do: the list for the warehouse";

/// The time left when the pictures are taken, so that they always look alike.
const LEFT: u64 = 47;

#[tokio::test]
async fn a_user_who_is_writing_sees_the_banner() {
    let pod = pod(&[("DRAIN_TIMEOUT", "60s"), ("PROPAGATION_WAIT", "1h")]).await;
    let (laptop, phone) = (Browser::open().await, Browser::open().await);
    laptop.emulate(false, 1180, 577).await;
    phone.emulate(false, 390, 780).await;
    for browser in [&laptop, &phone] {
        browser.go(&pod.url("/")).await;
        browser.write("#name", "Mara Lindqvist").await;
        browser.click("#name-form button").await;
        browser.reads("#user", "Mara Lindqvist").await;
        browser.reads("#connection", "Live").await;
        browser.write("#notes", NOTES).await;
    }
    pod.signal(Signal::SIGTERM);
    for (browser, name) in [(&laptop, "banner"), (&phone, "banner-phone")] {
        browser.sees("#drain-banner").await;
        browser.run("document.activeElement.blur(); scrollTo(0, 0)").await;
        eventually("the moment of the picture", || async {
            let left = browser.text("#countdown").await;
            (left.strip_suffix('s')?.parse::<u64>().ok()? <= LEFT).then_some(())
        })
        .await;
        browser.screenshot(name).await;
    }
}
