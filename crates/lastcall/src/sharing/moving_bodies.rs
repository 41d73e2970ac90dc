//! Tells the owner of a session of uploads and downloads that move here, where the session is a guest: the owner must neither
//! force-close the session nor forget this pod when a login gives the session another id.
//!
//! To the owner each is a task without a lease. It is in no entry: only messages name it, repeated while bodies move.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use session_domain::registry::SessionWork;
use session_domain::shared::SharedTask;
use session_domain::{SessionId, TaskId, TaskName};
use uuid::Uuid;

use super::Sharing;
use super::task_sync::RETRIES_PER_REPEAT;
use crate::store::Message;

/// How long the owner counts bodies as moving after it last heard of them: two repetitions.
const REMAINING: Duration = Duration::from_secs(10);

/// The work whose moving bodies were announced, each under the id of a task.
#[derive(Debug, Default)]
pub(super) struct MovingBodies(Mutex<Vec<(Arc<SessionWork>, TaskId)>>);

impl MovingBodies {
    /// Compares with the work in which bodies move now. Returns the messages for the owners of the sessions.
    fn update(
        &self,
        moving: Vec<Arc<SessionWork>>,
        repeats: bool,
        task: impl Fn(TaskId) -> Option<SharedTask>,
    ) -> Vec<(SessionId, Message)> {
        let mut known = self.0.lock();
        let mut messages = Vec::new();
        let addresses: HashSet<_> = moving.iter().map(SessionWork::address).collect();
        known.retain(|(work, id)| {
            let still_moves = addresses.contains(&work.address());
            if !still_moves {
                messages.push((work.session_id(), Message::TaskEnded(work.session_id(), *id)));
            }
            still_moves
        });
        let announced: HashMap<_, _> = known.iter().map(|(work, id)| (work.address(), *id)).collect();
        for work in moving {
            let announced = announced.get(&work.address()).copied();
            let id = announced.unwrap_or_else(|| TaskId::from_uuid(Uuid::new_v4()));
            if (announced.is_none() || repeats)
                && let Some(task) = task(id)
            {
                messages.push((work.session_id(), Message::Task(work.session_id(), task)));
            }
            if announced.is_none() {
                known.push((work, id));
            }
        }
        messages
    }
}

impl Sharing {
    /// Tells the owners of guests whose bodies move here, or have ceased to. Called once a second, with a number that counts up.
    pub(super) async fn announce_moving_bodies(&self, call: u32) {
        if !self.health().is_writable() {
            return;
        }
        let task = |id| {
            let name = TaskName::new("", "").ok()?;
            let holder = self.config.pod.clone();
            Some(SharedTask { id, holder, name, progress: None, lease: None, remaining: REMAINING })
        };
        let repeats = call.is_multiple_of(RETRIES_PER_REPEAT);
        for (session, message) in self.moving_bodies.update(self.registry.moving_elsewhere(), repeats, task) {
            self.notify_owner(session, &[message]).await;
        }
    }
}
