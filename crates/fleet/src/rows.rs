//! The rows of the fleet: each session once, in shards that views share.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::pod::Address;
use session_domain::{SessionId, SessionView, Timestamp};

/// Shards; an id's first byte, which is random, picks one.
const SHARDS: usize = 256;

/// A session of the fleet, as the pod that is believed about it tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The session.
    pub session: Arc<SessionView>,
    /// Where the pod is that is believed.
    pub address: Address,
    /// Whether its times cannot be true.
    pub doubtful: bool,
    /// Where else the same id is claimed; usually nowhere.
    pub also_at: Vec<Address>,
}

/// The rows as their one owner keeps them.
#[derive(Debug, Default)]
pub(super) struct Rows {
    shards: Shards,
    /// The sessions of each address by age; not those whose times cannot be true.
    ages: HashMap<Address, BTreeSet<(Timestamp, SessionId)>>,
}

impl Rows {
    /// What views share.
    pub(super) fn shards(&self) -> &Shards {
        &self.shards
    }

    /// When the oldest session at an address began.
    pub(super) fn oldest(&self, address: &Address) -> Option<Timestamp> {
        self.ages.get(address)?.first().map(|(began, _)| *began)
    }

    pub(super) fn get(&self, id: SessionId) -> Option<&Row> {
        self.shards.get(id)
    }

    pub(super) fn insert(&mut self, row: Row) {
        let now = age(&row);
        let before = self.shards.insert(row);
        let before = before.as_ref().and_then(age);
        if before != now {
            self.forget(before);
            if let Some((address, began, id)) = now {
                self.ages.entry(address).or_default().insert((began, id));
            }
        }
    }

    pub(super) fn remove(&mut self, id: SessionId) {
        let before = self.shards.remove(id);
        self.forget(before.as_ref().and_then(age));
    }

    fn forget(&mut self, known: Option<(Address, Timestamp, SessionId)>) {
        let Some((address, began, id)) = known else { return };
        let Some(ages) = self.ages.get_mut(&address) else { return };
        ages.remove(&(began, id));
        if ages.is_empty() {
            self.ages.remove(&address);
        }
    }
}

fn age(row: &Row) -> Option<(Address, Timestamp, SessionId)> {
    (!row.doubtful).then(|| (row.address.clone(), row.session.login_time, row.session.id))
}

/// All rows, as views share them. A clone costs 256 counts; a change after it copies the changed shard, once.
#[derive(Clone, Debug)]
pub(super) struct Shards {
    shards: Vec<Arc<BTreeMap<SessionId, Row>>>,
    len: u64,
    present: u64,
}

impl Default for Shards {
    fn default() -> Self {
        Self { shards: vec![Arc::default(); SHARDS], len: 0, present: 0 }
    }
}

impl Shards {
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// How many of the sessions are present.
    pub(super) fn present(&self) -> u64 {
        self.present
    }

    pub(super) fn get(&self, id: SessionId) -> Option<&Row> {
        self.shards[shard(id)].get(&id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Row> + Clone {
        self.shards.iter().flat_map(|shard| shard.values())
    }

    /// What is different from `before`: each row as it was and as it is. Shards that are still shared cost nothing.
    pub(super) fn changes<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = (Option<&'a Row>, Option<&'a Row>)> {
        let pairs = before.shards.iter().zip(&self.shards).filter(|(then, now)| !Arc::ptr_eq(then, now));
        pairs.flat_map(|(then, now)| changes(then, now))
    }

    fn insert(&mut self, row: Row) -> Option<Row> {
        let (id, is_present) = (row.session.id, row.session.is_present());
        let before = Arc::make_mut(&mut self.shards[shard(id)]).insert(id, row);
        self.len += u64::from(before.is_none());
        self.present += u64::from(is_present);
        self.present -= u64::from(before.as_ref().is_some_and(|row| row.session.is_present()));
        before
    }

    fn remove(&mut self, id: SessionId) -> Option<Row> {
        let shard = &mut self.shards[shard(id)];
        // What is not there copies nothing.
        if !shard.contains_key(&id) {
            return None;
        }
        self.len -= 1;
        let before = Arc::make_mut(shard).remove(&id);
        self.present -= u64::from(before.as_ref().is_some_and(|row| row.session.is_present()));
        before
    }
}

/// Walks two shards side by side.
fn changes<'a>(
    then: &'a BTreeMap<SessionId, Row>,
    now: &'a BTreeMap<SessionId, Row>,
) -> impl Iterator<Item = (Option<&'a Row>, Option<&'a Row>)> {
    let (mut then, mut now) = (then.values().peekable(), now.values().peekable());
    std::iter::from_fn(move || {
        loop {
            let order = match (then.peek(), now.peek()) {
                (None, None) => return None,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(then), Some(now)) => then.session.id.cmp(&now.session.id),
            };
            match order {
                Ordering::Less => return Some((then.next(), None)),
                Ordering::Greater => return Some((None, now.next())),
                Ordering::Equal => {
                    let (then, now) = (then.next(), now.next());
                    if then != now {
                        return Some((then, now));
                    }
                }
            }
        }
    })
}

fn shard(id: SessionId) -> usize {
    usize::from(id.as_uuid().as_bytes()[0])
}
