//! Who claims which session. Each id is counted once, whoever claims it: among several pods the one with the newest
//! activity is believed (a session that moves is claimed by two for a moment), but one whose times cannot be true
//! never against one whose times can.

use std::collections::HashMap;
use std::sync::Arc;

use super::pod::Address;
use super::rows::{Row, Rows};
use session_domain::{SessionId, SessionView};

/// The rows, the claims that are not believed, and how many of each pod's claims are disputed.
#[derive(Debug, Default)]
pub(super) struct Claims {
    pub(super) rows: Rows,
    rivals: HashMap<SessionId, Vec<Claim>>,
    shared: HashMap<Address, u64>,
    /// Claims of all pods together.
    count: usize,
}

#[derive(Clone, Debug)]
struct Claim {
    session: Arc<SessionView>,
    address: Address,
    doubtful: bool,
}

impl Claims {
    /// Claims of this address that others make as well.
    pub(super) fn shared(&self, address: &Address) -> u64 {
        self.shared.get(address).copied().unwrap_or(0)
    }

    /// Claims of all pods together.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// Where an id is claimed.
    pub(super) fn claimants(&self, id: SessionId) -> impl Iterator<Item = &Address> {
        self.rows.get(id).into_iter().flat_map(|row| std::iter::once(&row.address).chain(&row.also_at))
    }

    /// A session as the pod at an address tells it, believed or not.
    pub(super) fn claimed(&self, address: &Address, id: SessionId) -> Option<&SessionView> {
        let believed = self.rows.get(id).filter(|row| row.address == *address).map(|row| &row.session);
        let rival = || self.rivals.get(&id)?.iter().find(|claim| claim.address == *address).map(|claim| &claim.session);
        believed.or_else(rival).map(Arc::as_ref)
    }

    pub(super) fn claim(&mut self, address: &Address, session: SessionView, doubtful: bool) {
        let id = session.id;
        let claim = Claim { session: Arc::new(session), address: address.clone(), doubtful };
        let mut claims = self.take(id);
        self.count -= claims.len();
        claims.retain(|other| other.address != *address);
        claims.push(claim);
        self.count += claims.len();
        self.put(id, claims);
    }

    pub(super) fn withdraw(&mut self, address: &Address, id: SessionId) {
        let mut claims = self.take(id);
        self.count -= claims.len();
        claims.retain(|claim| claim.address != *address);
        self.count += claims.len();
        self.put(id, claims);
    }

    /// Takes all claims of an id, the believed one included. Its row stays, to be replaced by [`Claims::put`].
    fn take(&mut self, id: SessionId) -> Vec<Claim> {
        let mut claims = self.rivals.remove(&id).unwrap_or_default();
        let believed = self.rows.get(id).map(|row| Claim {
            session: row.session.clone(),
            address: row.address.clone(),
            doubtful: row.doubtful,
        });
        claims.extend(believed);
        if claims.len() > 1 {
            for claim in &claims {
                if let Some(count) = self.shared.get_mut(&claim.address) {
                    *count -= 1;
                    if *count == 0 {
                        self.shared.remove(&claim.address);
                    }
                }
            }
        }
        claims
    }

    fn put(&mut self, id: SessionId, mut claims: Vec<Claim>) {
        if claims.len() > 1 {
            for claim in &claims {
                *self.shared.entry(claim.address.clone()).or_default() += 1;
            }
        }
        claims.sort_by(|a, b| {
            (!a.doubtful, a.session.last_activity, &a.address).cmp(&(!b.doubtful, b.session.last_activity, &b.address))
        });
        let Some(Claim { session, address, doubtful }) = claims.pop() else {
            self.rows.remove(id);
            return;
        };
        let also_at = claims.iter().map(|claim| claim.address.clone()).collect();
        self.rows.insert(Row { session, address, doubtful, also_at });
        if !claims.is_empty() {
            self.rivals.insert(id, claims);
        }
    }
}
