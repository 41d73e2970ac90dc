//! Connections that change their protocol: from then on bytes pass both ways.

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;
use tracing::debug;

/// Relays between the client and the app, once both have changed the protocol, until one of them closes.
pub(super) fn start(client: OnUpgrade, app: OnUpgrade) {
    tokio::spawn(async move {
        let relayed = async {
            let (client, app) = futures_util::future::try_join(client, app).await?;
            let _ = copy_bidirectional(&mut TokioIo::new(client), &mut TokioIo::new(app)).await;
            Ok::<_, hyper::Error>(())
        };
        if let Err(error) = relayed.await {
            debug!(error = &error as &dyn std::error::Error, "a connection did not change its protocol");
        }
    });
}
