//! Follows the maintenance switch and reports on or off.

use std::time::Duration;

use maintenance_switch::{Switch, SwitchHealth, SwitchReadError, SwitchState, SwitchStatus};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// Start-up waits this long for the first reading, so that no session starts before maintenance is known.
const FIRST_READ_TIMEOUT: Duration = Duration::from_secs(3);

/// Follows the switch until it is dropped.
#[derive(Debug)]
pub struct SwitchFollower {
    position: watch::Receiver<bool>,
    /// Aborted when dropped.
    _tasks: JoinSet<()>,
}

impl SwitchFollower {
    /// The position of the switch: `true` means that maintenance is on.
    pub fn position(&self) -> watch::Receiver<bool> {
        self.position.clone()
    }
}

/// Starts to follow the switch. Returns once it was read for the first time, or after a few seconds with the position
/// `initial`. Without a switch the position stays `initial`.
pub async fn follow(switch: Option<Switch>, initial: bool) -> SwitchFollower {
    let (status_sender, mut status) = watch::channel(SwitchStatus::unknown(SwitchState::from(initial)));
    let mut tasks = JoinSet::new();
    if let Some(switch) = switch {
        let name = switch.to_string();
        tasks.spawn(async move { switch.follow(status_sender, CancellationToken::new()).await });
        // An unavailable API may be available a moment later, so a first attempt that fails because of it does not count.
        let first_read = status.wait_for(|status| {
            !matches!(status.health, SwitchHealth::Unknown | SwitchHealth::Failing(SwitchReadError::Unavailable(_)))
        });
        if timeout(FIRST_READ_TIMEOUT, first_read).await.is_err() {
            warn!("the maintenance switch {name} was not read in time; assuming {}", SwitchState::from(initial));
        }
    }
    let (position_sender, position) = watch::channel(status.borrow_and_update().state.is_on());
    tasks.spawn(async move {
        while status.changed().await.is_ok() {
            let is_on = status.borrow_and_update().state.is_on();
            position_sender.send_if_modified(|position| std::mem::replace(position, is_on) != is_on);
        }
        // Without a switch this ends at once, and the last position holds.
    });
    SwitchFollower { position, _tasks: tasks }
}
