//! Upgraded connections between clients and the app: counted while they are open, and closed when Lastcall says so.

use http::HeaderMap;
use http::header::UPGRADE;
use http_support::header_fields;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use lastcall::{ForeignRequest, Refusal, TunnelGuard};
use tracing::debug;
use upstream::tunnel::{CloseCode, Protocol, relay};

/// A connection whose client wants to change the protocol. It is counted before the app is asked, so that a pod with too many
/// connections refuses it, and no longer where the app does not agree.
#[derive(Debug)]
pub(super) struct Tunnel {
    guard: TunnelGuard,
    client: OnUpgrade,
}

impl Tunnel {
    /// # Errors
    /// The response to give instead, where the pod has as many connections open as it may.
    pub(super) async fn open(request: &ForeignRequest, client: OnUpgrade) -> Result<Self, Refusal> {
        Ok(Self { guard: request.tunnel().await?, client })
    }

    /// Relays from the moment at which both connections are upgraded. `head` is that of the app's 101 response, before the client gets it.
    pub(super) fn start(self, head: &HeaderMap, app: OnUpgrade) {
        let protocol = protocol(head);
        // Nobody joins the task: it ends with its connections, and the end of the service waits for it by the guard.
        tokio::spawn(async move {
            let Self { guard, client } = self;
            let (client, app) = match tokio::try_join!(client, app) {
                Ok(upgraded) => upgraded,
                Err(error) => {
                    debug!(error = &error as &dyn std::error::Error, "a side left before its connection was upgraded");
                    return;
                }
            };
            let closing = guard.closing();
            let end = async { CloseCode(closing.await) };
            let lost_app = || guard.lost_app_code().map(CloseCode);
            let relayed = relay(TokioIo::new(client), TokioIo::new(app), protocol, end, lost_app).await;
            debug!(
                tunnel.closed_by = ?relayed.closed_by,
                tunnel.client_bytes = relayed.client_bytes,
                tunnel.app_bytes = relayed.app_bytes,
                "an upgraded connection has ended"
            );
        });
    }
}

/// What the connection speaks once it is upgraded.
fn protocol(head: &HeaderMap) -> Protocol {
    let is_websocket =
        header_fields::members(head, UPGRADE.as_str()).any(|name| name.eq_ignore_ascii_case(b"websocket"));
    if is_websocket { Protocol::WebSocket } else { Protocol::Opaque }
}
