//! Real proxies in front, as Debian ships them and as docs/proxies.md recommends.

mod drain;
mod forwarded;
mod haproxy;
mod nginx;
mod sticky;

use std::time::Duration;

use futures_util::future::join_all;
use http::StatusCode;
use reqwest::Response;
use test_support::Person;

/// The manual, whose settings the tests use literally.
const MANUAL: &str = include_str!("../../../../docs/proxies.md");

/// The address in the manual's settings, which a pod's address replaces.
const POD: &str = "10.0.0.11:9090";

/// The first block of code of this language in the manual.
fn settings(language: &str) -> &'static str {
    let (_, rest) = MANUAL.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

/// The first block of code of this language after a heading of the manual.
fn settings_after(heading: &str, language: &str) -> &'static str {
    let (_, section) = MANUAL.split_once(&format!("\n{heading}\n")).unwrap();
    let (_, rest) = section.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

/// The same with parts replaced, each of which has to be there.
fn replaced(text: &str, pairs: &[(&str, &str)]) -> String {
    pairs.iter().fold(text.to_owned(), |text, (part, instead)| {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
        text.replace(part, instead)
    })
}

/// Posts the login form as the page at this address does, in a browser that sends `Sec-Fetch-Site` or (`None`) does not.
async fn login(person: &Person, origin: &str, site: Option<&str>) -> Response {
    let mut post = person.post("/login").form(&[("user", "ada")]).header("origin", origin);
    if let Some(site) = site {
        post = post.header("sec-fetch-site", site);
    }
    post.send().await.unwrap()
}

/// Checks which pages may post through a proxy at `address`, and that events arrive at once.
async fn serves_pages_forms_and_events(address: &str) {
    let person = Person::new(address).visit().await;
    let origin = format!("http://{address}");
    assert_eq!(login(&person, &origin, Some("same-origin")).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(person.session().await["user"], "ada");
    for (origin, site) in [("https://evil.test", Some("cross-site")), ("https://evil.test", None), ("null", None)] {
        let refused = login(&person, origin, site).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{origin} {site:?}");
        assert!(refused.headers().get("set-cookie").is_none());
    }
    // Its first event is not held back by a buffer.
    person.events().await;
}

/// Posts through a proxy repeatedly, each time after a pause of about the keep-alive timeout. Returns the unexpected
/// answers.
async fn posts_after_pauses(address: &str, around: Duration) -> Vec<StatusCode> {
    let clients = (0..60).map(|client: u32| async move {
        let person = Person::new(address).visit().await;
        let mut others = Vec::new();
        for post in 0..6_u32 {
            // Pauses from 96 % to 104 % of that time. Turned around (the pod closes first), about
            // one post of a hundred is a 502.
            tokio::time::sleep(around * (960 + (client * 17 + post * 29) % 81) / 1000).await;
            let status = login(&person, &format!("http://{address}"), Some("same-origin")).await.status();
            if status != StatusCode::SEE_OTHER {
                others.push(status);
            }
        }
        others
    });
    join_all(clients).await.concat()
}
