//! Pages of other sites, in a browser in which an operator is signed in.

use std::fs;

use test_support::{Browser, Site};

use super::open;
use crate::Admin;

const TOKEN: &str = "a-token-of-the-tests";

async fn signed_in(browser: &Browser, admin: &Admin) {
    open(browser, admin, "/admin").await;
    browser.write("#token", &format!("{TOKEN}\n")).await;
    browser.reads("h1", "Pods").await;
}

#[tokio::test]
async fn a_page_of_another_site_cannot_move_the_switch_or_sign_anybody_in_or_out() {
    let folder = tempfile::tempdir().unwrap();
    let switch = folder.path().join("MAINTENANCE_MODE");
    fs::write(&switch, "false").unwrap();
    let file = ("MAINTENANCE_FILE", switch.to_str().unwrap());
    let options = [("ADMIN_AUTH", "token"), ("ADMIN_TOKEN", TOKEN), file];
    let admin = Admin::with(&["127.0.0.1:1"], &options).await;
    let paths = ["/admin/maintenance", "/admin/sign-out", "/admin/sign-in", "/admin/sign-in/link"];
    let pages = paths.map(|path| {
        format!(
            "<!doctype html><title>Prizes</title><form id=f method=post action='http://{}{path}'>
             <input name=enabled value=true><input name=token value={TOKEN}></form><script>f.submit()</script>",
            admin.http
        )
    });
    let served: Vec<_> = paths.iter().zip(&pages).map(|(path, page)| (*path, page.as_str())).collect();
    let attacker = Site::with(&served).await;
    let browser = Browser::open().await;
    signed_in(&browser, &admin).await;
    // As 127.0.0.1 it is a neighbour, whom the browser sends the operator's cookie along with.
    for host in ["localhost", "127.0.0.1"] {
        for path in paths {
            browser.go(&format!("http://{host}:{}{path}", attacker.port)).await;
            browser.reads("h1", "Not from here").await;
        }
    }
    assert_eq!(fs::read_to_string(&switch).unwrap(), "false");
    assert!(!admin.log().join("\n").contains("the maintenance switch was moved"));
    open(&browser, &admin, "/admin").await;
    browser.reads("h1", "Pods").await;
}

#[tokio::test]
async fn a_page_of_another_site_cannot_frame_the_panel() {
    let admin = Admin::with(&["127.0.0.1:1"], &[("ADMIN_AUTH", "token"), ("ADMIN_TOKEN", TOKEN)]).await;
    let harmless = Site::with(&[("/", "<!doctype html><title>x</title><h1>Framed</h1>")]).await;
    let paths = ["/admin", "/admin/users", "/admin/sign-in", "/admin/nowhere", "/admin/api/v1/pods", "/metrics"];
    let ours = paths.iter().map(|path| format!("http://{}{path}", admin.http));
    let frames: String =
        std::iter::once(harmless.url("/")).chain(ours).map(|url| format!("<iframe src='{url}'></iframe>")).collect();
    let attacker = Site::with(&[("/", &format!("<!doctype html><title>Click here</title>{frames}"))]).await;
    let browser = Browser::open().await;
    signed_in(&browser, &admin).await;
    for host in ["localhost", "127.0.0.1"] {
        browser.go(&format!("http://{host}:{}/", attacker.port)).await;
        let seen = browser.run_in_frame(0, "return document.querySelector('h1').textContent").await;
        assert_eq!(seen, "Framed", "a page that lets itself be framed is");
        for (number, path) in (1..).zip(paths) {
            let shown = browser.run_in_frame(number, "return location.protocol").await;
            assert_eq!(shown, "chrome-error:", "{path} is framed by {host}");
        }
    }
}
