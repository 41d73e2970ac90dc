//! The same with shared sessions.

use test_support::{Redis, UserPod};

use super::{PROXIED, cookie, user, visit};
use crate::{BINARY, pod};

#[tokio::test]
async fn another_pod_distinguishes_the_users_of_a_proxy_too() {
    let redis = Redis::start().await;
    let url = redis.url();
    let options = [PROXIED[0], PROXIED[1], ("REDIS_URL", url.as_str()), ("SESSION_KEY", "shared")];
    let (first, second) = (pod(&options).await, UserPod::start(BINARY, "user-2", &options).await);
    let adas = cookie(&visit(&first, "ada", "/", "").await);
    assert_eq!(user(&second, "ada", &adas).await, "ada");
    assert_eq!(visit(&second, "bob", "/session", &adas).await.status(), 401);
    test_support::eventually("its end at home", || async {
        (visit(&first, "ada", "/session", &adas).await.status() == 401).then_some(())
    })
    .await;
    assert!(redis.keys("session:*").await.is_empty());
}
