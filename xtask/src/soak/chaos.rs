//! Incidents in the midst of the drains: Redis is killed and comes back with its data and without, a pod is killed,
//! the proxy is reloaded. Each takes place in the midst of a drain of another pod. What users notice until its
//! effects are over is attributed to it, and has bounds of its own.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::PODS;
use super::fleet::Fleet;
use super::tally::Tally;

/// How long Redis is away.
const OUTAGE: Duration = Duration::from_secs(4);
/// How long after an incident errors are attributed to it. A store counts as settled 10 s after it came back.
const AFTERMATH: Duration = Duration::from_secs(15);

/// An incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Incident {
    RedisWithData,
    RedisWithoutData,
    KilledPod,
    ReloadedProxy,
}

impl Incident {
    pub(super) const ALL: [Self; 4] =
        [Self::ReloadedProxy, Self::RedisWithData, Self::KilledPod, Self::RedisWithoutData];

    /// The incident after this many of all drains: they are spread over the run.
    pub(super) fn after(done: u32, drains: u32) -> Option<Self> {
        (1..)
            .zip(Self::ALL)
            .find(|(number, _)| done == (drains * number / 5).max(*number))
            .map(|(_, incident)| incident)
    }

    /// What it is called in the report.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::RedisWithData => "Redis away for 4 s",
            Self::RedisWithoutData => "Redis away for 4 s, back empty",
            Self::KilledPod => "pod killed (SIGKILL)",
            Self::ReloadedProxy => "proxy reloaded",
        }
    }

    /// How many errors a user may notice on average, besides a lost session or a banner, of which there may be none
    /// at all.
    pub(super) const fn errors_per_user(self) -> u32 {
        match self {
            Self::ReloadedProxy => 0,
            // Pages and requests of sessions that another pod holds, until Redis is back.
            Self::RedisWithData | Self::RedisWithoutData => 3,
            // The streams and requests of the third of the users that it served.
            Self::KilledPod => 1,
        }
    }

    /// Lets it happen, and waits until its effects are over.
    ///
    /// # Errors
    /// Something cannot be started again.
    pub(super) async fn strike(self, fleet: &mut Fleet, place: usize, tally: &Arc<Tally>) -> anyhow::Result<()> {
        tally.attribute_to(Some(self));
        match self {
            Self::RedisWithData | Self::RedisWithoutData => {
                fleet.redis.kill().await?;
                sleep(OUTAGE).await;
                fleet.redis.start_again(self == Self::RedisWithData).await?;
            }
            Self::KilledPod => {
                let held = fleet.kill((place + 1) % PODS).await?;
                eprintln!("  the killed pod held {held} sessions");
            }
            Self::ReloadedProxy => fleet.proxy.reload()?,
        }
        sleep(AFTERMATH).await;
        tally.attribute_to(None);
        Ok(())
    }
}
