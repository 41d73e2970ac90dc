//! Upgraded connections between clients and the app: counted while they are open, and closed when Lastcall says so.

use http::HeaderMap;
use http::header::UPGRADE;
use http_support::header_fields;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use lastcall::TunnelGuard;
use tracing::debug;
use upstream::tunnel::{CloseCode, Protocol, relay};

/// What the connection speaks once it is upgraded, by the head of the 101 response.
pub(super) fn protocol(head: &HeaderMap) -> Protocol {
    let is_websocket =
        header_fields::members(head, UPGRADE.as_str()).any(|name| name.eq_ignore_ascii_case(b"websocket"));
    if is_websocket { Protocol::WebSocket } else { Protocol::Opaque }
}

/// Relays between the client and the app from the moment at which both connections are upgraded. Take the guard before the request goes
/// to the app, so that a pod with too many connections refuses it, and call this before the 101 response goes to the client.
pub(super) fn spawn(guard: TunnelGuard, protocol: Protocol, client: OnUpgrade, app: OnUpgrade) {
    // Nobody joins the task: it ends with its connections, and the end of the service waits for it by the guard.
    tokio::spawn(async move {
        let (client, app) = match tokio::try_join!(client, app) {
            Ok(upgraded) => upgraded,
            Err(error) => {
                debug!(error = &error as &dyn std::error::Error, "a side left before its connection was upgraded");
                return;
            }
        };
        let closing = guard.closing();
        let end = async { CloseCode(closing.await) };
        let relayed = relay(TokioIo::new(client), TokioIo::new(app), protocol, end).await;
        debug!(
            tunnel.closed_by = ?relayed.closed_by,
            tunnel.client_bytes = relayed.client_bytes,
            tunnel.app_bytes = relayed.app_bytes,
            "an upgraded connection has ended"
        );
    });
}
