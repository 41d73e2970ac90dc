//! Limits on what pods can make the fleet hold or believe.

use std::time::Duration;

/// How far the clock of a pod may be ahead of ours before its times are doubted.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// The greatest number of sessions on a page.
pub const MAX_LIMIT: usize = 1000;

/// The greatest number of past drains that are kept.
pub const MAX_DRAIN_RECORDS: usize = 100;

/// The greatest number of sessions held of one pod. Further ones are left out, and the pod is marked as inconsistent. The
/// default of `MAX_SESSIONS` in the user tier is half of it.
pub const MAX_SESSIONS_PER_POD: usize = 200_000;

/// The number of sessions of all pods above which a pod may add sessions only up to its share: half of this number, divided
/// by the number of pods. A pod that lists too many thus takes no room from the others, and the fleet holds at most one and
/// a half times this number: 600,000 sessions, which take about 390 MB without tasks.
pub const MAX_SESSIONS: usize = 400_000;

/// The greatest number of sessions that are followed after they left a pod that shuts down. Of further ones it is not known where
/// they went. They take about 15 MB.
pub const MAX_FOLLOWED_SESSIONS: usize = 100_000;

/// The greatest number of tasks held of one pod. Its further sessions are held without their tasks. Tasks with the longest
/// texts take about 25 MB then.
pub const MAX_TASKS_PER_POD: usize = 20_000;

/// The limit that keeps a session out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    /// The pod lists too many sessions.
    Pod,
    /// All pods together list too many sessions, and this one has its share.
    Fleet,
}

/// Checks whether a pod with `of_pod` sessions may add one more, while all `pods` pods have `of_all` sessions.
pub(crate) fn check(of_pod: usize, of_all: usize, pods: usize) -> Result<(), Bound> {
    if of_pod >= MAX_SESSIONS_PER_POD {
        return Err(Bound::Pod);
    }
    if of_all >= MAX_SESSIONS && of_pod >= MAX_SESSIONS / 2 / pods.max(1) {
        return Err(Bound::Fleet);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_that_lists_too_many_sessions_is_limited_and_takes_no_room_from_others() {
        assert_eq!(check(MAX_SESSIONS_PER_POD - 1, 0, 1), Ok(()));
        assert_eq!(check(MAX_SESSIONS_PER_POD, 0, 1), Err(Bound::Pod));
        assert_eq!(check(150_000, MAX_SESSIONS - 1, 10), Ok(()));
        assert_eq!(check(150_000, MAX_SESSIONS, 10), Err(Bound::Fleet));
        assert_eq!(check(19_999, MAX_SESSIONS, 10), Ok(()));
        assert_eq!(check(20_000, MAX_SESSIONS, 10), Err(Bound::Fleet));
    }
}
