//! `user-tier maintenance-page`: the page as a backend of its own.

use test_support::{Person, Process, Signal};

use crate::BINARY;

#[tokio::test]
async fn the_maintenance_page_answers_every_request_and_stops_at_a_signal() {
    let environment = [("HTTP_ADDR", "127.0.0.1:0"), ("MAINTENANCE_RETRY_AFTER", "90s")];
    let mut page = Process::start(BINARY, &["maintenance-page"], &environment);
    let line = page.line("http.address=").await;
    let host = line.split("http.address=\"").nth(1).unwrap().split('"').next().unwrap();
    let person = Person::new(host);
    for path in ["/", "/session", "/t/abc/events", "/anything?x=1"] {
        let answer = person.get(path).await;
        assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()), (503, "90"));
        assert!(!answer.headers().contains_key("set-cookie"));
        assert!(answer.text().await.unwrap().contains("We'll be back soon"));
    }
    for probe in ["/health", "/ready"] {
        assert_eq!(person.status(probe).await, 200);
    }
    let html = person.text("/").await;
    let style = html
        .split("href=\"")
        .find(|part| part.starts_with("/assets/") && part.contains("style.css"))
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    assert_eq!(person.status(style).await, 200);
    page.signal(Signal::SIGTERM);
    assert!(page.wait().await.success());
}

#[tokio::test]
async fn the_maintenance_page_hides_its_probes_if_configured() {
    let environment = [("HTTP_ADDR", "127.0.0.1:0"), ("HIDE_PROBES", "true")];
    let page = Process::start(BINARY, &["maintenance-page"], &environment);
    let line = page.line("http.address=").await;
    let person = Person::new(line.split("http.address=\"").nth(1).unwrap().split('"').next().unwrap());
    for hidden in
        ["/health", "/healthz", "/ready", "/readyz", "/metrics", "/metrics?x=1", "/metrics/", "/health/deep/down"]
    {
        assert_eq!(person.status(hidden).await, 404, "{hidden}");
    }
    for page in ["/", "/healthy", "/metricsx"] {
        assert_eq!(person.status(page).await, 503, "{page}");
    }
}
