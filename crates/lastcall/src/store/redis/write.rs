//! Writes batches of changes: writes of one session in order, sessions concurrently.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::join_all;
use redis::{RedisError, ScriptInvocation, cmd};
use session_domain::lifecycle::Reason;
use session_domain::registry::REPLACED_TTL;
use session_domain::shared::SharedSession;
use session_domain::{PodName, SessionId};

use super::connection::Connection;
use super::{RedisStore, entry, flag, keys, millis, task as task_field};
use crate::store::{OwnerRequest, StoreError, Write, WriteOutcome};

/// A write, and its place in the batch.
type Numbered = (usize, Write);

/// Writes a batch. Sessions are written concurrently: the connection makes a pipeline of them, a cluster one for each node. Each
/// write of a session waits for the one before it: a server that does not know a script, and a redirect in a cluster, make the
/// client send a command once more, after what was sent meanwhile.
pub(super) async fn write(store: &RedisStore, writes: Vec<Write>) -> Result<Vec<WriteOutcome>, StoreError> {
    let connection = store.link.connection().await?;
    let size = writes.len();
    let sessions = by_session(writes).into_iter().map(|writes| write_in_order(store, connection.clone(), writes));
    let mut outcomes = vec![WriteOutcome::Unavailable; size];
    for written in join_all(sessions).await {
        for (index, outcome) in written? {
            outcomes[index] = outcome;
        }
    }
    Ok(outcomes)
}

/// The writes of each session, in order.
fn by_session(writes: Vec<Write>) -> Vec<Vec<Numbered>> {
    let mut places: HashMap<SessionId, usize> = HashMap::new();
    let mut sessions: Vec<Vec<Numbered>> = Vec::new();
    for (index, write) in writes.into_iter().enumerate() {
        let place = *places.entry(write.session_id()).or_insert(sessions.len());
        if place == sessions.len() {
            sessions.push(Vec::new());
        }
        sessions[place].push((index, write));
    }
    sessions
}

/// Writes these one after the other, until one meets a node that is unavailable.
async fn write_in_order(
    store: &RedisStore,
    mut connection: Connection,
    writes: Vec<Numbered>,
) -> Result<Vec<(usize, WriteOutcome)>, StoreError> {
    let mut outcomes = Vec::with_capacity(writes.len());
    for (index, write) in writes {
        let outcome = write_one(store, &mut connection, write).await?;
        let is_unavailable = outcome == WriteOutcome::Unavailable;
        outcomes.push((index, outcome));
        if is_unavailable {
            break;
        }
    }
    Ok(outcomes)
}

async fn write_one(store: &RedisStore, connection: &mut Connection, write: Write) -> Result<WriteOutcome, StoreError> {
    let written = match invocation(store, &write) {
        Some(script) => script.invoke_async(connection).await,
        None => {
            let extend = cmd("PEXPIRE").arg(keys::session(write.session_id())).arg(millis(store.ttl)).clone();
            extend.query_async(connection).await.map(|is_there: bool| if is_there { 1 } else { -1 })
        }
    };
    match written {
        Ok(1) => Ok(WriteOutcome::Done),
        Ok(2) => Ok(WriteOutcome::Requested(OwnerRequest::End { automatic: false })),
        Ok(3) => Ok(WriteOutcome::Requested(OwnerRequest::End { automatic: true })),
        Ok(-1) => Ok(WriteOutcome::Missing),
        Ok(_) => Ok(WriteOutcome::NotOwner),
        Err(error) => not_written(store, &error),
    }
}

/// The script of a write, with its arguments; `None` where one command is enough.
fn invocation<'a>(store: &'a RedisStore, write: &Write) -> Option<ScriptInvocation<'a>> {
    let (scripts, ttl, id) = (&store.scripts, millis(store.ttl), write.session_id());
    let (script, arguments) = match write {
        Write::Put { session, idle, new } => (&scripts.put, put(ttl, session, *idle, *new)),
        Write::Release { session, idle, new } => (&scripts.release, put(ttl, session, *idle, *new)),
        Write::Delete { pod, replaced_for, .. } => (&scripts.delete, vec![text(pod), lifetime(*replaced_for)]),
        Write::ClaimEnd { pod, replaced_for, .. } => (&scripts.claim_end, vec![text(pod), lifetime(*replaced_for)]),
        Write::Touch { at, idle, .. } => {
            (&scripts.touch, vec![at.to_string(), ttl.to_string(), crate::clock::millis(*idle).to_string()])
        }
        Write::Request { request, .. } => {
            let replaced_for = matches!(request, OwnerRequest::Rename(_)).then_some(REPLACED_TTL);
            (&scripts.request, vec![entry::request_to_field(*request), lifetime(replaced_for)])
        }
        Write::PutTask { task, new, .. } => {
            let remaining = crate::clock::millis(task.remaining).to_string();
            let arguments =
                vec![task_field::field(task.id), remaining, task_field::to_json(task), flag(*new).to_owned()];
            (&scripts.put_task, arguments)
        }
        Write::EndTask { task, .. } => (&scripts.end_task, vec![task_field::field(*task)]),
        Write::ExtendTtl { .. } => return None,
    };
    let mut invocation = script.prepare_invoke();
    invocation.key(keys::session(id)).key(keys::replaced(id)).arg(arguments);
    Some(invocation)
}

/// The arguments of the scripts that store a session.
fn put(ttl: u64, session: &SharedSession, idle: Duration, new: bool) -> Vec<String> {
    vec![
        text(&session.pod),
        session.user.to_string(),
        session.login_time.to_string(),
        session.last_activity.to_string(),
        flag(session.pinned).to_owned(),
        session.notified.map_or("", Reason::as_str).to_owned(),
        ttl.to_string(),
        flag(new).to_owned(),
        crate::clock::millis(idle).to_string(),
        flag(session.protected).to_owned(),
    ]
}

fn not_written(store: &RedisStore, error: &RedisError) -> Result<WriteOutcome, StoreError> {
    match store.link.failed(error) {
        StoreError::Refused(reason) => Ok(WriteOutcome::Refused(reason)),
        StoreError::PartlyUnavailable(_) => Ok(WriteOutcome::Unavailable),
        failed @ (StoreError::Unavailable(_)
        | StoreError::LoginRefused(_)
        | StoreError::NotReadable(_)
        | StoreError::NotWritable(_)) => Err(failed),
    }
}

fn text(pod: &PodName) -> String {
    pod.as_str().to_owned()
}

/// A duration in milliseconds as an argument of a script; 0 for none.
fn lifetime(duration: Option<Duration>) -> String {
    duration.map_or(0, millis).to_string()
}
