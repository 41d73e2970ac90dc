//! Which pods claim which sessions. Each id is counted once: if several pods claim it, the claim with the newest activity
//! wins. A session that moves is claimed by two pods for a moment. A claim with doubtful times never wins against one
//! without.

use std::collections::HashMap;
use std::sync::Arc;

use session_domain::{SessionId, SessionView};

use crate::address::Address;
use crate::rows::{Row, Rows};

/// The rows of the winning claims, the other claims, and the number of disputed claims of each pod.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    pub(crate) rows: Rows,
    rivals: HashMap<SessionId, Vec<Claim>>,
    disputed: HashMap<Address, u64>,
    /// The tasks of the sessions that each pod claims.
    tasks: HashMap<Address, usize>,
    /// The claims of all pods together.
    count: usize,
}

#[derive(Clone, Debug)]
struct Claim {
    session: Arc<SessionView>,
    address: Address,
    doubtful: bool,
}

impl Claims {
    /// The claims of this address that other pods make, too.
    pub(crate) fn disputed(&self, address: &Address) -> u64 {
        self.disputed.get(address).copied().unwrap_or(0)
    }

    /// The claims of all pods together.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    /// The tasks of the sessions that this address claims, without those of the session `id`.
    pub(crate) fn tasks_besides(&self, address: &Address, id: SessionId) -> usize {
        let of_session = self.claimed(address, id).map_or(0, |session| session.tasks.len());
        self.tasks.get(address).map_or(0, |tasks| tasks - of_session)
    }

    fn count_tasks(&mut self, address: &Address, id: SessionId, tasks: usize) {
        let all = self.tasks_besides(address, id) + tasks;
        if all > 0 {
            self.tasks.insert(address.clone(), all);
        } else {
            self.tasks.remove(address);
        }
    }

    /// The addresses that claim an id.
    pub(crate) fn claimants(&self, id: SessionId) -> impl Iterator<Item = &Address> {
        self.rows.get(id).into_iter().flat_map(|row| std::iter::once(&row.address).chain(&row.also_at))
    }

    /// The address whose claim of an id wins.
    pub(crate) fn holder(&self, id: SessionId) -> Option<&Address> {
        self.rows.get(id).map(|row| &row.address)
    }

    /// The claim of the pod at an address, winning or not.
    pub(crate) fn claimed(&self, address: &Address, id: SessionId) -> Option<&SessionView> {
        let winner = self.rows.get(id).filter(|row| row.address == *address).map(|row| &row.session);
        let rival = || self.rivals.get(&id)?.iter().find(|claim| claim.address == *address).map(|claim| &claim.session);
        winner.or_else(rival).map(Arc::as_ref)
    }

    pub(crate) fn claim(&mut self, address: &Address, session: SessionView, doubtful: bool) {
        let id = session.id;
        self.count_tasks(address, id, session.tasks.len());
        let claim = Claim { session: Arc::new(session), address: address.clone(), doubtful };
        let mut claims = self.take(id);
        self.count -= claims.len();
        claims.retain(|other| other.address != *address);
        claims.push(claim);
        self.count += claims.len();
        self.put(id, claims);
    }

    pub(crate) fn withdraw(&mut self, address: &Address, id: SessionId) {
        self.count_tasks(address, id, 0);
        let mut claims = self.take(id);
        self.count -= claims.len();
        claims.retain(|claim| claim.address != *address);
        self.count += claims.len();
        self.put(id, claims);
    }

    /// Takes all claims of an id, the winning one included. Its row stays until [`Claims::put`] replaces it.
    fn take(&mut self, id: SessionId) -> Vec<Claim> {
        let mut claims = self.rivals.remove(&id).unwrap_or_default();
        let winner = self.rows.get(id).map(|row| Claim {
            session: row.session.clone(),
            address: row.address.clone(),
            doubtful: row.doubtful,
        });
        claims.extend(winner);
        if claims.len() > 1 {
            for claim in &claims {
                if let Some(count) = self.disputed.get_mut(&claim.address) {
                    *count -= 1;
                    if *count == 0 {
                        self.disputed.remove(&claim.address);
                    }
                }
            }
        }
        claims
    }

    fn put(&mut self, id: SessionId, mut claims: Vec<Claim>) {
        if claims.len() > 1 {
            for claim in &claims {
                *self.disputed.entry(claim.address.clone()).or_default() += 1;
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
