//! The exports of this pod: bounded in number, each held by the session that began it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use lastcall::{Refusal, Session, Task};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::seal::{PAUSE, Rounds, Seal};

/// The most exports that are running or kept: with texts of 256 KiB, 13 MiB of memory.
const MAX_EXPORTS: usize = 50;

/// How long a file is kept.
pub(crate) const KEPT_FOR: Duration = Duration::from_secs(600);

/// How long a drain waits for the page to fetch a file that is done.
const COLLECT_WITHIN: Duration = Duration::from_secs(20);

/// The same where the session goes on at another pod, to which its page asks for the file from then on.
const COLLECT_AFTER_MOVE_WITHIN: Duration = Duration::from_secs(3);

/// The exports that are running or kept.
#[derive(Debug, Default)]
pub(crate) struct Exports {
    entries: Mutex<Vec<Entry>>,
}

#[derive(Debug)]
struct Entry {
    export: Arc<Export>,
    work: JoinHandle<()>,
}

#[derive(Debug)]
struct Export {
    id: String,
    session: Session,
    rounds: Rounds,
    state: Mutex<ExportState>,
    collected: Notify,
}

#[derive(Debug)]
enum ExportState {
    /// How much is done, from 0 to 1.
    Running(f64),
    /// The file, and when it was done.
    Done(Bytes, Instant),
    /// The time for work in progress was over first.
    Cut,
}

/// Why no export began.
#[derive(Debug)]
pub(super) enum BeginError {
    /// One of this session is running.
    Running,
    /// There are [`MAX_EXPORTS`].
    Full,
    /// The library refuses the task.
    Refused(Refusal),
}

/// Why there is no file.
#[derive(Debug)]
pub(super) enum FileError {
    /// Not yet.
    Running,
    /// Not any more, or it is another session's.
    Missing,
}

impl Exports {
    /// Begins an export. Returns what the page shows of it.
    pub(super) fn begin(self: &Arc<Self>, session: Session, text: String, rounds: Rounds) -> Result<Value, BeginError> {
        let mut entries = self.entries.lock();
        if entries.iter().any(|entry| entry.is_of(&session) && entry.is_running()) {
            return Err(BeginError::Running);
        }
        entries.retain(|entry| !entry.is_of(&session));
        if entries.len() >= MAX_EXPORTS {
            evict_oldest(&mut entries)?;
        }
        let task = session.task("export", "Notes").map_err(BeginError::Refused)?;
        let export = Arc::new(Export {
            id: task.id().to_string(),
            session,
            rounds,
            state: Mutex::new(ExportState::Running(0.0)),
            collected: Notify::new(),
        });
        let work = tokio::spawn(run(Arc::clone(self), Arc::clone(&export), task, text));
        let entry = Entry { export, work };
        let shown = entry.to_json();
        entries.push(entry);
        Ok(shown)
    }

    /// What the page shows of the session's exports.
    pub(super) fn of(&self, session: &Session) -> Vec<Value> {
        self.entries.lock().iter().filter(|entry| entry.is_of(session)).map(Entry::to_json).collect()
    }

    /// The file of an export that is done. A drain waits for it no longer.
    pub(super) fn file(&self, session: &Session, id: &str) -> Result<Bytes, FileError> {
        let entries = self.entries.lock();
        let entry = entries.iter().find(|entry| entry.export.id == id && entry.is_of(session));
        let export = &entry.ok_or(FileError::Missing)?.export;
        match &*export.state.lock() {
            ExportState::Done(file, _) => {
                export.collected.notify_one();
                Ok(file.clone())
            }
            ExportState::Running(_) => Err(FileError::Running),
            ExportState::Cut => Err(FileError::Missing),
        }
    }

    fn remove(&self, export: &Arc<Export>) {
        self.entries.lock().retain(|entry| !Arc::ptr_eq(&entry.export, export));
    }
}

/// Removes the export that was finished first, so that files which nobody fetches do not fill all places.
fn evict_oldest(entries: &mut Vec<Entry>) -> Result<(), BeginError> {
    let now = Instant::now();
    let evictable = |entry: &Entry| entry.export.state.lock().finished_for(now);
    let finished = entries.iter().enumerate().filter_map(|(place, entry)| Some((evictable(entry)?, place)));
    let (_, oldest) = finished.max().ok_or(BeginError::Full)?;
    entries.remove(oldest);
    Ok(())
}

