//! `cargo xtask dev --upstream`: pods in front of an app that knows nothing of Lastcall.

use std::process::{Command, Stdio};

use super::Dev;
use test_support::eventually;

/// An app that nobody here wrote: the server of Python's standard library. Killed when dropped.
struct App(std::process::Child, u16);

impl App {
    fn start() -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = crate::root().join("docs/images");
        let arguments = ["-m", "http.server", "--bind", "127.0.0.1", &port.to_string()];
        Self(Command::new("python3").args(arguments).current_dir(folder).stderr(Stdio::null()).spawn().unwrap(), port)
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_browser_stays_with_its_pod_and_continues_at_the_app_on_another_one() {
    let app = App::start();
    let dev = Dev::start(&["--upstream", &format!("http://127.0.0.1:{}", app.1), "--drain-timeout", "1s"], &[]).await;
    assert!(dev.log().iter().any(|line| line.contains("Every browser is a user")));
    let person = dev.person();
    eventually("the app's page", || async {
        // Only a navigation starts a session.
        let page = person.request("/").header("Accept", "text/html").send().await.unwrap();
        let page = page.text().await.unwrap();
        page.contains("banner.png").then_some(())
    })
    .await;
    let session = || async {
        let session: serde_json::Value = person.get("/_lastcall/session").await.json().await.ok()?;
        Some(session["pod"].as_str()?.to_owned())
    };
    let pod = session().await.unwrap();
    assert_eq!(person.status("/banner.png").await, 200);
    assert_eq!(session().await.as_ref(), Some(&pod));
    dev.drain(&pod);
    dev.line(&format!("{pod} has drained and exited")).await;
    assert_eq!(person.status("/banner.png").await, 200, "by the other pod");
    dev.stop().await;
}

#[test]
fn an_address_that_is_none_is_refused_before_anything_starts() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let output = command.args(["dev", "--upstream", "http://127.0.0.1:8000/shop"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("leave out path, query and user: http://host:port"), "{said}");
}
