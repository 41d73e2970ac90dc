//! A service of your own: the router is yours, the sessions and the drain are Lastcall's.
//! Open <http://localhost:8080>, then press Ctrl-C and look at the page again.

use axum::{Router, response::Html, routing::get};
use lastcall::{Config, Listeners, PodName, Service, Session};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let signals = lastcall::signals()?;
    let listener = TcpListener::bind("127.0.0.1:8080").await?;
    let config = Config::new(PodName::new("embedded").ok_or("a pod needs a name")?);
    let app = Router::new().route("/", get(hello));
    Service::new(app, config).serve(Listeners::http(listener), signals).await?;
    Ok(())
}

async fn hello(session: Session) -> Html<String> {
    let notice = session.drain_notice().map_or_else(String::new, |notice| notice.message);
    Html(format!("<h1>Hello from {}</h1><p>{notice}</p>", session.pod()))
}