impl ExportState {
    /// How long the export has been of no use to a page that follows it. `None` while it runs, and while a page may be about to
    /// fetch the file.
    fn finished_for(&self, now: Instant) -> Option<Duration> {
        match self {
            Self::Running(_) => None,
            Self::Done(_, at) => now.duration_since(*at).checked_sub(COLLECT_WITHIN),
            Self::Cut => Some(Duration::MAX),
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.work.abort();
    }
}

impl Entry {
    /// By the session's current id: a login replaces it.
    fn is_of(&self, session: &Session) -> bool {
        self.export.session.id() == session.id()
    }

    fn is_running(&self) -> bool {
        matches!(*self.export.state.lock(), ExportState::Running(_)) && !self.work.is_finished()
    }

    fn to_json(&self) -> Value {
        let Export { id, rounds, state, .. } = &*self.export;
        let (state, progress, kept_seconds) = match &*state.lock() {
            ExportState::Running(progress) if !self.work.is_finished() => ("running", *progress, None),
            ExportState::Done(_, at) => ("done", 1.0, Some(KEPT_FOR.saturating_sub(at.elapsed()).as_secs())),
            ExportState::Running(progress) => ("cut", *progress, None),
            ExportState::Cut => ("cut", 0.0, None),
        };
        let seconds = rounds.seconds();
        json!({ "export_id": id, "state": state, "progress": progress, "seconds": seconds, "kept_seconds": kept_seconds })
    }
}

/// Makes the file, waits until the page has fetched it, and removes it when its time is over.
async fn run(exports: Arc<Exports>, export: Arc<Export>, task: Task, text: String) {
    let heading = format!(
        "Notes of {}, {}, written by {}",
        export.session.user(),
        export.session.last_activity().to_utc_string(),
        export.session.pod()
    );
    let mut seal = Seal::new(text.as_bytes(), export.rounds);
    let work = async {
        while !seal.advance() {
            *export.state.lock() = ExportState::Running(seal.progress());
            task.set_progress(seal.progress());
            sleep(PAUSE).await;
        }
    };
    let is_cut = tokio::select! { () = work => false, () = task.cut() => true };
    *export.state.lock() = if is_cut {
        ExportState::Cut
    } else {
        task.set_progress(1.0);
        let rounds = export.rounds.number();
        let seal = seal.hex();
        let file =
            format!("{heading}\n\n{text}\n\nSHA-256, computed {rounds} times in a row over the notes:\n{seal}\n");
        ExportState::Done(file.into(), Instant::now())
    };
    // The page needs its session to fetch the file: the drain waits until it has.
    if !is_cut {
        tokio::select! { () = export.collected.notified() => {}, () = sleep(COLLECT_WITHIN) => {},
        () = moved(&export.session) => {}, () = task.cut() => {} }
    }
    drop(task);
    sleep(KEPT_FOR).await;
    exports.remove(&export);
}

/// Waits until the session goes on at another pod, and then as long as its page may still fetch the file here.
async fn moved(session: &Session) {
    let notices = session.notices();
    while !notices.has_ended() {
        sleep(PAUSE).await;
    }
    sleep(COLLECT_AFTER_MOVE_WITHIN).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_export_and_a_fresh_file_are_kept_and_the_oldest_finished_one_gives_way() {
        let began = Instant::now();
        let now = began + COLLECT_WITHIN * 2;
        let finished_for = |state: ExportState| state.finished_for(now);
        let done = |at| ExportState::Done(Bytes::new(), at);
        assert_eq!(finished_for(ExportState::Running(0.5)), None);
        assert_eq!(finished_for(done(now - COLLECT_WITHIN / 2)), None, "its page is about to fetch it");
        assert!(finished_for(done(began)) > finished_for(done(began + COLLECT_WITHIN)));
        assert!(finished_for(ExportState::Cut) > finished_for(done(began)), "it has no file");
    }
}
