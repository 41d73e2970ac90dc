//! An event stream under a paused clock, with a client that reads and one that does not.

use super::*;

/// Starts a stream of an empty page; also its client's end and its counters.
fn stream() -> (impl Future<Output = ()>, mpsc::Receiver<Bytes>, StreamCounters) {
    let page_data = Arc::new(PageData::default());
    let (publisher, receiver) = watch::channel(Arc::clone(&page_data));
    let (sender, events) = mpsc::channel(1);
    let counters = StreamCounters::default();
    let render = |_: &Arc<PageData>| Arc::new(Fragments::default());
    let stream = EventStream::new(sender, receiver, None, render, CancellationToken::new(), counters.clone());
    let running = async move {
        let _publisher = publisher;
        stream.run(page_data).await;
    };
    (running, events, counters)
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing_is_cut_and_counted() {
    let (running, mut events, counters) = stream();
    let start = Instant::now();
    running.await;
    assert_eq!((counters.cut(), start.elapsed()), (1, SLOW_READER_TIMEOUT));
    let first = events.recv().await.unwrap();
    assert!(first.starts_with(b"event: snapshot\ndata: {\"at\":"), "{first:?}");
    assert_eq!(events.recv().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_gets_heartbeats_and_is_asked_to_renew_the_stream_in_time() {
    let (running, mut events, counters) = stream();
    let reading = async {
        let mut read = Vec::new();
        while let Some(bytes) = events.recv().await {
            read.push(String::from_utf8(bytes.to_vec()).unwrap());
        }
        read
    };
    let ((), read) = tokio::join!(running, reading);
    let heartbeats = read.iter().filter(|event| event.starts_with("event: heartbeat\n")).count() as u32;
    let expected = MAX_STREAM_DURATION.div_duration_f32(HEARTBEAT_INTERVAL) as u32;
    assert!(heartbeats.abs_diff(expected) <= 1, "{heartbeats}");
    assert!(read.last().is_some_and(|end| end.contains("\"reason\":\"renew\"")), "{read:?}");
    assert_eq!(counters.cut(), 0);
}
