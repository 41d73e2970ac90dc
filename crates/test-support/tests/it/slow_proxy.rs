//! Whether the slow line is slow, and nothing else.

use std::time::{Duration, Instant};

use test_support::{Redis, SlowProxy};

#[tokio::test]
async fn data_arrives_late_and_complete() {
    let redis = Redis::start().await;
    let proxy = SlowProxy::before(&format!("127.0.0.1:{}", redis.port()), 60..61).await;
    let client = redis::Client::open(format!("redis://{}", proxy.address)).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let long = "x".repeat(100_000);
    let began = Instant::now();
    let _: () = redis::cmd("SET").arg("key").arg(&long).query_async(&mut connection).await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(120), "there and back: {:?}", began.elapsed());
    proxy.set_delay(0..1);
    let kept: String = redis::cmd("GET").arg("key").query_async(&mut connection).await.unwrap();
    assert_eq!(kept, long);
}
