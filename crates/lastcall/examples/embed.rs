//! A service of your own: the router is yours, the sessions and the drain are Lastcall's.
//! Open <http://localhost:8080>, press Ctrl-C, and look at the page.

use axum::{Router, response::Html, routing::get};
use lastcall::{Config, Listeners, PodName, Service, Session};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let signals = lastcall::signals()?;
    let listener = TcpListener::bind("127.0.0.1:8080").await.map_err(|error| format!("127.0.0.1:8080: {error}"))?;
    let config = Config::new(PodName::new("embedded").ok_or("a pod needs a name")?);
    let script = || async { ([("content-type", "text/javascript")], LISTEN) };
    let app = Router::new().route("/", get(hello)).route("/listen.js", get(script));
    tracing::info!("open http://localhost:8080, then press Ctrl-C here");
    Service::new(app, config).serve(Listeners::http(listener), signals).await?;
    Ok(())
}

async fn hello(session: Session) -> Html<String> {
    let notice = session.drain_notice().map_or_else(String::new, |notice| notice.message);
    let page = format!("<h1>Hello from {}</h1><p role=status>{notice}</p>", session.pod());
    Html(page + "<script src=listen.js></script>")
}

/// What makes the page listen: the notice is shown as soon as the pod says it.
const LISTEN: &str = "new EventSource('/events').addEventListener('drain', (event) => {
    document.querySelector('p').textContent = JSON.parse(event.data).message;
});";
