//! What is told about the switch: its position, and whether that can be relied upon.

use std::mem::discriminant;

use thiserror::Error;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::position::{Position, SwitchValueError};

/// What is known of the switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Where it stands, as far as is known.
    pub position: Position,
    /// How far that can be relied upon.
    pub standing: SwitchHealth,
}

/// How the switch is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SwitchHealth {
    /// Nothing was heard yet: the position is the one to begin with.
    Unheard,
    /// It was read and understood, and is followed.
    Sound,
    /// It is not, for this reason: the position is the last one known.
    Doubtful(Doubt),
}

/// Why a switch cannot be relied upon. Reads on after what the switch calls itself ("the file /etc/switch is not there").
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Doubt {
    /// The file or the ConfigMap is gone, or was never there. Whoever removed it puts it back, with the position that it
    /// is to have.
    #[error("is not there")]
    NotThere,
    /// The ConfigMap has lost its key. Whoever removed it writes `true` or `false` there.
    #[error("has no key {} any more; write true or false there", crate::KEY)]
    NoKey,
    /// It says something else than on or off. Whoever wrote it corrects it.
    #[error(transparent)]
    BadValue(#[from] SwitchValueError),
    /// Reading it is not allowed: the file's mode, or the role of the pod's service account, is to be changed.
    #[error("may not be read: {0}")]
    Forbidden(String),
    /// It is there but cannot be read: it is a directory, say.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// The Kubernetes API cannot be reached, does not answer, or answers that it cannot now. It is tried again.
    #[error("cannot be asked for: {0}")]
    Away(String),
}

impl Report {
    /// What is known before anything was heard.
    pub const fn unheard(position: Position) -> Self {
        Self { position, standing: SwitchHealth::Unheard }
    }

    /// What is known after a reading. `settled`: whether there was something to read before; until then, what is not there is off.
    fn after(&self, reading: Result<Position, Doubt>, settled: bool) -> Self {
        match reading {
            Ok(position) => Self { position, standing: SwitchHealth::Sound },
            Err(Doubt::NoKey) if !settled => Self { position: Position::Off, standing: SwitchHealth::Sound },
            Err(Doubt::NotThere) if !settled => {
                Self { position: Position::Off, standing: SwitchHealth::Doubtful(Doubt::NotThere) }
            }
            Err(doubt) => Self { position: self.position, standing: SwitchHealth::Doubtful(doubt) },
        }
    }
}

/// Publishes what is read, and logs once when the switch is lost and once when it is back.
#[derive(Debug)]
pub(crate) struct Teller {
    /// What the switch calls itself.
    source: String,
    report: watch::Sender<Report>,
    settled: bool,
}

impl Teller {
    pub(crate) const fn new(source: String, report: watch::Sender<Report>) -> Self {
        Self { source, report, settled: false }
    }

    /// Tells a reading. An unsteady one may be gone at the next moment: it moves the switch, but as long as the way to it
    /// is in doubt, that doubt remains.
    pub(crate) fn hear(&mut self, reading: Result<Position, Doubt>, steady: bool) {
        let before = self.report.borrow().clone();
        // One that says something senseless is there: from then on it is not off because it is gone.
        let was_there = matches!(reading, Ok(_) | Err(Doubt::BadValue(_)));
        let mut now = before.after(reading, self.settled);
        self.settled |= was_there;
        if !steady && matches!(before.standing, SwitchHealth::Doubtful(Doubt::Away(_) | Doubt::Forbidden(_))) {
            now.standing = before.standing.clone();
        }
        self.log(&before, &now);
        self.report.send_if_modified(|report| {
            let differs = *report != now;
            *report = now;
            differs
        });
    }

    fn log(&self, before: &Report, now: &Report) {
        let (source, position) = (&self.source, now.position);
        match (&before.standing, &now.standing) {
            // Only its words differ, from one try to the next.
            (SwitchHealth::Doubtful(before), SwitchHealth::Doubtful(now))
                if discriminant(before) == discriminant(now) => {}
            (_, SwitchHealth::Doubtful(doubt)) => {
                warn!("the maintenance switch is in doubt: {source} {doubt}; it counts as {position} until it is read");
            }
            (SwitchHealth::Doubtful(_), _) => info!("the maintenance switch is read again: {source} says {position}"),
            (SwitchHealth::Unheard | SwitchHealth::Sound, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doubtful(position: Position, doubt: Doubt) -> Report {
        Report { position, standing: SwitchHealth::Doubtful(doubt) }
    }

    #[test]
    fn no_reading_that_fails_moves_a_switch_that_was_understood() {
        let sound = |position| Report { position, standing: SwitchHealth::Sound };
        let doubts = [
            Doubt::NotThere,
            Doubt::NoKey,
            Doubt::BadValue(SwitchValueError::Empty),
            Doubt::Forbidden(String::new()),
            Doubt::Unreadable(String::new()),
            Doubt::Away(String::new()),
        ];
        for position in [Position::On, Position::Off] {
            for doubt in doubts.clone() {
                assert_eq!(sound(position).after(Err(doubt.clone()), true), doubtful(position, doubt));
            }
            for other in [Position::On, Position::Off] {
                assert_eq!(doubtful(position, Doubt::NoKey).after(Ok(other), true), sound(other));
            }
        }
    }

    #[test]
    fn at_first_what_is_not_there_is_off_and_what_is_unknown_stays_as_it_was() {
        let begin = Report::unheard(Position::On);
        let off = Report { position: Position::Off, standing: SwitchHealth::Sound };
        assert_eq!(begin.after(Err(Doubt::NoKey), false), off);
        assert_eq!(begin.after(Err(Doubt::NotThere), false), doubtful(Position::Off, Doubt::NotThere));
        let away = Doubt::Away("it is raining".to_owned());
        assert_eq!(begin.after(Err(away.clone()), false), doubtful(Position::On, away));
    }

    #[test]
    fn a_switch_that_said_something_senseless_is_not_off_once_it_is_gone() {
        let (sender, receiver) = watch::channel(Report::unheard(Position::On));
        let mut teller = Teller::new("the file".to_owned(), sender);
        teller.hear(Err(Doubt::BadValue(SwitchValueError::Empty)), true);
        teller.hear(Err(Doubt::NotThere), true);
        assert_eq!(*receiver.borrow(), doubtful(Position::On, Doubt::NotThere));
    }

    #[test]
    fn an_unsteady_reading_moves_the_switch_and_leaves_the_doubt() {
        let (sender, receiver) = watch::channel(Report::unheard(Position::Off));
        let mut teller = Teller::new("the file".to_owned(), sender);
        let away = || Doubt::Away("refused".to_owned());
        teller.hear(Ok(Position::Off), false);
        assert_eq!(receiver.borrow().standing, SwitchHealth::Sound);
        teller.hear(Err(away()), true);
        teller.hear(Ok(Position::On), false);
        assert_eq!(*receiver.borrow(), doubtful(Position::On, away()));
        teller.hear(Ok(Position::On), true);
        assert_eq!(*receiver.borrow(), Report { position: Position::On, standing: SwitchHealth::Sound });
    }
}
