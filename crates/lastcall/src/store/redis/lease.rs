//! A pod's lease: a key that expires, and what the pod says of itself in it.

use std::time::Duration;

use redis::cmd;
use serde::{Deserialize, Serialize};
use session_domain::PodName;
use session_domain::lifecycle::Reason;
use session_domain::shared::{Owner, OwnerNotice};

use super::{EPOCH, RedisStore, millis};
use crate::store::{Lease, Renewed, StoreError};

/// The key of a pod's lease.
pub(super) fn key(pod: &PodName) -> String {
    format!("lastcall:pod:{pod}")
}

/// The value of the key, as JSON. Fields that are missing have their defaults, so that other releases can be read.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct State {
    draining: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<Notice>,
    /// How long the lease was to last, in milliseconds: with what is left of it, this tells the age of what is said here.
    lasts_ms: u64,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Notice {
    maintenance: bool,
    remaining_ms: u64,
    auto_logout: bool,
    stays_signed_in: bool,
}

impl State {
    fn of(lease: &Lease) -> Self {
        let notice = lease.notice.map(|notice| Notice {
            maintenance: notice.reason == Reason::Maintenance,
            remaining_ms: crate::notice::millis(notice.remaining),
            auto_logout: notice.auto_logout,
            stays_signed_in: notice.stays_signed_in,
        });
        Self { draining: lease.draining, notice, lasts_ms: millis(lease.duration) }
    }

    /// What the pod says, where its lease lasts for `left` milliseconds more.
    fn owner(self, left: u64) -> Owner {
        let age = self.lasts_ms.saturating_sub(left);
        let notice = self.notice.map(|notice| OwnerNotice {
            reason: if notice.maintenance { Reason::Maintenance } else { Reason::Shutdown },
            remaining: Duration::from_millis(notice.remaining_ms.saturating_sub(age)),
            auto_logout: notice.auto_logout,
            stays_signed_in: notice.stays_signed_in,
        });
        if self.draining { Owner::Draining(notice) } else { Owner::Alive(notice) }
    }
}

/// What a pod says of itself. A lease that makes no sense is one of a pod that serves.
pub(super) async fn owner(store: &RedisStore, pod: &PodName) -> Result<Owner, StoreError> {
    let key = key(pod);
    let (get, ttl) = (cmd("GET").arg(&key).clone(), cmd("PTTL").arg(&key).clone());
    let (state, left): (Option<Vec<u8>>, i64) = tokio::try_join!(store.ask(&get), store.ask(&ttl))?;
    let Some(state) = state else { return Ok(Owner::Gone) };
    let state: State = serde_json::from_slice(&state).unwrap_or_default();
    let lasts = state.lasts_ms;
    Ok(state.owner(u64::try_from(left).unwrap_or(lasts)))
}

/// Renews a lease, and names the contents where they have no name yet.
pub(super) async fn renew(store: &RedisStore, lease: &Lease) -> Result<Renewed, StoreError> {
    let state = serde_json::to_string(&State::of(lease)).unwrap_or_default();
    let set = cmd("SET").arg(key(&lease.pod)).arg(state).arg("PX").arg(millis(lease.duration)).arg("GET").clone();
    let get = cmd("GET").arg(EPOCH).clone();
    let (before, known): (Option<Vec<u8>>, Option<String>) = tokio::try_join!(store.ask(&set), store.ask(&get))?;
    let (epoch, is_new) = match known {
        Some(epoch) => (Some(epoch), false),
        None => {
            let name = fastrand::u64(1..u64::MAX).to_string();
            let _: Option<String> = store.ask(cmd("SET").arg(EPOCH).arg(&name).arg("NX")).await?;
            let epoch: Option<String> = store.ask(&get).await?;
            let is_ours = epoch.as_ref() == Some(&name);
            (epoch, is_ours)
        }
    };
    let epoch = epoch.ok_or_else(|| StoreError::Away(format!("{EPOCH} vanished")))?;
    Ok(Renewed { epoch: epoch.parse().unwrap_or_default(), is_new, lapsed: before.is_none() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_read_back_with_the_time_that_has_passed_taken_off() {
        let notice = OwnerNotice {
            reason: Reason::Maintenance,
            remaining: Duration::from_secs(30),
            auto_logout: true,
            stays_signed_in: false,
        };
        let pod = PodName::new("a").unwrap();
        let lease = Lease { pod, draining: true, notice: Some(notice), duration: Duration::from_secs(5) };
        let written = serde_json::to_string(&State::of(&lease)).unwrap();
        let read: State = serde_json::from_str(&written).unwrap();
        let Owner::Draining(Some(read)) = read.owner(4_000) else { panic!("{written}") };
        assert_eq!(read, OwnerNotice { remaining: Duration::from_secs(29), ..notice });
    }

    #[test]
    fn a_lease_of_another_release_is_read_as_far_as_it_goes() {
        for (text, draining) in [("{}", false), (r#"{"draining":true,"invented":[1]}"#, true), ("serving", false)] {
            let state: State = serde_json::from_str(text).unwrap_or_default();
            assert_eq!(matches!(state.owner(0), Owner::Draining(None)), draining, "{text}");
        }
    }
}
