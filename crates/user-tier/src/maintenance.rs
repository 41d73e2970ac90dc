//! The maintenance switch on its way to the service: followed where it lies, and given on as on or off.

use std::time::Duration;

use maintenance_switch::{Switch, SwitchHealth, SwitchReadError, SwitchState, SwitchStatus};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// A pod that starts waits so long to hear of its switch: nobody is to slip in before it is known to be on.
const FIRST_WORD: Duration = Duration::from_secs(3);

/// A switch that is followed as long as this lives.
#[derive(Debug)]
pub struct Followed {
    stands: watch::Receiver<bool>,
    /// Ended when dropped.
    _tasks: JoinSet<()>,
}

impl Followed {
    /// Where it stands: `true` is on.
    pub fn stands(&self) -> watch::Receiver<bool> {
        self.stands.clone()
    }
}

/// Follows the switch, if there is one, from where it stands at the first word of it; else it stays as it is at first.
pub async fn follow(switch: Option<Switch>, initial: bool) -> Followed {
    let (report, mut reports) = watch::channel(SwitchStatus::unknown(SwitchState::from(initial)));
    let mut tasks = JoinSet::new();
    if let Some(switch) = switch {
        let name = switch.to_string();
        tasks.spawn(async move { switch.follow(report, CancellationToken::new()).await });
        // A first try that fails is no word: an API that is not there yet may be in a moment.
        let heard = reports.wait_for(|report| {
            !matches!(report.health, SwitchHealth::Unknown | SwitchHealth::Failing(SwitchReadError::Unavailable(_)))
        });
        if timeout(FIRST_WORD, heard).await.is_err() {
            warn!(
                "the maintenance switch is silent: {name} was not read yet; it counts as {}",
                SwitchState::from(initial)
            );
        }
    }
    let (stands, stood) = watch::channel(reports.borrow_and_update().state.is_on());
    tasks.spawn(async move {
        while reports.changed().await.is_ok() {
            let on = reports.borrow_and_update().state.is_on();
            stands.send_if_modified(|stands| std::mem::replace(stands, on) != on);
        }
        // Nobody moves it any more: it stays where it is.
    });
    Followed { stands: stood, _tasks: tasks }
}
