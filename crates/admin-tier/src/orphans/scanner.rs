//! Decides when the store has to be scanned, and finds the orphans.
//!
//! A session becomes an orphan only when the lease of its pod ends. So each check reads the leases of the pods that had
//! sessions at the last scan and of those that the fleet knows, and re-reads the known orphans: some may have been adopted or
//! may have expired. The whole store is scanned
//! - at the first check, and after an error,
//! - when a lease has ended since the last scan,
//! - every [`SCAN_INTERVAL`], for pods that are neither known to the fleet nor were there at the last scan.
//!
//! Scans take up at most a [`SCAN_SHARE`]th of the time, however large the store is.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use cli::secret::SecretString;
use fleet::StoreRecord;
use redis::RedisError;
use session_domain::{PodName, SessionId};
use tokio::time::Instant;

use super::Orphan;
use super::store::Store;
use super::store_lookup::PodQueries;

/// The longest time between two scans.
const SCAN_INTERVAL: Duration = Duration::from_secs(60);

/// A scan is followed by a pause of at least this many times its duration.
const SCAN_SHARE: u32 = 10;

/// The result of a check.
pub(super) struct Checked {
    /// The first orphans.
    pub(super) listed: Vec<Orphan>,
    /// The number of all orphans.
    pub(super) total: u64,
    /// What is known of the pods that were asked about.
    pub(super) pod_records: HashMap<PodName, StoreRecord>,
}

/// Finds orphans.
pub(super) struct Scanner {
    store: Store,
    /// What is known since the last scan; `None` before the first one and after an error.
    known: Option<Known>,
}

/// What a scan has found, kept up to date by checks.
struct Known {
    scanned_at: Instant,
    scan_took: Duration,
    /// The pods that had sessions.
    pods: HashSet<String>,
    /// The pods without a lease. Their orphans are known.
    without_lease: HashSet<String>,
    orphans: Vec<SessionId>,
}

impl Scanner {
    pub(super) const fn new(url: SecretString) -> Self {
        Self { store: Store::new(url), known: None }
    }

    /// Returns the first orphans, up to `max_listed`, and what is known of the pods that are asked about.
    ///
    /// # Errors
    /// Where Redis cannot be reached. The next check scans.
    pub(super) async fn check(&mut self, max_listed: usize, queries: &PodQueries) -> Result<Checked, RedisError> {
        let known = self.known.take();
        let checked = self.try_check(known, max_listed, queries).await;
        if checked.is_err() {
            self.store.disconnect();
        }
        checked
    }

    async fn try_check(
        &mut self,
        known: Option<Known>,
        max_listed: usize,
        queries: &PodQueries,
    ) -> Result<Checked, RedisError> {
        let mut pods: HashSet<String> = queries.iter().map(|(pod, _)| pod.to_string()).collect();
        pods.extend(known.iter().flat_map(|known| known.pods.iter().cloned()));
        let mut leases = self.store.leases(pods.into_iter().collect()).await?;
        let (known, orphans) = match known {
            Some(mut known) if !known.needs_scan(&leases, Instant::now()) => {
                let orphans = self.store.sessions(&known.orphans).await?;
                // A pod that has adopted one is checked from now on.
                known.pods.extend(orphans.iter().map(|orphan| orphan.pod.clone()));
                let orphans: Vec<_> = orphans.into_iter().filter(|orphan| has_no_lease(orphan, &leases)).collect();
                known.without_lease.retain(|pod| leases.get(pod) == Some(&false));
                known.orphans = orphans.iter().map(|orphan| orphan.id).collect();
                (known, orphans)
            }
            Some(_) | None => self.scan(&mut leases).await?,
        };
        self.known = Some(known);
        Ok(checked(orphans, max_listed, queries, &leases))
    }

