//! Writes when guests were last active, and reports it to their owners.

use std::collections::HashMap;

use session_domain::{PodName, SessionId};

use super::super::Sharing;
use super::BATCH;
use crate::store::{Message, Write};

pub(super) async fn write(sharing: &Sharing) {
    let touches = sharing.guests.take_touches(BATCH);
    if touches.is_empty() {
        return;
    }
    let now = sharing.clock.now();
    let writes = touches.iter().map(|touch| Write::Touch { id: touch.id, at: touch.at, idle: now.since(touch.at) });
    if sharing.health.record_write(sharing.store.write(writes.collect()).await, now).is_none() {
        for touch in touches {
            sharing.guests.touch(touch.id, &touch.owner, touch.at);
        }
        return;
    }
    let mut active: HashMap<PodName, Vec<SessionId>> = HashMap::new();
    for touch in touches {
        active.entry(touch.owner).or_default().push(touch.id);
    }
    for (owner, ids) in active {
        sharing.send(&owner, &Message::Active(ids)).await;
    }
}
