//! Warns where others can reach the app without Lastcall.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;
use tracing::warn;
use upstream::Address;

/// How long a connection to the pod's own address may take.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);

/// Any address of another network: no packet is sent to it.
const ELSEWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 9);

/// Logs a warning where the app answers on the pod's own address, too.
pub(super) async fn warn_if_reachable(address: &Address) {
    let Address::Tcp { port, .. } = address else { return };
    let Some(own) = own_address().await else { return };
    let address = SocketAddr::new(own, *port);
    if let Ok(Ok(_)) = timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
        warn!(
            app.address = %address,
            "the app also answers on the pod's own address: clients that connect to it there can claim any user by \
             `Lastcall-User`; let the app listen on 127.0.0.1 only"
        );
    }
}

/// The address from which this pod reaches others, unless it is the loopback.
async fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await.ok()?;
    socket.connect(ELSEWHERE).await.ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}
