//! Whether nginx is as hostile as it promises.

use std::time::Duration;

use test_support::{Nginx, Site};

#[tokio::test]
async fn nginx_forwards_requests_to_its_upstream() {
    let site = Site::with(&[("/", "<p>from behind</p>")]).await;
    let nginx = Nginx::before(&format!("127.0.0.1:{}", site.port), Duration::from_secs(5)).await;
    let answer = reqwest::get(nginx.url("/")).await.unwrap();
    assert!(answer.headers()["server"].to_str().unwrap().starts_with("nginx"));
    assert_eq!(answer.text().await.unwrap(), "<p>from behind</p>");
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nginx = Nginx::before(&silent.local_addr().unwrap().to_string(), Duration::from_millis(200)).await;
    assert_eq!(reqwest::get(nginx.url("/")).await.unwrap().status(), 504, "silence is cut off");
}
