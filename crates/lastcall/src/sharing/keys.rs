//! The signing keys that the pods agree on (`SESSION_KEY=shared`): all of them verify, the oldest signs.
//!
//! The store keeps them. A pod that knows a key puts it back, with its age, where the store has lost it, so that a pod that starts
//! just then does not win with a key of its own.

use std::sync::Arc;

use arc_swap::ArcSwap;
use base64::Engine as _;
use parking_lot::Mutex;
use session_domain::Timestamp;
use tracing::error;

use super::Sharing;
use crate::signing_keys::SigningKeys;
use crate::store::AgedSecret;

/// The most keys that verify: the oldest, which signs, and the newest.
const MAX_KEYS: usize = 16;

/// The keys of one pod.
#[derive(Debug)]
pub(super) struct KeyRing {
    keys: Arc<ArcSwap<SigningKeys>>,
    /// The keys that this pod knows; `None` where the pods do not agree on keys. Until they have agreed, one of its own.
    known: Option<Mutex<KnownKeys>>,
}

#[derive(Debug)]
struct KnownKeys {
    secrets: Vec<AgedSecret>,
    has_agreed: bool,
    /// Whether cookies may have been signed with one of them.
    in_use: bool,
}

impl KeyRing {
    pub(super) fn new(keys: Arc<ArcSwap<SigningKeys>>, agrees: bool, now: Timestamp) -> Self {
        let own = AgedSecret { secret: random_secret(), created: now };
        let known = agrees.then(|| Mutex::new(KnownKeys { secrets: vec![own], has_agreed: false, in_use: false }));
        Self { keys, known }
    }

    /// Starts to sign cookies, with the pod's own key where the pods have not agreed yet.
    pub(super) fn start_signing(&self) {
        let Some(known) = &self.known else { return };
        let mut known = known.lock();
        if !std::mem::replace(&mut known.in_use, true) {
            self.sign_with(&known.secrets);
        }
    }

    /// Whether the pods have not agreed on keys yet.
    pub(super) fn are_provisional(&self) -> bool {
        self.known.as_ref().is_some_and(|known| !known.lock().has_agreed)
    }

    fn sign_with(&self, secrets: &[AgedSecret]) {
        match SigningKeys::from_secrets(secrets.iter().map(|secret| secret.secret.as_bytes())) {
            Ok(keys) => self.keys.store(Arc::new(keys)),
            Err(weak) => {
                error!(%weak, "a shared signing key in the store cannot be used; delete lastcall:session-keys there");
            }
        }
    }

    /// The keys that the store lacks, where it has `stored`.
    fn missing_from(&self, stored: &[AgedSecret]) -> Vec<AgedSecret> {
        let Some(known) = &self.known else { return Vec::new() };
        let known = known.lock();
        let offers = known.has_agreed || known.in_use || stored.is_empty();
        let is_missing = |ours: &&AgedSecret| {
            !stored.iter().any(|theirs| theirs.secret == ours.secret && theirs.created <= ours.created)
        };
        known.secrets.iter().filter(|_| offers).filter(is_missing).cloned().collect()
    }

    /// Takes the keys that the store has.
    fn record_agreed(&self, stored: Vec<AgedSecret>) {
        let Some(known) = &self.known else { return };
        let mut known = known.lock();
        // The pod's own key is dropped where it has signed nothing and no other pod knows it.
        let ours = if known.has_agreed || known.in_use { std::mem::take(&mut known.secrets) } else { Vec::new() };
        let secrets = merged(ours.clone(), stored);
        let changed = !known.has_agreed || secrets != ours;
        known.has_agreed = true;
        known.in_use = true;
        if changed {
            self.sign_with(&secrets);
        }
        known.secrets = secrets;
    }
}

/// Merges both without duplicates, the oldest first.
fn merged(ours: Vec<AgedSecret>, theirs: Vec<AgedSecret>) -> Vec<AgedSecret> {
    let mut all = [ours, theirs].concat();
    all.sort_by(|a, b| (a.created, &a.secret).cmp(&(b.created, &b.secret)));
    let mut merged: Vec<AgedSecret> = Vec::with_capacity(all.len());
    for secret in all {
        if !merged.iter().any(|known| known.secret == secret.secret) {
            merged.push(secret);
        }
    }
    if merged.len() > MAX_KEYS {
        merged.drain(1..=merged.len() - MAX_KEYS);
    }
    merged
}

/// Agrees with the other pods on the keys. Repeated with every renewal of the lease: keys that the store has lost are put back, and
/// a pod that was alone learns the others'. `may_propose` says whether the pod proposes its own key where the store has none.
pub(super) async fn agree(sharing: &Sharing, may_propose: bool) {
    if sharing.keys.known.is_none() {
        return;
    }
    let now = sharing.clock.now();
    let Some(mut stored) = sharing.health.record_read(sharing.store.agree_on_secrets(&[]).await, now) else { return };
    if stored.is_empty() && !may_propose {
        return;
    }
    let missing = sharing.keys.missing_from(&stored);
    if !missing.is_empty() {
        let agreed = sharing.store.agree_on_secrets(&missing).await;
        let Some(all) = sharing.health.record_write(agreed, now) else { return };
        stored = all;
    }
    sharing.keys.record_agreed(stored);
}

/// A random secret.
fn random_secret() -> String {
    let mut bytes = [0_u8; 48];
    for part in bytes.chunks_mut(16) {
        part.copy_from_slice(uuid::Uuid::new_v4().as_bytes());
    }
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(name: &str, created: i64) -> AgedSecret {
        AgedSecret { secret: format!("{name:x<40}"), created: Timestamp::from_millis(created) }
    }

    #[test]
    fn keys_are_merged_the_oldest_first_and_each_once_with_its_greater_age() {
        let (old, new) = (secret("old", 1), secret("new", 9));
        let rejuvenated = AgedSecret { created: Timestamp::from_millis(7), ..old.clone() };
        let expected = vec![old.clone(), new.clone()];
        assert_eq!(merged(vec![new.clone()], vec![old.clone()]), expected);
        assert_eq!(merged(vec![old.clone()], vec![rejuvenated.clone(), new.clone()]), expected);
        assert_eq!(merged(vec![rejuvenated, new], vec![old]), expected);
        let many: Vec<_> = (0..40).map(|n| secret(&n.to_string(), n)).collect();
        let kept = merged(many.clone(), Vec::new());
        assert_eq!((kept.len(), &kept[0], kept.last()), (MAX_KEYS, &many[0], many.last()));
    }

    #[test]
    fn a_pod_that_starts_offers_no_key_where_there_is_one_and_drops_its_own() {
        let keys = Arc::new(ArcSwap::from_pointee(SigningKeys::random()));
        let ring = KeyRing::new(keys, true, Timestamp::from_millis(50));
        let theirs = vec![secret("theirs", 60)];
        assert_eq!(ring.missing_from(&theirs), [], "though ours would be older");
        assert_eq!(ring.missing_from(&[]).len(), 1);
        ring.record_agreed(theirs.clone());
        assert!(!ring.are_provisional());
        assert_eq!(ring.missing_from(&[]), theirs, "what the store has lost is put back");
        assert_eq!(ring.missing_from(&theirs), []);
    }

    #[test]
    fn a_key_that_signed_while_a_pod_was_alone_is_offered_to_the_others() {
        let keys = Arc::new(ArcSwap::from_pointee(SigningKeys::random()));
        let ring = KeyRing::new(keys, true, Timestamp::from_millis(50));
        ring.start_signing();
        assert!(ring.are_provisional());
        assert_eq!(ring.missing_from(&[secret("theirs", 10)]).len(), 1);
    }
}
