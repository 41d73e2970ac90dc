//! A bounded queue of log lines, and the thread that writes them to stderr.
//!
//! A write to a full pipe blocks until the pipe is read. Here only the writing thread blocks. Lines that do not fit into the
//! queue are dropped and counted. The thread never prevents the process from ending.

use std::io::{self, ErrorKind, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// The size of the queue, in bytes.
const MAX_WAITING_BYTES: usize = 1024 * 1024;

/// The memory of a waiting line beside its text, in bytes.
const LINE_OVERHEAD_BYTES: usize = 64;

/// How often a write is repeated if another process has made stderr non-blocking.
const RETRY_INTERVAL: Duration = Duration::from_millis(10);

enum Message {
    Line(Vec<u8>),
    /// Answered when all lines before it were written or failed.
    Flush(Sender<()>),
}

/// The queue. Cheap to clone; writing to it never blocks.
#[derive(Clone, Debug)]
pub struct LogQueue {
    sender: Sender<Message>,
    waiting_bytes: Arc<AtomicUsize>,
    dropped_lines: Arc<AtomicU64>,
}

impl LogQueue {
    /// Starts the thread that writes to `out`.
    ///
    /// # Errors
    /// Fails if the system cannot start a thread.
    pub fn start(out: impl Write + Send + 'static) -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel();
        let queue = Self { sender, waiting_bytes: Arc::default(), dropped_lines: Arc::default() };
        let (waiting_bytes, dropped_lines) = (Arc::clone(&queue.waiting_bytes), Arc::clone(&queue.dropped_lines));
        // Not joined: it may be blocked in a write, and ends with the process.
        thread::Builder::new().name("log".to_owned()).spawn(move || {
            write_lines(&receiver, out, &waiting_bytes, &dropped_lines);
        })?;
        Ok(queue)
    }

    /// The counter of dropped lines.
    pub fn dropped_lines(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.dropped_lines)
    }

    /// Queues a line, which must end with a line break. Drops and counts it if it does not fit.
    pub fn push(&self, line: &[u8]) {
        let cost = line.len() + LINE_OVERHEAD_BYTES;
        let fits = self.waiting_bytes.fetch_add(cost, Ordering::Relaxed) + cost <= MAX_WAITING_BYTES;
        if !fits || self.sender.send(Message::Line(line.to_vec())).is_err() {
            self.waiting_bytes.fetch_sub(cost, Ordering::Relaxed);
            self.dropped_lines.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until all lines so far are written, at most for `timeout`. Returns whether they are.
    pub fn flush(&self, timeout: Duration) -> bool {
        let (done, is_done) = mpsc::channel();
        self.sender.send(Message::Flush(done)).is_ok() && is_done.recv_timeout(timeout).is_ok()
    }
}

/// `tracing_subscriber` writes each event in one call.
impl Write for LogQueue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogQueue {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn write_lines(
    messages: &Receiver<Message>,
    mut out: impl Write,
    waiting_bytes: &AtomicUsize,
    dropped_lines: &AtomicU64,
) {
    let mut reported = 0;
    for message in messages {
        match message {
            Message::Line(line) => {
                let written = write_line(&mut out, &line);
                let waiting = waiting_bytes.fetch_sub(line.len() + LINE_OVERHEAD_BYTES, Ordering::Relaxed);
                if written.is_err() {
                    dropped_lines.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                let dropped = dropped_lines.load(Ordering::Relaxed);
                if dropped > reported && waiting < MAX_WAITING_BYTES / 2 {
                    tracing::warn!(
                        log.lines_dropped = dropped - reported,
                        "stderr was not read: log lines were dropped"
                    );
                    reported = dropped;
                }
            }
            // The caller may have stopped waiting.
            Message::Flush(done) => _ = done.send(()),
        }
    }
}

fn write_line(out: &mut impl Write, mut line: &[u8]) -> io::Result<()> {
    while !line.is_empty() {
        match out.write(line) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => line = &line[count..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(RETRY_INTERVAL),
            Err(error) => return Err(error),
        }
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, PipeReader, pipe};
    use std::time::Instant;

    use super::*;

    fn queue() -> (LogQueue, PipeReader) {
        let (reader, writer) = pipe().unwrap();
        (LogQueue::start(writer).unwrap(), reader)
    }

    #[test]
    fn lines_are_written_in_order_and_a_flush_waits_for_them() {
        let (queue, reader) = queue();
        for number in 0..100 {
            queue.push(format!("line {number}\n").as_bytes());
        }
        assert!(queue.flush(Duration::from_secs(30)));
        let lines: Vec<_> = BufReader::new(reader).lines().take(100).map(Result::unwrap).collect();
        assert_eq!(lines, (0..100).map(|number| format!("line {number}")).collect::<Vec<_>>());
        assert_eq!(queue.dropped_lines().load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_full_pipe_does_not_block_and_lines_that_do_not_fit_are_counted() {
        let (queue, reader) = queue();
        let line = [&[b'x'; 1023][..], b"\n"].concat();
        let began = Instant::now();
        for _ in 0..4096 {
            queue.push(&line);
        }
        assert!(!queue.flush(Duration::from_millis(10)), "the pipe is not read");
        assert!(began.elapsed() < Duration::from_secs(20));
        let dropped = queue.dropped_lines().load(Ordering::Relaxed);
        // A pipe holds 64 KiB, the queue 1 MiB.
        assert!((4096 - 1100..4096 - 900).contains(&dropped), "{dropped}");
        let reading = thread::spawn(move || BufReader::new(reader).lines().map_while(Result::ok).count() as u64);
        assert!(queue.flush(Duration::from_secs(30)), "it is read again");
        drop(queue);
        assert_eq!(reading.join().unwrap(), 4096 - dropped);
    }

    #[test]
    fn a_pipe_without_a_reader_does_not_fail_the_caller() {
        let (queue, reader) = queue();
        drop(reader);
        queue.push(b"lost\n");
        assert!(queue.flush(Duration::from_secs(30)));
        assert_eq!(queue.dropped_lines().load(Ordering::Relaxed), 1);
    }
}
