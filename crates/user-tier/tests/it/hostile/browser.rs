//! Text, requests and frames of attackers, in a real browser.

use test_support::{Browser, Site, UserPod};

use crate::{BINARY, QUICK, pod};

/// Breaks out of attributes and elements where it is not escaped, and then reports it.
const EVIL: &str = "\"'><img src=x onerror=\"window.xss=1\"><b class=xss>";

/// The same for the address of a script.
const SCRIPT: &str = "</script><script class=xss>window.xss=1</script>";

/// No text of another user has become part of the page or run as a script.
async fn is_unharmed(browser: &Browser, what: &str) {
    assert_eq!(browser.count(".xss, img[src='x'], [onerror]").await, 0, "{what} became part of the page");
    assert_eq!(browser.run("return window.xss ?? null").await, serde_json::Value::Null, "{what} ran");
}

#[tokio::test]
async fn a_user_name_is_shown_literally() {
    let pod = UserPod::start(BINARY, EVIL, &[&QUICK[..], &[("DRAIN_TIMEOUT", "1h")]].concat()).await;
    let browser = Browser::open().await;
    browser.go(&pod.url("/")).await;
    assert_eq!(browser.text("#pod").await, EVIL, "the pod's name is no better");
    for name in [EVIL, SCRIPT, "javascript:window.xss=1", "{{7*7}}${7*7}"] {
        browser.write("#name", name).await;
        browser.click("#name-form button").await;
        browser.reads("#user", name).await;
        assert_eq!(browser.text("#user").await, name);
        browser.reads("#connection", "Live").await;
        is_unharmed(&browser, name).await;
    }
    pod.signal(test_support::Signal::SIGTERM);
    browser.sees("#drain-banner").await;
    is_unharmed(&browser, "a name beside the banner").await;
    browser.reload().await;
    browser.sees("#drain-banner").await;
    is_unharmed(&browser, "a name in a page with the notice in it").await;
}

#[tokio::test]
async fn a_user_name_from_a_proxy_is_shown_literally() {
    let proxied = [("TRUSTED_USER_HEADER", "X-Forwarded-User"), ("TRUSTED_PROXIES", "127.0.0.1/32")];
    let pod = pod(&proxied).await;
    let browser = Browser::open().await;
    browser.sends("X-Forwarded-User", EVIL).await;
    browser.go(&pod.url("/")).await;
    assert_eq!(browser.text("#user").await, EVIL);
    is_unharmed(&browser, "the header").await;
}

#[tokio::test]
async fn text_in_an_address_does_not_become_part_of_a_page() {
    let pod = pod(&[]).await;
    let browser = Browser::open().await;
    let encoded = "%22'%3E%3Cimg%20src=x%20onerror=%22window.xss=1%22%3E%3Cb%20class=xss%3E";
    for path in ["/?q=", "/nowhere/", "/logout/", "/assets/x/", "/logout?reason=", "/t/", "/?next=javascript:"] {
        browser.go(&pod.url(&format!("{path}{encoded}#{encoded}"))).await;
        is_unharmed(&browser, path).await;
    }
    // The address that everything links to is the session's own, and nothing of the path gets into it.
    browser.go(&pod.url("//evil.test/")).await;
    assert_eq!(browser.count("[href*='evil.test'], [action*='evil.test'], [src*='evil.test']").await, 0);
}

/// Another origin: cross-site to the browser as `localhost`, same-site (with cookies) as `127.0.0.1`.
async fn attacker(pod: &UserPod) -> Site {
    let login = format!(
        "<!doctype html><title>Prizes</title><form id=f method=post action='{}'><input name=user value=eve></form>
         <script>f.submit()</script>",
        pod.url("/login")
    );
    let logout = login.replace("/login", "/logout");
    let image = format!("<!doctype html><title>Prizes</title><h1>Look</h1><img src='{}'>", pod.url("/logout"));
    let link = format!("<!doctype html><title>Prizes</title><script>location = '{}'</script>", pod.url("/logout"));
    let fetched = format!(
        "<!doctype html><title>Prizes</title><h1>…</h1><script type=module>
            const post = (path) => fetch('{}' + path, {{ method: 'POST', mode: 'no-cors', credentials: 'include',
                body: new URLSearchParams({{ user: 'eve' }}) }});
            await post('login'); await post('logout'); document.querySelector('h1').textContent = 'done';
         </script>",
        pod.url("/")
    );
    let pages = [("/login", login), ("/logout", logout), ("/image", image), ("/link", link), ("/fetch", fetched)];
    Site::with(&pages.each_ref().map(|(path, page)| (*path, page.as_str()))).await
}

#[tokio::test]
async fn pages_of_other_sites_sign_no_user_in_or_out() {
    let pod = pod(&[]).await;
    let attacker = attacker(&pod).await;
    let browser = Browser::open().await;
    browser.go(&pod.url("/")).await;
    browser.write("#name", "ada").await;
    browser.click("#name-form button").await;
    browser.reads("#user", "ada").await;
    for host in ["localhost", "127.0.0.1"] {
        let evil = format!("http://{host}:{}", attacker.port);
        for path in ["/login", "/logout"] {
            browser.go(&format!("{evil}{path}")).await;
            browser.reads("h1", "Not from here").await;
        }
        browser.go(&format!("{evil}/fetch")).await;
        browser.reads("h1", "done").await;
    }
    let evil = format!("http://localhost:{}", attacker.port);
    browser.go(&format!("{evil}/image")).await;
    browser.reads("h1", "Look").await;
    browser.go(&format!("{evil}/link")).await;
    browser.reads("h1", "Sign out?").await;

    browser.go(&pod.url("/")).await;
    assert_eq!(browser.text("#user").await, "ada");
    assert_eq!(pod.metric("total_logins").await, 1.0);
    assert_eq!(pod.metric("lastcall_session_ends_total{outcome=\"logout\"}").await, 0.0);
}

#[tokio::test]
async fn pages_of_other_sites_cannot_frame_ours() {
    let pod = pod(&[]).await;
    let harmless = Site::with(&[("/", "<!doctype html><title>x</title><h1>Framed</h1>")]).await;
    let paths = ["/", "/nowhere", "/session", "/events", "/logout", "/metrics", "/health", "/favicon.ico"];
    let urls = [vec![harmless.url("/")], paths.iter().map(|path| pod.url(path)).collect()].concat();
    let frames: String = urls.iter().map(|url| format!("<iframe src='{url}'></iframe>")).collect();
    let page = format!("<!doctype html><title>Click here</title>{frames}");
    let attacker = Site::with(&[("/", &page)]).await;
    let browser = Browser::open().await;
    browser.go(&pod.url("/")).await;
    for host in ["localhost", "127.0.0.1"] {
        browser.go(&format!("http://{host}:{}/", attacker.port)).await;
        let seen = "return document.querySelector('h1')?.textContent ?? location.protocol";
        assert_eq!(browser.run_in_frame(0, seen).await, "Framed", "a page that lets itself be framed is");
        for (number, path) in (1..).zip(paths) {
            let shown = browser.run_in_frame(number, "return location.protocol").await;
            assert_eq!(shown, "chrome-error:", "{path} is framed by {host}");
        }
    }
}
