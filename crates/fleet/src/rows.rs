//! The sessions of the fleet, each once, in shards that views share.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use session_domain::{SessionId, SessionView, Timestamp};

use crate::address::Address;
use crate::session_tally::SessionTally;

/// The number of shards. The first byte of an id, which is random, selects one.
const SHARDS: usize = 256;

/// A session of the fleet, as the winning claim describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The session.
    pub session: Arc<SessionView>,
    /// The address of the pod whose claim wins.
    pub address: Address,
    /// Whether its times are too far ahead.
    pub doubtful: bool,
    /// The other addresses that claim the same id; usually none.
    pub also_at: Vec<Address>,
}

impl Row {
    /// Whether its times are too far ahead, or several pods claim it.
    pub fn is_doubtful(&self) -> bool {
        self.doubtful || !self.also_at.is_empty()
    }
}

/// The rows, as their owner holds them.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    shards: Shards,
    /// The sessions of each address by age, without doubtful ones.
    ages: HashMap<Address, BTreeSet<(Timestamp, SessionId)>>,
    tallies: HashMap<Address, SessionTally>,
}

impl Rows {
    /// The part that views share.
    pub(crate) fn shards(&self) -> &Shards {
        &self.shards
    }

    /// When the oldest session at an address began.
    pub(crate) fn oldest(&self, address: &Address) -> Option<Timestamp> {
        self.ages.get(address)?.first().map(|(began, _)| *began)
    }

    /// The counts of the sessions at an address.
    pub(crate) fn tally(&self, address: &Address) -> SessionTally {
        self.tallies.get(address).copied().unwrap_or_default()
    }

    pub(crate) fn get(&self, id: SessionId) -> Option<&Row> {
        self.shards.get(id)
    }

    pub(crate) fn insert(&mut self, row: Row) {
        let now = age(&row);
        self.tallies.entry(row.address.clone()).or_default().add(&row.session);
        let before = self.shards.insert(row);
        self.uncount(before.as_ref());
        let before = before.as_ref().and_then(age);
        if before != now {
            self.remove_age(before);
            if let Some((address, began, id)) = now {
                self.ages.entry(address).or_default().insert((began, id));
            }
        }
    }

    pub(crate) fn remove(&mut self, id: SessionId) {
        let before = self.shards.remove(id);
        self.uncount(before.as_ref());
        self.remove_age(before.as_ref().and_then(age));
    }

    fn uncount(&mut self, before: Option<&Row>) {
        let Some(row) = before else { return };
        let Some(tally) = self.tallies.get_mut(&row.address) else { return };
        tally.subtract(&row.session);
        if tally.sessions == 0 {
            self.tallies.remove(&row.address);
        }
    }

    fn remove_age(&mut self, known: Option<(Address, Timestamp, SessionId)>) {
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

/// All rows, as views share them. A clone increments 256 reference counts. A later change copies only its shard, once.
#[derive(Clone, Debug)]
pub(crate) struct Shards {
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
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// The number of present sessions.
    pub(crate) fn present(&self) -> u64 {
        self.present
    }

    pub(crate) fn get(&self, id: SessionId) -> Option<&Row> {
        self.shards[shard(id)].get(&id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Row> + Clone {
        self.shards.iter().flat_map(|shard| shard.values())
    }

    /// The differences from `before`: each changed row as it was and as it is. Shards that both share cost nothing.
    pub(crate) fn changes<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = (Option<&'a Row>, Option<&'a Row>)> {
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
        // Removing an absent id must not copy the shard.
        if !shard.contains_key(&id) {
            return None;
        }
        self.len -= 1;
        let before = Arc::make_mut(shard).remove(&id);
        self.present -= u64::from(before.as_ref().is_some_and(|row| row.session.is_present()));
        before
    }
}

/// Compares two shards row by row.
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
