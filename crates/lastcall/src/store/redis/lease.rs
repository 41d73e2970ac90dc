//! A pod's lease: a key that expires. Its value is what the pod says of itself.

use std::time::Duration;

use futures_util::future::join_all;
use redis::cmd;
use serde::{Deserialize, Serialize};
use session_domain::PodName;
use session_domain::lifecycle::Reason;
use session_domain::shared::{Owner, OwnerNotice};

use super::keys::{EPOCH, PODS};
use super::{RedisStore, keys, millis};
use crate::store::{Lease, LeaseRenewal, StoreError};

/// The value of the key, as JSON. Missing fields have their defaults, so that values of other releases can be read.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct LeaseValue {
    draining: bool,
    /// `None` in the lease of a release that does not say so.
    adopter: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<NoticeValue>,
    /// The duration of the lease in milliseconds. With the remaining time to live, it gives the age of the value.
    duration_ms: u64,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct NoticeValue {
    maintenance: bool,
    remaining_ms: u64,
    auto_logout: bool,
    stays_signed_in: bool,
    moves: bool,
    task_grace_ms: u64,
}

impl LeaseValue {
    fn of(lease: &Lease) -> Self {
        let notice = lease.notice.map(|notice| NoticeValue {
            maintenance: notice.reason == Reason::Maintenance,
            remaining_ms: crate::clock::millis(notice.remaining),
            auto_logout: notice.auto_logout,
            stays_signed_in: notice.stays_signed_in,
            moves: notice.moves,
            task_grace_ms: crate::clock::millis(notice.task_grace),
        });
        Self { draining: lease.draining, adopter: Some(lease.adopter), notice, duration_ms: millis(lease.duration) }
    }

    /// Whether the pod adopts sessions of pods that stop. A pod of a release that does not say so does where it serves: it is not known to
    /// be full.
    fn is_adopter(&self) -> bool {
        self.adopter.unwrap_or(!self.draining && self.notice.is_none())
    }

    /// What the pod says, where its lease lives for `left` milliseconds more.
    fn owner(self, left: u64) -> Owner {
        let age = self.duration_ms.saturating_sub(left);
        let notice = self.notice.map(|notice| OwnerNotice {
            reason: if notice.maintenance { Reason::Maintenance } else { Reason::Shutdown },
            remaining: Duration::from_millis(notice.remaining_ms.saturating_sub(age)),
            auto_logout: notice.auto_logout,
            stays_signed_in: notice.stays_signed_in,
            moves: notice.moves,
            task_grace: Duration::from_millis(notice.task_grace_ms),
        });
        if self.draining { Owner::Draining(notice) } else { Owner::Alive(notice) }
    }
}

/// Reads what a pod says of itself. An invalid lease is that of a pod that serves.
pub(super) async fn owner(store: &RedisStore, pod: &PodName) -> Result<Owner, StoreError> {
    let key = keys::lease(pod);
    let (get, ttl) = (cmd("GET").arg(&key).clone(), cmd("PTTL").arg(&key).clone());
    let (state, left): (Option<Vec<u8>>, i64) = tokio::try_join!(store.query(&get), store.query(&ttl))?;
    let Some(state) = state else { return Ok(Owner::Gone) };
    let state: LeaseValue = serde_json::from_slice(&state).unwrap_or_default();
    let duration = state.duration_ms;
    Ok(state.owner(u64::try_from(left).unwrap_or(duration)))
}

