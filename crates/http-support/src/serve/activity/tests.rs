use super::*;

const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// How long a connection is kept that does nothing but what `events` reports.
async fn kept(events: impl AsyncFnOnce(Arc<Activity>)) -> Duration {
    let (activity, close) = (Arc::new(Activity::new()), CancellationToken::new());
    let began = Instant::now();
    let conversation = close.clone().cancelled_owned();
    tokio::join!(
        async {
            activity.watch(conversation, KEEP_ALIVE, &close).await;
        },
        events(Arc::clone(&activity))
    );
    began.elapsed()
}

fn sleep(seconds: u64) -> tokio::time::Sleep {
    tokio::time::sleep(Duration::from_secs(seconds))
}

/// Reports bytes as the connection's task does, which checks its deadline afterwards.
fn receive(activity: &Activity) {
    activity.received();
    activity.task.wake();
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_kept_for_the_keep_alive_time_and_a_head_for_ten_seconds() {
    assert_eq!(kept(async |_| ()).await.as_secs(), 75);
    assert_eq!(kept(async |activity| receive(&activity)).await.as_secs(), 10);
    let dribbling = kept(async |activity| {
        for _ in 0..9 {
            receive(&activity);
            sleep(1).await;
        }
    });
    assert_eq!(dribbling.await.as_secs(), 10, "counted from the first byte");
    let served = kept(async |activity| {
        sleep(70).await;
        receive(&activity);
        let first = activity.serve();
        let second = activity.serve();
        sleep(200).await;
        drop(first);
        sleep(200).await;
        drop(second);
    });
    assert_eq!(served.await.as_secs(), 70 + 400 + 75, "counted from the end of the last request");
}

#[tokio::test(start_paused = true)]
async fn an_evicted_connection_closes_at_once_unless_it_serves() {
    assert_eq!(kept(async |activity| activity.evict()).await.as_secs(), 0);
    let serving = kept(async |activity| {
        let request = activity.serve();
        activity.evict();
        tokio::time::sleep(Duration::from_secs(5)).await;
        drop(request);
    });
    assert_eq!(serving.await.as_secs(), 5 + 75);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_begins_during_a_request_has_ten_seconds_from_its_end() {
    let next_head = kept(async |activity| {
        let request = activity.serve();
        activity.request_complete();
        sleep(100).await;
        receive(&activity);
        sleep(100).await;
        drop(request);
    });
    assert_eq!(next_head.await.as_secs(), 200 + 10);
    let body = kept(async |activity| {
        let request = activity.serve();
        receive(&activity);
        activity.request_complete();
        sleep(200).await;
        drop(request);
    });
    assert_eq!(body.await.as_secs(), 200 + 75, "bytes of the request's own body begin no head");
}
