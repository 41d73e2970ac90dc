//! The maintenance switch in the operator's hand: where it stands, since when, and how it is moved.

use std::sync::Arc;
use std::time::Duration;

use maintenance_switch::{SetError, Switch, SwitchHealth, SwitchState, SwitchStatus};
use session_domain::Timestamp;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::clock;

/// Whoever has moved the switch waits so long to see it there: the next page is to show what they did.
const SEEN_WITHIN: Duration = Duration::from_secs(2);

/// Where the switch stands, as it was seen here.
#[derive(Clone, Debug)]
pub(crate) struct Stand {
    /// What was read last.
    pub(crate) report: SwitchStatus,
    /// Since when it stands there, as far as was seen; absent where it stood there already when this tier began to look.
    pub(crate) since: Option<Timestamp>,
    /// Whether it was ever read.
    was_read: bool,
}

impl Stand {
    const fn unheard() -> Self {
        Self { report: SwitchStatus::unknown(SwitchState::Off), since: None, was_read: false }
    }
}

/// The switch, and where it stands. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Maintenance {
    switch: Arc<Switch>,
    stand: watch::Receiver<Stand>,
}

impl Maintenance {
    /// The switch, and the task that follows it until `stop` is cancelled.
    pub(crate) fn new(switch: Switch, stop: CancellationToken) -> (Self, impl Future<Output = ()>) {
        let switch = Arc::new(switch);
        let (stands, stand) = watch::channel(Stand::unheard());
        let following = follow(Arc::clone(&switch), stands, stop);
        (Self { switch, stand }, following)
    }

    /// What the switch calls itself.
    pub(crate) fn name(&self) -> String {
        self.switch.to_string()
    }

    /// Where it stands.
    pub(crate) fn stand(&self) -> Stand {
        self.stand.borrow().clone()
    }

    /// Hears whenever it stands elsewhere, or is seen otherwise.
    pub(crate) fn stands(&self) -> watch::Receiver<Stand> {
        self.stand.clone()
    }

    /// Moves it, and waits a moment until it is seen there.
    ///
    /// # Errors
    /// Where it cannot be moved, or somebody else moved it the other way.
    pub(crate) async fn set(&self, position: SwitchState) -> Result<(), SetError> {
        self.switch.set(position).await?;
        let mut stand = self.stand.clone();
        let seen = stand.wait_for(|stand| stand.report.state == position);
        if timeout(SEEN_WITHIN, seen).await.is_ok() {
            return Ok(());
        }
        // Read, and not where it was put: somebody else has put it back. Not read, it is set all the same.
        match self.stand().report {
            SwitchStatus { state: now, health: SwitchHealth::Healthy } if now != position => {
                Err(SetError::Conflict { now })
            }
            SwitchStatus { .. } => Ok(()),
        }
    }
}

async fn follow(switch: Arc<Switch>, stands: watch::Sender<Stand>, stop: CancellationToken) {
    let (report, mut reports) = watch::channel(SwitchStatus::unknown(SwitchState::Off));
    let telling = async {
        while reports.changed().await.is_ok() {
            let report = reports.borrow_and_update().clone();
            stands.send_modify(|stand| *stand = after(stand, report, clock::now()));
        }
    };
    tokio::join!(switch.follow(report, stop), telling);
}

fn after(before: &Stand, report: SwitchStatus, now: Timestamp) -> Stand {
    // Before it was read once, nothing is known of where it stood.
    let moved = before.report.state != report.state && before.was_read;
    let was_read = before.was_read || report.health == SwitchHealth::Healthy;
    Stand { since: if moved { Some(now) } else { before.since }, was_read, report }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_that_of_a_move_that_was_seen() {
        let at = Timestamp::from_millis;
        let read = |state, health| SwitchStatus { state, health };
        let away = SwitchHealth::Failing(maintenance_switch::SwitchReadError::Unavailable("refused".to_owned()));
        let stand = after(&Stand::unheard(), read(SwitchState::Off, away), at(0));
        let stand = after(&stand, read(SwitchState::On, SwitchHealth::Healthy), at(1));
        assert_eq!(stand.since, None, "it may have stood there for days");
        let stand = after(&stand, read(SwitchState::Off, SwitchHealth::Healthy), at(2));
        assert_eq!(stand.since, Some(at(2)));
        let doubt = SwitchHealth::Failing(maintenance_switch::SwitchReadError::NotFound);
        let stand = after(&stand, read(SwitchState::Off, doubt), at(3));
        assert_eq!(stand.since, Some(at(2)), "nobody has moved it");
    }
}
