//! The way in and out in a real browser, by keyboard and by click.

use test_support::Browser;

use crate::Admin;

#[tokio::test]
async fn an_operator_signs_in_by_keyboard_and_another_open_page_follows_the_sign_out() {
    let options = [("ADMIN_AUTH", "token"), ("ADMIN_TOKEN", "opener"), ("REFRESH_INTERVAL", "200ms")];
    let admin = Admin::with(&["127.0.0.1:1"], &options).await;
    let browser = Browser::open().await;
    browser.go(&format!("http://{}/admin/users?q=ada", admin.http)).await;
    browser.reads("h1", "Sign in").await;
    assert_eq!(browser.run("return document.activeElement.id").await, "token");
    browser.write("#token", "wrong\n").await;
    browser.reads("#message", "That is not the token.").await;
    browser.write("#token", "opener\n").await;
    browser.reads("h1", "Users").await;
    assert!(browser.url().await.ends_with("/admin/users?q=ada"));

    browser.new_tab().await;
    browser.go(&format!("http://{}/admin", admin.http)).await;
    browser.click(".sign-out button").await;
    browser.reads("#message", "You are signed out.").await;
    browser.switch_to(0).await;
    browser.reads("h1", "Sign in").await;
    assert!(browser.url().await.contains("next=%2Fadmin%2Fusers%3Fq%3Dada"));
}

#[tokio::test]
async fn a_link_from_the_log_signs_in_by_its_button() {
    let admin = Admin::with(&["127.0.0.1:1"], &[("ADMIN_AUTH", "token")]).await;
    let line = admin.process.line("?once=").await;
    let browser = Browser::open().await;
    browser.go(line.rsplit(' ').next().unwrap()).await;
    browser.reads("h1", "Sign in").await;
    assert!(!browser.shows(".sign-out").await, "opening the link does not sign in");
    browser.click(".sign-in button").await;
    browser.reads("h1", "Pods").await;
    browser.sees(".sign-out").await;
}
