//! A service of your own: the router and the page are yours, the sessions, the drain and the banner are Lastcall's.
//! Open <http://localhost:8080>, fill in some of the form, press Ctrl-C, and look at the page.
//!
//! `cargo run -p lastcall --example embed [address] [seconds of the drain] [stay]`; with `stay` nobody is signed out before
//! the end.

use std::time::Duration;

use axum::response::{Html, IntoResponse};
use axum::routing::{get, post};
use axum::{Form, Router};
use lastcall::{Lastcall, Listeners, PodName, Session};
use serde::Deserialize;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let mut lastcall = Lastcall::builder(PodName::new("embedded").ok_or("a pod needs a name")?);
    if let Some(seconds) = arguments.next() {
        lastcall = lastcall.drain_timeout(Duration::from_secs(seconds.parse()?));
    }
    let stays = arguments.next().as_deref() == Some("stay");

    let signals = lastcall::signals()?;
    let listener = TcpListener::bind(&address).await.map_err(|error| format!("{address}: {error}"))?;
    tracing::info!("open http://{}, then press Ctrl-C here", listener.local_addr()?);
    let app = Router::new().route("/", get(form)).route("/claims", post(claim));
    let style = || async { ([("content-type", "text/css")], include_str!("claim.css")) };
    let script = || async { ([("content-type", "text/javascript")], include_str!("claim.js")) };
    let files = Router::new().route("/claim.css", get(style)).route("/claim.js", get(script));
    let lastcall = lastcall.config(|config| config.auto_logout = !stays).untracked(files).build();
    lastcall.serve(app, Listeners::http(listener), signals).await?;
    Ok(())
}

/// As strict as a policy can be: the script needs no more.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; \
                      base-uri 'none'; require-trusted-types-for 'script'";

/// The page: nothing of Lastcall in it but one tag, and a script of its own that holds the form back after the end.
async fn form(_session: Session) -> impl IntoResponse {
    ([("content-security-policy", POLICY)], Html(include_str!("claim.html")))
}

#[derive(Deserialize)]
struct Claim {
    amount: f64,
}

async fn claim(_session: Session, Form(claim): Form<Claim>) -> String {
    format!("Thank you: {:.2} will be paid back to you.", claim.amount)
}
