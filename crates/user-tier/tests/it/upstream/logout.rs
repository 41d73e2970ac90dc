//! `LOGOUT_REDIRECT` in a browser: one click leaves Lastcall and the app, whose logout takes only a `POST` with a token of its own.

use serde_json::json;
use test_support::{Browser, RawAnswer, RawApp, Signal, eventually};

use super::{answer, in_front_of, metric};

/// The pages of the app, each with what carries the token, and the field in which the logout wants it.
const PAGES: [(&str, &str, &str); 4] = [
    ("django", "<form><input type=hidden name=csrfmiddlewaretoken value=t0k3n></form>", "csrfmiddlewaretoken"),
    ("django-cookie", "<script>document.cookie = 'csrftoken=t0k3n'</script>", "csrfmiddlewaretoken"),
    ("spring", "<meta name=_csrf content=t0k3n><meta name=_csrf_parameter content=_guard>", "_guard"),
    ("tornado", "<script>document.cookie = '_xsrf=t0k3n'</script>", "_xsrf"),
];

/// An app whose users are signed in by its cookie `app`, and signed out by `POST /out/{page}` with the page's token.
async fn app() -> RawApp {
    RawApp::start(|request, _| {
        let mut words = request.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let signed_in = request.lines().any(|line| line.starts_with("cookie:") && line.contains("app=ada"));
        let name = path.trim_start_matches("/out").trim_start_matches('/');
        let Some((_, content, field)) = PAGES.into_iter().find(|(page, ..)| *page == name) else {
            return RawAnswer::Keep(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec());
        };
        if !path.starts_with("/out") {
            return page("Set-Cookie: app=ada; Path=/; HttpOnly\r\n", "Notes", content);
        }
        if method == "POST" && signed_in && request.contains(&format!("{field}=t0k3n")) {
            page("Set-Cookie: app=; Path=/; Max-Age=0\r\n", "Signed out of the app", "")
        } else {
            page("", "Forbidden", "")
        }
    })
    .await
}

fn page(lines: &str, heading: &str, content: &str) -> RawAnswer {
    let html =
        format!("<!doctype html><html><head><title>App</title></head><body><h1>{heading}</h1>{content}</body></html>");
    answer(&format!("Content-Type: text/html; charset=utf-8\r\n{lines}"), &html)
}

const CLICK: &str = "document.querySelector('lastcall-banner').shadowRoot.getElementById('leave-now').click()";

#[tokio::test]
async fn one_click_leaves_lastcall_and_an_app_whose_logout_takes_only_a_post_with_its_token() {
    let app = app().await;
    let browser = Browser::open().await;
    for (name, ..) in PAGES {
        let redirect = format!("/out/{name}");
        let pod =
            in_front_of(&app, &[("LOGOUT_REDIRECT", &redirect), ("DRAIN_TIMEOUT", "1h"), ("PROPAGATION_WAIT", "1h")])
                .await;
        browser.go(&pod.url(&format!("/{name}"))).await;
        eventually("a stream", || async { (metric(&pod, "lastcall_event_streams").await > 0.0).then_some(()) }).await;
        pod.signal(Signal::SIGTERM);
        let shown = "return document.querySelector('lastcall-banner').shadowRoot.getElementById('leave-now')?.checkVisibility()";
        eventually("the banner", || async { (browser.run(shown).await == json!(true)).then_some(()) }).await;
        browser.run(CLICK).await;
        browser.reads("h1", "Signed out of the app").await;
        assert_eq!(browser.url().await, pod.url(&redirect));
        let posted = app.requests().into_iter().filter(|request| request.contains(&format!(" {redirect} "))).count();
        assert_eq!(posted, 1, "{name}");
        assert!((metric(&pod, "graceful_logouts_total").await - 1.0).abs() < f64::EPSILON, "{name}");
    }
}
