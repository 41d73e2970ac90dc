//! The last known state of the switch, and whether it can be relied upon.

use crate::read_error::SwitchReadError;
use crate::state::SwitchState;

/// What is known of the switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwitchStatus {
    /// The last known state.
    pub state: SwitchState,
    /// Whether the state can be relied upon.
    pub health: SwitchHealth,
}

/// Whether the switch can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SwitchHealth {
    /// The switch has not been read yet. The state is the initial one.
    Unknown,
    /// The switch was read, and is followed.
    Healthy,
    /// The switch cannot be read. The state is the last known one.
    Failing(SwitchReadError),
}

impl SwitchStatus {
    /// The status before the switch was read.
    pub const fn unknown(state: SwitchState) -> Self {
        Self { state, health: SwitchHealth::Unknown }
    }

    /// The status after one reading. `has_existed` says whether the switch was found before: until then, a switch that does
    /// not exist is off.
    pub(crate) fn after(&self, reading: Result<SwitchState, SwitchReadError>, has_existed: bool) -> Self {
        match reading {
            Ok(state) => Self { state, health: SwitchHealth::Healthy },
            Err(SwitchReadError::MissingKey) if !has_existed => {
                Self { state: SwitchState::Off, health: SwitchHealth::Healthy }
            }
            Err(error @ SwitchReadError::NotFound) if !has_existed => {
                Self { state: SwitchState::Off, health: SwitchHealth::Failing(error) }
            }
            Err(error) => Self { state: self.state, health: SwitchHealth::Failing(error) },
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

    fn healthy(state: SwitchState) -> SwitchStatus {
        SwitchStatus { state, health: SwitchHealth::Healthy }
    }

    #[test]
    fn a_failed_reading_never_flips_a_switch_that_was_read() {
        let errors = [
            SwitchReadError::NotFound,
            SwitchReadError::MissingKey,
            SwitchReadError::InvalidValue(SwitchValueError::Empty),
            SwitchReadError::Forbidden(String::new()),
            SwitchReadError::Unreadable(String::new()),
            SwitchReadError::Unavailable(String::new()),
        ];
        for state in [SwitchState::On, SwitchState::Off] {
            for error in errors.clone() {
                assert_eq!(healthy(state).after(Err(error.clone()), true), failing(state, error));
            }
            for other in [SwitchState::On, SwitchState::Off] {
                assert_eq!(failing(state, SwitchReadError::MissingKey).after(Ok(other), true), healthy(other));
            }
        }
    }

    #[test]
    fn a_switch_that_never_existed_is_off_and_one_that_cannot_be_read_keeps_its_initial_state() {
        let initial = SwitchStatus::unknown(SwitchState::On);
        assert_eq!(initial.after(Err(SwitchReadError::MissingKey), false), healthy(SwitchState::Off));
        let missing = initial.after(Err(SwitchReadError::NotFound), false);
        assert_eq!(missing, failing(SwitchState::Off, SwitchReadError::NotFound));
        let unavailable = SwitchReadError::Unavailable("refused".to_owned());
        assert_eq!(initial.after(Err(unavailable.clone()), false), failing(SwitchState::On, unavailable));
    }
}
