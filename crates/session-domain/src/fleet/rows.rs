//! The rows of the fleet: each session once, in shards that views share.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::pod::Address;
use crate::ids::SessionId;
use crate::session::SessionView;

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

/// All rows. A clone costs 256 counts; a change after it copies the changed shard, once.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    shards: Vec<Arc<BTreeMap<SessionId, Row>>>,
    len: u64,
}

impl Default for Rows {
    fn default() -> Self {
        Self { shards: vec![Arc::default(); SHARDS], len: 0 }
    }
}

impl Rows {
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn get(&self, id: SessionId) -> Option<&Row> {
        self.shards[shard(id)].get(&id)
    }

    pub(super) fn insert(&mut self, row: Row) {
        let id = row.session.id;
        if Arc::make_mut(&mut self.shards[shard(id)]).insert(id, row).is_none() {
            self.len += 1;
        }
    }

    pub(super) fn remove(&mut self, id: SessionId) {
        if Arc::make_mut(&mut self.shards[shard(id)]).remove(&id).is_some() {
            self.len -= 1;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Row> {
        self.shards.iter().flat_map(|shard| shard.values())
    }
}

fn shard(id: SessionId) -> usize {
    usize::from(id.as_uuid().as_bytes()[0])
}
