//! Publishes the status of the switch after each reading.

use std::mem::discriminant;

use tokio::sync::watch;
use tracing::{info, warn};

use crate::read_error::SwitchReadError;
use crate::state::SwitchState;
use crate::status::{SwitchHealth, SwitchStatus};

/// Publishes readings, and logs once when the switch cannot be read any more and once when it can be read again.
#[derive(Debug)]
pub(crate) struct StatusPublisher {
    /// The switch's name for the log.
    source: String,
    status: watch::Sender<SwitchStatus>,
    /// Whether the switch was found before.
    has_existed: bool,
}

impl StatusPublisher {
    pub(crate) const fn new(source: String, status: watch::Sender<SwitchStatus>) -> Self {
        Self { source, status, has_existed: false }
    }

    /// Publishes one reading. An unstable one, which was listed but could not be watched yet, changes the state, but does
    /// not end a failure of the API.
    pub(crate) fn publish(&mut self, reading: Result<SwitchState, SwitchReadError>, is_stable: bool) {
        let before = self.status.borrow().clone();
        // A switch with an invalid value exists: if it is removed later, it is not off for that reason.
        let exists = matches!(reading, Ok(_) | Err(SwitchReadError::InvalidValue(_)));
        let mut now = before.after(reading, self.has_existed);
        self.has_existed |= exists;
        let is_api_failing = matches!(
            before.health,
            SwitchHealth::Failing(SwitchReadError::Unavailable(_) | SwitchReadError::Forbidden(_))
        );
        if !is_stable && is_api_failing {
            now.health = before.health.clone();
        }
        self.log(&before, &now);
        self.status.send_if_modified(|status| {
            let is_different = *status != now;
            *status = now;
            is_different
        });
    }

    fn log(&self, before: &SwitchStatus, now: &SwitchStatus) {
        let (source, state) = (&self.source, now.state);
        match (&before.health, &now.health) {
            // The details of an error can differ from one attempt to the next.
            (SwitchHealth::Failing(before), SwitchHealth::Failing(now))
                if discriminant(before) == discriminant(now) => {}
            (_, SwitchHealth::Failing(error)) => {
                warn!("the maintenance switch cannot be read: {source} {error}; it counts as {state} until then");
            }
            (SwitchHealth::Failing(_), _) => info!("the maintenance switch is read again: {source} says {state}"),
            (SwitchHealth::Unknown | SwitchHealth::Healthy, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::SwitchValueError;

    fn failing(state: SwitchState, error: SwitchReadError) -> SwitchStatus {
        SwitchStatus { state, health: SwitchHealth::Failing(error) }
    }

    #[test]
    fn a_switch_that_had_an_invalid_value_is_not_off_once_it_is_removed() {
        let (sender, receiver) = watch::channel(SwitchStatus::unknown(SwitchState::On));
        let mut publisher = StatusPublisher::new("the file".to_owned(), sender);
        publisher.publish(Err(SwitchReadError::InvalidValue(SwitchValueError::Empty)), true);
        publisher.publish(Err(SwitchReadError::NotFound), true);
        assert_eq!(*receiver.borrow(), failing(SwitchState::On, SwitchReadError::NotFound));
    }

    #[test]
    fn an_unstable_reading_changes_the_state_and_does_not_end_the_failure() {
        let (sender, receiver) = watch::channel(SwitchStatus::unknown(SwitchState::Off));
        let mut publisher = StatusPublisher::new("the file".to_owned(), sender);
        let unavailable = || SwitchReadError::Unavailable("refused".to_owned());
        publisher.publish(Ok(SwitchState::Off), false);
        assert_eq!(receiver.borrow().health, SwitchHealth::Healthy);
        publisher.publish(Err(unavailable()), true);
        publisher.publish(Ok(SwitchState::On), false);
        assert_eq!(*receiver.borrow(), failing(SwitchState::On, unavailable()));
        publisher.publish(Ok(SwitchState::On), true);
        assert_eq!(*receiver.borrow(), SwitchStatus { state: SwitchState::On, health: SwitchHealth::Healthy });
    }
}
