//! The maintenance switch as operators use it: its position, the time of the last move, and moving it.

use std::sync::Arc;
use std::time::Duration;

use maintenance_switch::{SetError, Switch, SwitchHealth, SwitchState, SwitchStatus};
use session_domain::Timestamp;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::clock;

/// How long a move waits until the switch is read in its new position, so that the next page shows it.
const READ_BACK_TIMEOUT: Duration = Duration::from_secs(2);

/// The state of the switch.
#[derive(Clone, Debug)]
pub(crate) struct ObservedSwitch {
    /// The last reading.
    pub(crate) report: SwitchStatus,
    /// The time of the last move, where this tier saw one.
    pub(crate) since: Option<Timestamp>,
    /// Whether the switch has been read successfully before.
    was_read: bool,
}

impl ObservedSwitch {
    const fn unread() -> Self {
        Self { report: SwitchStatus::unknown(SwitchState::Off), since: None, was_read: false }
    }
}

/// The switch and its state. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Maintenance {
    switch: Arc<Switch>,
    state: watch::Receiver<ObservedSwitch>,
}

impl Maintenance {
    /// Creates the handle, and the task that follows the switch until `stop` is cancelled.
    pub(crate) fn new(switch: Switch, stop: CancellationToken) -> (Self, impl Future<Output = ()>) {
        let switch = Arc::new(switch);
        let (states, state) = watch::channel(ObservedSwitch::unread());
        let following = follow(Arc::clone(&switch), states, stop);
        (Self { switch, state }, following)
    }

    /// Returns the name of the switch: its file or ConfigMap.
    pub(crate) fn name(&self) -> String {
        self.switch.to_string()
    }

    /// Returns the current state.
    pub(crate) fn state(&self) -> ObservedSwitch {
        self.state.borrow().clone()
    }

    /// Returns a receiver that is notified of each change of the state.
    pub(crate) fn subscribe(&self) -> watch::Receiver<ObservedSwitch> {
        self.state.clone()
    }

    /// Moves the switch, and waits a moment until it is read in its new position.
    ///
    /// # Errors
    /// Where the switch cannot be moved, or another operator moved it back.
    pub(crate) async fn set(&self, position: SwitchState) -> Result<(), SetError> {
        self.switch.set(position).await?;
        let mut state = self.state.clone();
        let read_back = state.wait_for(|state| state.report.state == position);
        if timeout(READ_BACK_TIMEOUT, read_back).await.is_ok() {
            return Ok(());
        }
        // Read in the other position: another operator moved it back. Not read at all: it was moved all the same.
        match self.state().report {
            SwitchStatus { state: now, health: SwitchHealth::Healthy } if now != position => {
                Err(SetError::Conflict { now })
            }
            SwitchStatus { .. } => Ok(()),
        }
    }
}

async fn follow(switch: Arc<Switch>, states: watch::Sender<ObservedSwitch>, stop: CancellationToken) {
    let (report, mut reports) = watch::channel(SwitchStatus::unknown(SwitchState::Off));
    let publishing = async {
        while reports.changed().await.is_ok() {
            let report = reports.borrow_and_update().clone();
            states.send_modify(|state| *state = after(state, report, clock::now()));
        }
    };
    tokio::join!(switch.follow(report, stop), publishing);
}

/// Returns the state after a reading.
fn after(before: &ObservedSwitch, report: SwitchStatus, now: Timestamp) -> ObservedSwitch {
    // Before the first reading the position was not known, so the first one is no move.
    let moved = before.report.state != report.state && before.was_read;
    let was_read = before.was_read || report.health == SwitchHealth::Healthy;
    ObservedSwitch { since: if moved { Some(now) } else { before.since }, was_read, report }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_that_of_the_last_move_that_was_seen() {
        let at = Timestamp::from_millis;
        let read = |state, health| SwitchStatus { state, health };
        let away = SwitchHealth::Failing(maintenance_switch::SwitchReadError::Unavailable("refused".to_owned()));
        let state = after(&ObservedSwitch::unread(), read(SwitchState::Off, away), at(0));
        let state = after(&state, read(SwitchState::On, SwitchHealth::Healthy), at(1));
        assert_eq!(state.since, None, "it may have been in this position for days");
        let state = after(&state, read(SwitchState::Off, SwitchHealth::Healthy), at(2));
        assert_eq!(state.since, Some(at(2)));
        let doubt = SwitchHealth::Failing(maintenance_switch::SwitchReadError::NotFound);
        let state = after(&state, read(SwitchState::Off, doubt), at(3));
        assert_eq!(state.since, Some(at(2)), "it was not moved");
    }
}
