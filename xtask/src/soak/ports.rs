//! Free ports below the range from which the system takes the ports of outgoing connections: a pod that is replaced
//! finds its port free, whatever connections the users have open.

use std::net::TcpListener;

use anyhow::bail;

/// Linux takes the ports of outgoing connections from 32768 on, macOS from 49152 on.
const RANGE: std::ops::Range<u16> = 12_000..32_000;

/// Returns this many ports that nothing listens on.
///
/// # Errors
/// There are not enough.
pub(super) fn free<const N: usize>() -> anyhow::Result<[u16; N]> {
    let mut found = [0; N];
    let mut count = 0;
    for _ in 0..10_000 {
        if count == N {
            return Ok(found);
        }
        let port = fastrand::u16(RANGE);
        if !found.contains(&port) && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            found[count] = port;
            count += 1;
        }
    }
    bail!("not enough free ports between {} and {}", RANGE.start, RANGE.end)
}
