//! Closers that end, fail, panic and hang.

use std::io;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use parking_lot::Mutex;
use tokio::runtime;
use tokio::time::{Instant, sleep, timeout};
use tracing::subscriber::DefaultGuard;

use super::*;

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(50);

/// What this thread has logged, one entry a line.
#[derive(Clone, Default)]
struct LogBuffer(Arc<Mutex<Vec<u8>>>);

impl io::Write for LogBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl LogBuffer {
    fn start() -> (Self, DefaultGuard) {
        let (log, subscriber) =
            (Self::default(), tracing_subscriber::fmt().with_ansi(false).without_time().with_target(false));
        let writer = log.clone();
        let guard = tracing::subscriber::set_default(subscriber.with_writer(move || writer.clone()).finish());
        (log, guard)
    }

    fn lines(&self) -> Vec<String> {
        String::from_utf8_lossy(&self.0.lock()).lines().map(|line| line.trim().to_owned()).collect()
    }
}

fn closing(closers: impl IntoIterator<Item = Closer>) -> Closing {
    Closing::new(Closers(closers.into_iter().collect()))
}

#[tokio::test]
async fn closers_run_in_reverse_order_and_each_one_runs_whatever_happened_to_the_others() {
    let (log, _guard) = LogBuffer::start();
    let (done, order) = mpsc::channel();
    let (queue, cache, pool) = (done.clone(), done.clone(), done);
    let before = Instant::now();
    closing([
        Closer::new("queue", LONG, async move { queue.send("queue").unwrap() }),
        Closer::new("blocked file", SHORT, async { thread::sleep(LONG) }),
        Closer::new("hung socket", SHORT, std::future::pending::<()>()),
        Closer::new("cache", LONG, async move {
            sleep(SHORT).await;
            cache.send("cache").unwrap();
        }),
        Closer::new("broken index", LONG, async { assert!(LONG.is_zero(), "the index is broken") }),
        Closer::new("full disk", LONG, async { Err::<(), _>(io::Error::other("no space left")) }),
        Closer::new("pool", LONG, async move { pool.send("pool").unwrap() }),
    ])
    .run()
    .await;
    assert!(before.elapsed() < LONG, "neither of the two that hang was waited for beyond its limit");
    assert_eq!(order.iter().collect::<Vec<_>>(), ["pool", "cache", "queue"]);
    let lines = log.lines();
    let announced = |name, limit| format!("INFO [GRACEFUL SHUTDOWN] Closing {name} (up to {limit})...");
    let lost =
        |name, why| (format!("ERROR {name} was not closed properly: what it had not written yet may be lost"), why);
    let expected = [
        (announced("pool", "60s"), ""),
        (announced("full disk", "60s"), ""),
        lost("full disk", "no space left"),
        (announced("broken index", "60s"), ""),
        lost("broken index", "its code panicked"),
        (announced("cache", "60s"), ""),
        (announced("hung socket", "50ms"), ""),
        lost("hung socket", "it did not end within 0.05s"),
        (announced("blocked file", "50ms"), ""),
        lost("blocked file", "it did not end within 0.05s"),
        (announced("queue", "60s"), ""),
    ];
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, (begin, part)) in lines.iter().zip(expected) {
        assert!(line.starts_with(&begin) && line.contains(part), "{line}: {begin} {part}");
    }
}

#[tokio::test]
async fn a_wait_that_is_dropped_is_taken_up_again_and_one_that_is_given_up_names_what_was_left() {
    let (log, _guard) = LogBuffer::start();
    let (started, begins) = mpsc::channel();
    let mut closing = closing([
        Closer::new("queue", LONG, async {}),
        Closer::new("socket", LONG, async move {
            started.send(()).unwrap();
            std::future::pending::<()>().await;
        }),
    ]);
    for _ in 0..2 {
        assert!(timeout(SHORT, closing.run()).await.is_err());
    }
    closing.abandon();
    closing.run().await;
    assert_eq!(begins.iter().count(), 1, "it was started once, and is dropped by now");
    let lines = log.lines();
    let errors: Vec<_> = lines.iter().filter(|line| line.starts_with("ERROR")).collect();
    assert!(matches!(*errors, [socket, queue] if socket.contains("socket was not") && queue.contains("queue was not")));
    assert!(errors[0].contains("the process stops without waiting for it"), "{errors:?}");
}

#[tokio::test]
async fn a_resource_that_is_closed_at_once_is_announced_only_where_that_was_not_asked_for_later() {
    let (log, _guard) = LogBuffer::start();
    let quick = Closer::new("quick", LONG, async {}).announced_after(SHORT * 20);
    let slow = Closer::new("slow", LONG, sleep(SHORT * 4)).announced_after(SHORT);
    closing([quick, slow]).run().await;
    assert_eq!(log.lines(), ["INFO [GRACEFUL SHUTDOWN] Closing slow (up to 60s)..."]);
}

#[test]
fn a_closer_that_blocks_its_thread_holds_up_no_end_of_a_runtime() {
    for mut builder in [runtime::Builder::new_current_thread(), runtime::Builder::new_multi_thread()] {
        let runtime = builder.worker_threads(1).enable_all().build().unwrap();
        let before = Instant::now();
        runtime.block_on(closing([Closer::new("file", SHORT, async { thread::sleep(LONG) })]).run());
        drop(runtime);
        assert!(before.elapsed() < LONG / 2);
    }
}

#[test]
fn names_are_one_line_and_limits_are_bounded() {
    let closer = |name: &str| Closer::new(name, Duration::MAX, async {}).name.to_string();
    for (given, kept) in [
        ("database", "database"),
        (" a\nb\r\n[GRACEFUL SHUTDOWN]\u{2028}c ", "a b [GRACEFUL SHUTDOWN] c"),
        ("\u{1b}[31mred", "[31mred"),
        ("\n \u{200B}", "resource"),
        ("", "resource"),
    ] {
        assert_eq!(closer(given), kept);
    }
    assert_eq!(closer(&"ä".repeat(1000)), "ä".repeat(MAX_NAME_CHARS));
    let mut closers = Closers::default();
    assert!(closers.is_empty());
    closers.push(Closer::new("a", Duration::MAX, async {}));
    closers.push(Closer::new("b", SHORT, async {}));
    assert_eq!(closers.timeout(), MAX_TIMEOUT + SHORT);
}
