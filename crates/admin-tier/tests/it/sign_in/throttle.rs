//! Wrong guesses are throttled; right credentials are accepted at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use http::header::{CONNECTION, RETRY_AFTER};

use super::{TOKEN, bearer, header, printed, sign_in, with_links, with_token};

#[tokio::test]
async fn wrong_tokens_are_throttled_while_the_right_one_is_accepted_at_once() {
    let admin = with_token().await;
    let person = admin.person();
    sign_in(&person, "token", TOKEN).await;
    let mut statuses = Vec::new();
    for n in 0..7 {
        let wrong = if n % 2 == 0 {
            bearer(&admin, "/admin/api/v1/pods", "wrong").await
        } else {
            sign_in(&admin.person(), "token", "wrong").await
        };
        if wrong.status() == 429 {
            assert!(header(&wrong, &RETRY_AFTER).parse::<u32>().unwrap() >= 1);
            assert_eq!(header(&wrong, &CONNECTION), "close", "each guess costs a connection");
        }
        statuses.push(wrong.status().as_u16());
    }
    assert!(statuses.contains(&401) && statuses.contains(&429), "{statuses:?}");
    assert_eq!(person.status("/admin/api/v1/pods").await, 200, "a signed-in operator is not affected");

    // A client behind the same address guesses as fast as it can, in each of the ways to sign in.
    let guessing = AtomicBool::new(true);
    let guesser = async |way: usize| {
        let mut heard = 0;
        while guessing.load(Ordering::Relaxed) {
            let wrong = match way {
                0 => bearer(&admin, "/admin/api/v1/pods", "wrong").await,
                1 => sign_in(&admin.person(), "token", "wrong").await,
                _ => sign_in(&admin.person(), "once", "wrong").await,
            };
            heard += u32::from(wrong.status() == 401);
        }
        heard
    };
    let right = async {
        let began = Instant::now();
        for _ in 0..20 {
            assert_eq!(bearer(&admin, "/admin/api/v1/pods", TOKEN).await.status(), 200);
            assert_eq!(sign_in(&admin.person(), "token", TOKEN).await.status(), 303);
        }
        guessing.store(false, Ordering::Relaxed);
        began.elapsed()
    };
    let (took, one, two, three) = tokio::join!(right, guesser(0), guesser(1), guesser(2));
    let allowed = 5 + u32::try_from(took.as_secs()).unwrap() + 2;
    assert!(one + two + three <= allowed, "{one} + {two} + {three} of {allowed} in {took:?}");
}

#[tokio::test]
async fn a_valid_link_signs_in_at_once_after_many_wrong_guesses_from_the_same_address() {
    let admin = with_links().await;
    let once = printed(&admin).await;
    let guesses = (0..60).map(|_| async { sign_in(&admin.person(), "once", "wrong").await.status().as_u16() });
    let statuses = futures_util::future::join_all(guesses).await;
    assert!(statuses.iter().filter(|status| **status == 429).count() > 40, "{statuses:?}");
    assert_eq!(sign_in(&admin.person(), "once", &once).await.status(), 303);
}
