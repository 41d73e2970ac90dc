//! An app that has everything already: its own `/login` and `/logout` (axum-login on tower-sessions), nested routers with a state of
//! their own, its own `/metrics`, its own server with TLS (axum-server). Lastcall comes in as a layer around the app, routes under
//! a prefix, and a future that says when to stop the server.
//!
//! `cargo run -p lastcall --example axum_serve [address] [seconds of the drain] [seconds of the propagation]`
//!
//! Open <https://localhost:8443> and accept the certificate, which is made for each run. Sign in as `ada` with the password
//! `lovelace`, press Ctrl-C here, and look at the page.

mod login;
mod orders;
mod tls;

use std::net::{SocketAddr, TcpListener};
use std::str::FromStr;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use axum_login::login_required;
use axum_server::Handle;
use lastcall::{CookieName, CookieSecure, Lastcall, PodName, RoutePrefix};

/// How long requests in flight have after the drain.
const CLOSING_TIME: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8443".to_owned());
    let drain_timeout = seconds(arguments.next(), 60)?;
    let propagation_wait = seconds(arguments.next(), 15)?;

    let lastcall = Lastcall::builder(PodName::new("shop").ok_or("a pod needs a name")?)
        .config(|config| {
            config.policy.drain_timeout = drain_timeout;
            config.policy.propagation_wait = propagation_wait;
            // TLS ends in this process: no proxy says so.
            config.cookie_secure = CookieSecure::Always;
        })
        .route_prefix(RoutePrefix::new("/_lastcall")?)
        .session_cookie(CookieName::new("lastcall_session")?)
        .login_route(false)
        .metrics_route(false)
        .build();
    // What the app counts comes out of the same exporter as what Lastcall counts.
    metrics::set_global_recorder(lastcall.recorder())?;

    let listener = TcpListener::bind(&address).map_err(|error| format!("{address}: {error}"))?;
    listener.set_nonblocking(true)?;
    // Called before the line below: from now on a signal begins a drain.
    let drained = lastcall.drained();
    tracing::info!("open https://{}, then press Ctrl-C here", listener.local_addr()?);
    let handle = Handle::new();
    let stop = stop_after_the_drain(drained, handle.clone());
    let serve = async {
        axum_server::from_tcp_rustls(listener, tls::self_signed().await?)?
            .handle(handle)
            .serve(app(&lastcall).into_make_service_with_connect_info::<SocketAddr>())
            .await
    };
    // A server that fails is not waited for until a drain comes.
    tokio::try_join!(serve, stop)?;
    lastcall.finish().await?;
    Ok(())
}

/// The app. Lastcall's layer is the outermost: it tracks the pages and posts of the app, and knows nothing of its login.
fn app(lastcall: &Lastcall) -> Router {
    let metrics = lastcall.clone();
    Router::new()
        .route("/", get(orders::page))
        .nest("/orders", orders::routes())
        .route_layer(login_required!(login::Users, login_url = "/login"))
        .merge(login::routes())
        .layer(login::layer())
        .layer(lastcall.layer())
        .merge(lastcall.routes())
        .route("/metrics", get(async move || metrics.render_metrics()))
}

/// The server accepts connections during the drain, and stops after it. It stops as well where Lastcall's background work fails.
async fn stop_after_the_drain(drained: impl Future<Output = ()>, handle: Handle<SocketAddr>) -> std::io::Result<()> {
    drained.await;
    handle.graceful_shutdown(Some(CLOSING_TIME));
    Ok(())
}

fn seconds(argument: Option<String>, default: u64) -> Result<Duration, <u64 as FromStr>::Err> {
    Ok(Duration::from_secs(argument.map_or(Ok(default), |seconds| seconds.parse())?))
}
