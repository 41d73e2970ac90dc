//! How many sessions are kept, so that no pod, and not all of them together, can fill the memory of whoever watches them.

/// Sessions that are kept of one pod. What it lists beyond is left out, and the pod is marked as inconsistent.
/// `MAX_SESSIONS` of the user tier is 100,000 by default.
pub const MAX_SESSIONS_PER_POD: usize = 200_000;

/// Sessions that are kept of all pods together. Beyond that only a pod may add to its list that has less than its share:
/// half of this number divided by the number of pods. So a pod that lists too many does not keep the others out, and
/// there are never more than half as many again: 600,000 sessions, which take some 370 MB at their peak.
pub const MAX_SESSIONS: usize = 400_000;

/// What keeps a session out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    /// The pod lists too many.
    Pod,
    /// All pods together do, and this one has its share.
    All,
}

/// Whether one session more is kept of a pod that has listed `of_pod`, where `of_all` are listed by `pods` pods.
pub(super) fn check(of_pod: usize, of_all: usize, pods: usize) -> Result<(), Bound> {
    if of_pod >= MAX_SESSIONS_PER_POD {
        return Err(Bound::Pod);
    }
    if of_all >= MAX_SESSIONS && of_pod >= MAX_SESSIONS / 2 / pods.max(1) {
        return Err(Bound::All);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_that_lists_too_many_is_cut_and_takes_nothing_from_the_others() {
        assert_eq!(check(MAX_SESSIONS_PER_POD - 1, 0, 1), Ok(()));
        assert_eq!(check(MAX_SESSIONS_PER_POD, 0, 1), Err(Bound::Pod));
        assert_eq!(check(150_000, MAX_SESSIONS - 1, 10), Ok(()));
        assert_eq!(check(150_000, MAX_SESSIONS, 10), Err(Bound::All));
        assert_eq!(check(19_999, MAX_SESSIONS, 10), Ok(()));
        assert_eq!(check(20_000, MAX_SESSIONS, 10), Err(Bound::All));
    }
}
