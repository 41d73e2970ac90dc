//! A laptop that sleeps: its event stream closes and it sends nothing, but the connections that it kept stay open. It
//! comes back over them.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::User;

/// The shortest time awake and asleep; the longest is twice that.
const AWAKE: Duration = Duration::from_secs(4);
const ASLEEP: Duration = Duration::from_secs(3);

/// Sleeps now and then until `stop`.
pub(super) async fn run(user: Arc<User>, mut random: fastrand::Rng, stop: CancellationToken) {
    let cycles = async {
        loop {
            sleep(AWAKE.mul_f64(1.0 + random.f64())).await;
            user.is_asleep.send_replace(true);
            user.tally.count(|counts| counts.sleeps += 1);
            sleep(ASLEEP.mul_f64(1.0 + random.f64())).await;
            user.is_asleep.send_replace(false);
        }
    };
    let _: Option<()> = stop.run_until_cancelled(cycles).await;
}

impl User {
    /// Waits until the user falls asleep.
    pub(super) async fn asleep(&self) {
        // The sender lives as long as the user.
        let _ = self.is_asleep.subscribe().wait_for(|is_asleep| *is_asleep).await;
    }

    /// Waits until the user is awake.
    pub(super) async fn awake(&self) {
        let _ = self.is_asleep.subscribe().wait_for(|is_asleep| !*is_asleep).await;
    }
}