/// The pods that say that they adopt sessions. A pod that has gone without releasing its lease is forgotten. A pod whose lease cannot be
/// read, as where a part of a cluster is away, is none of them.
///
/// # Errors
/// Where the pods cannot be listed, or no lease can be read.
pub(super) async fn adopters(store: &RedisStore) -> Result<Vec<PodName>, StoreError> {
    let pods: Vec<String> = store.query(cmd("SMEMBERS").arg(PODS)).await?;
    let lease = async |pod: &String| {
        let pod = PodName::new(pod)?;
        Some((store.query::<Option<Vec<u8>>>(cmd("GET").arg(keys::lease(&pod))).await, pod))
    };
    let (mut adopters, mut was_read, mut failed) = (Vec::new(), false, None);
    for (value, pod) in join_all(pods.iter().map(lease)).await.into_iter().flatten() {
        was_read |= value.is_ok();
        match value {
            Err(error) => failed = Some(error),
            Ok(Some(value)) if serde_json::from_slice::<LeaseValue>(&value).is_ok_and(|lease| lease.is_adopter()) => {
                adopters.push(pod);
            }
            Ok(Some(_)) => {}
            // A store that takes no writes keeps the name: a later read forgets it.
            Ok(None) => store.query::<()>(cmd("SREM").arg(PODS).arg(pod.as_str())).await.unwrap_or(()),
        }
    }
    match failed {
        Some(error) if !was_read => Err(error),
        _ => Ok(adopters),
    }
}

/// Renews a lease, and names the contents where they have no name yet.
pub(super) async fn renew(store: &RedisStore, lease: &Lease) -> Result<LeaseRenewal, StoreError> {
    let state = serde_json::to_string(&LeaseValue::of(lease)).unwrap_or_default();
    let set =
        cmd("SET").arg(keys::lease(&lease.pod)).arg(state).arg("PX").arg(millis(lease.duration)).arg("GET").clone();
    let get = cmd("GET").arg(EPOCH).clone();
    let list = cmd("SADD").arg(PODS).arg(lease.pod.as_str()).clone();
    let (before, known, ()): (Option<Vec<u8>>, Option<String>, ()) =
        tokio::try_join!(store.query(&set), store.query(&get), store.query(&list))?;
    let (epoch, is_new) = match known {
        Some(epoch) => (Some(epoch), false),
        None => {
            let name = fastrand::u64(1..u64::MAX).to_string();
            let _: Option<String> = store.query(cmd("SET").arg(EPOCH).arg(&name).arg("NX")).await?;
            let epoch: Option<String> = store.query(&get).await?;
            let is_ours = epoch.as_ref() == Some(&name);
            (epoch, is_ours)
        }
    };
    let epoch = epoch.ok_or_else(|| StoreError::Unavailable(format!("{EPOCH} vanished")))?;
    Ok(LeaseRenewal { epoch: epoch.parse().unwrap_or_default(), is_new, had_lapsed: before.is_none() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_read_back_with_less_remaining_time() {
        let notice = OwnerNotice {
            reason: Reason::Maintenance,
            remaining: Duration::from_secs(30),
            auto_logout: true,
            stays_signed_in: false,
            moves: false,
            task_grace: Duration::from_secs(90),
        };
        let pod = PodName::new("a").unwrap();
        let lease =
            Lease { pod, draining: true, adopter: false, notice: Some(notice), duration: Duration::from_secs(5) };
        let written = serde_json::to_string(&LeaseValue::of(&lease)).unwrap();
        let read: LeaseValue = serde_json::from_str(&written).unwrap();
        let Owner::Draining(Some(read)) = read.owner(4_000) else { panic!("{written}") };
        assert_eq!(read, OwnerNotice { remaining: Duration::from_secs(29), ..notice });
    }

    #[test]
    fn a_pod_of_a_release_that_does_not_say_whether_it_adopts_sessions_does_while_it_serves() {
        let cases = [
            ("{}", true),
            (r#"{"draining":true}"#, false),
            (r#"{"notice":{"maintenance":true}}"#, false),
            (r#"{"adopter":false}"#, false),
            (r#"{"adopter":true}"#, true),
        ];
        for (text, adopts) in cases {
            assert_eq!(serde_json::from_str::<LeaseValue>(text).unwrap().is_adopter(), adopts, "{text}");
        }
    }

    #[test]
    fn the_known_fields_of_another_releases_lease_are_read() {
        for (text, draining) in [("{}", false), (r#"{"draining":true,"invented":[1]}"#, true), ("serving", false)] {
            let state: LeaseValue = serde_json::from_str(text).unwrap_or_default();
            assert_eq!(matches!(state.owner(0), Owner::Draining(None)), draining, "{text}");
        }
    }
}
