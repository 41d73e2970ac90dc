//! Pages in Chromium, each in a window of its own and on a host of its own, so that each has a cookie jar. All are idle but
//! the last one, which asks the server something every few seconds.
//!
//! What a page sees is written down by a script in it, and read at the end.

use std::time::{Duration, Instant};

use serde_json::Value;
use test_support::Browser;

use super::journal::{End, Journal};

/// Records the library's events on the page, and opens the page again shortly after the session has ended, as a user does.
const RECORD: &str = r#"
if (location.hostname.endsWith(".localhost")) {
  const log = JSON.parse(localStorage.getItem("rolling") ?? "[]");
  const note = (name, data) => {
    log.push({ name, data, at: Date.now() });
    localStorage.setItem("rolling", JSON.stringify(log));
  };
  const goOn = () => document.getElementById("continue").click();
  const comeBack = () => setTimeout(goOn, 1000 + Math.random() * 1000);
  for (const name of ["connected", "drain", "state", "session-ended", "left"])
    addEventListener(`lastcall:${name}`, ({ detail }) => note(name, detail));
  // A stream that is opened again at once changes no state.
  window.EventSource = class extends EventSource {
    constructor(...way) {
      super(...way);
      note("opening", {});
    }
  };
  addEventListener("lastcall:session-ended", comeBack);
  addEventListener("lastcall:left", ({ detail }) => detail.automatic && comeBack());
  const ask = async () => {
    try {
      const answer = await fetch("/session", { cache: "no-store" });
      note("request", { status: answer.status });
    } catch (error) {
      note("request", { status: 0 });
    }
  };
  if (location.hostname.startsWith("working")) setInterval(ask, 3500);
}
"#;

/// The user's name in the `number`th page.
fn name(number: usize, pages: usize) -> String {
    if number + 1 == pages { "working".to_owned() } else { format!("idle-{number}") }
}

/// Opens the pages and signs in at each. Gives their sessions.
pub(super) async fn open(browser: &Browser, address: &str, pages: usize) -> Vec<String> {
    let mut sessions = Vec::new();
    let (_, port) = address.rsplit_once(':').unwrap();
    for number in 0..pages {
        if number > 0 {
            browser.new_window().await;
        }
        let name = name(number, pages);
        browser.before_each_page(RECORD).await;
        browser.go(&format!("http://{name}.localhost:{port}/")).await;
        browser.reads("#connection", "Live").await;
        browser.write("#name", &name).await;
        browser.click("#name-form button").await;
        browser.reads("#user", &name).await;
        browser.reads("#connection", "Live").await;
        let id = browser.run("return (await (await fetch('/session')).json()).session_id").await;
        sessions.push(id.as_str().unwrap().to_owned());
    }
    sessions
}

/// Reads the pages' records once each has a session again, and closes them. `sessions` are their first sessions.
pub(super) async fn close(browser: &Browser, sessions: &[String]) -> Vec<Journal> {
    let mut journals = Vec::new();
    for (number, session) in sessions.iter().enumerate() {
        browser.switch_to(number).await;
        browser.reads("#connection", "Live").await;
        let log = browser.run("return JSON.parse(localStorage.rolling)").await;
        let now = browser.run("return Date.now()").await.as_u64().unwrap();
        let user = browser.text("#user").await;
        let mut journal = read(&name(number, sessions.len()), session, log.as_array().unwrap(), now);
        // A user who came back is anonymous; a user who was never signed out still has the name.
        let expected = if journal.sessions.len() > 1 { "anonymous" } else { journal.user.as_str() };
        if user != expected {
            journal.fail(&format!("the page is of {user:?} now"));
        }
        browser.go("about:blank").await;
        journals.push(journal);
    }
    journals
}

/// What came before the first session had its name is not looked at.
/// `now` is the time by the browser's clock.
fn read(user: &str, session: &str, log: &[Value], now: u64) -> Journal {
    let mut journal = Journal { is_page: true, ..Journal::new(user) };
    let mut is_new = true;
    let read_at = Instant::now();
    let before = |entry: &&Value| entry["name"] != "connected" || entry["data"]["session_id"] != session;
    for entry in log.iter().skip_while(before) {
        let data = &entry["data"];
        let pod = journal.last_pod();
        let ago = Duration::from_millis(now.saturating_sub(entry["at"].as_u64().unwrap_or_default()));
        let at = read_at.checked_sub(ago).unwrap_or(read_at);
        match entry["name"].as_str().unwrap_or_default() {
            "connected" => {
                let id = data["session_id"].as_str().unwrap_or_default();
                if journal.current().is_none_or(|session| session.id != id) {
                    journal.end(End::Lost, &pod);
                    journal.begin(id);
                }
                if is_new {
                    journal.opened(data, at);
                } else {
                    journal.connected_again(data);
                }
                is_new = false;
            }
            "opening" => {
                is_new = true;
                journal.closed(at);
            }
            "state" => {
                is_new |= data["state"] == "live";
                if data["state"] != "live" {
                    journal.closed(at);
                }
            }
            "drain" => journal.notified(data),
            "left" => journal.end(End::AutoLogout, &pod),
            "session-ended" => {
                let end = match (data["reason"].as_str(), data["automatic"] == true) {
                    (Some("forced"), _) => End::Forced,
                    (Some("logout"), true) => End::AutoLogout,
                    _ => End::Lost,
                };
                journal.end(end, &pod);
            }
            "request" => {
                journal.requests += 1;
                if data["status"] != 200 && journal.current().is_some() {
                    journal.fail(&format!("fetch: {data}"));
                }
            }
            _ => {}
        }
    }
    journal
}