    /// Scans the store, and adds the leases of pods that were not known before.
    async fn scan(&mut self, leases: &mut HashMap<String, bool>) -> Result<(Known, Vec<Orphan>), RedisError> {
        let started = Instant::now();
        let (mut pods, mut seen, mut orphans, mut cursor) = (HashSet::new(), HashSet::new(), Vec::new(), 0);
        loop {
            let (next, mut ids) = self.store.scan(cursor).await?;
            ids.retain(|id| seen.insert(*id));
            let sessions = self.store.sessions(&ids).await?;
            let new_pods = sessions.iter().map(|session| &session.pod).filter(|pod| !leases.contains_key(*pod));
            let new_pods: HashSet<String> = new_pods.cloned().collect();
            leases.extend(self.store.leases(new_pods.into_iter().collect()).await?);
            for session in sessions {
                pods.insert(session.pod.clone());
                if has_no_lease(&session, leases) {
                    orphans.push(session);
                }
            }
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
        let without_lease = leases.iter().filter(|(_, has_lease)| !**has_lease).map(|(pod, _)| pod.clone()).collect();
        let ids = orphans.iter().map(|orphan| orphan.id).collect();
        let scanned_at = Instant::now();
        let known = Known { scanned_at, scan_took: scanned_at - started, pods, without_lease, orphans: ids };
        Ok((known, orphans))
    }
}

impl Known {
    fn needs_scan(&self, leases: &HashMap<String, bool>, now: Instant) -> bool {
        let age = now.saturating_duration_since(self.scanned_at);
        let has_lease_ended = leases.iter().any(|(pod, has_lease)| !has_lease && !self.without_lease.contains(pod));
        let is_due = has_lease_ended || age >= SCAN_INTERVAL;
        is_due && age >= self.scan_took * SCAN_SHARE
    }
}

fn has_no_lease(session: &Orphan, leases: &HashMap<String, bool>) -> bool {
    leases.get(&session.pod) == Some(&false)
}

fn checked(
    mut orphans: Vec<Orphan>,
    max_listed: usize,
    queries: &PodQueries,
    leases: &HashMap<String, bool>,
) -> Checked {
    let mut pod_records: HashMap<_, _> = queries
        .iter()
        .map(|(pod, _)| {
            let has_lease = leases.get(pod.as_str()).copied().unwrap_or_default();
            (pod.clone(), StoreRecord { has_lease, ..StoreRecord::default() })
        })
        .collect();
    let with_sessions = queries.iter().filter(|(_, wants_sessions)| *wants_sessions);
    let with_sessions: HashMap<_, _> = with_sessions.map(|(pod, _)| (pod.as_str(), pod)).collect();
    for orphan in &orphans {
        if let Some(record) = with_sessions.get(orphan.pod.as_str()).and_then(|pod| pod_records.get_mut(*pod)) {
            record.orphans.insert(orphan.id);
        }
    }
    let total = orphans.len() as u64;
    orphans.truncate(max_listed);
    Checked { listed: orphans, total, pod_records }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(scan_took: Duration, without_lease: &[&str]) -> Known {
        Known {
            scanned_at: Instant::now(),
            scan_took,
            pods: HashSet::new(),
            without_lease: without_lease.iter().map(|pod| (*pod).to_owned()).collect(),
            orphans: Vec::new(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_store_is_scanned_when_a_lease_has_ended_and_otherwise_once_a_minute() {
        let known = known(Duration::from_millis(100), &["user-1"]);
        let leases = |user_2| HashMap::from([("user-1".to_owned(), false), ("user-2".to_owned(), user_2)]);
        let after = |seconds| known.scanned_at + Duration::from_secs(seconds);
        assert!(!known.needs_scan(&leases(true), after(59)));
        assert!(known.needs_scan(&leases(true), after(60)));
        assert!(known.needs_scan(&leases(false), after(5)), "the lease of user-2 has ended");
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_scan_is_followed_by_a_pause_in_proportion() {
        let known = known(Duration::from_secs(10), &[]);
        let leases = HashMap::from([("user-1".to_owned(), false)]);
        let after = |seconds| known.scanned_at + Duration::from_secs(seconds);
        assert!(!known.needs_scan(&leases, after(99)) && known.needs_scan(&leases, after(100)));
    }
}
