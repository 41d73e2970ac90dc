//! Work beside requests: a report that takes hours, page by page. At the notice it stops where it is, and the drain goes on; the
//! process waits for its users and for the job, and ends when both are done. What the reports are written to is closed last.
//!
//! `cargo run -p lastcall --example background_jobs [address] [seconds of the drain] [seconds of the propagation]`
//!
//! Press Ctrl-C and look at the log; with <http://localhost:8080> open in a browser, the drain takes longer than the job.

use std::str::FromStr;
use std::time::Duration;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use lastcall::{Lastcall, PodName, Session};
use tokio::net::TcpListener;
use tokio::time::sleep;
use tracing::info;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let drain_timeout = seconds(arguments.next(), 60)?;
    let propagation_wait = seconds(arguments.next(), 15)?;

    let lastcall = Lastcall::builder(PodName::new("reports").ok_or("a pod needs a name")?)
        .drain_timeout(drain_timeout)
        .config(|config| config.policy.propagation_wait = propagation_wait)
        .on_close("report archive", Duration::from_secs(10), close_archive())
        .build();
    let listener = TcpListener::bind(&address).await.map_err(|error| format!("{address}: {error}"))?;
    // Called before the line below: from now on a signal begins a drain.
    let drained = lastcall.drained();
    info!("open http://{}, then press Ctrl-C here", listener.local_addr()?);
    let report = tokio::spawn(report(lastcall.clone()));
    let app = Router::new().route("/", get(page)).layer(lastcall.layer()).merge(lastcall.routes());
    axum::serve(listener, app).with_graceful_shutdown(drained).await?;
    let pages = report.await?;
    info!("the next pod continues the report after page {pages}");
    lastcall.finish().await?;
    Ok(())
}

async fn page(_session: Session) -> Html<&'static str> {
    Html("<!doctype html><title>Reports</title><script src=/assets/lastcall.js defer></script><h1>Reports</h1>")
}

/// Writes pages until the process is to stop, and gives the number of the last one. While a notice of maintenance runs, it
/// pauses: that notice may be cancelled. Without a notice it stops where Lastcall's background work has failed.
async fn report(lastcall: Lastcall) -> u64 {
    let mut notices = lastcall.notices();
    let mut over = std::pin::pin!(lastcall.drained());
    let mut page = 0;
    loop {
        let notice = tokio::select! {
            biased;
            notice = notices.started() => notice,
            () = &mut over => return page,
            () = write(page + 1) => {
                page += 1;
                continue;
            }
        };
        info!("the report stops after page {page}: {}", notice.message);
        if notice.reason == "shutdown" {
            return page;
        }
        tokio::select! {
            () = async { while notices.changed().await.is_some_and(|notice| notice.reason == "maintenance") {} } => {}
            () = &mut over => return page,
        }
    }
}

/// A page is written whole or not at all: dropped, this has done nothing.
async fn write(_page: u64) {
    sleep(Duration::from_millis(50)).await;
}

/// Writes what the archive has not written yet.
async fn close_archive() -> std::io::Result<()> {
    sleep(Duration::from_millis(50)).await;
    Ok(())
}

fn seconds(argument: Option<String>, default: u64) -> Result<Duration, <u64 as FromStr>::Err> {
    Ok(Duration::from_secs(argument.map_or(Ok(default), |seconds| seconds.parse())?))
}
