//! Names the user of a session and gives the session another id, wherever it lives.

use std::sync::Arc;

use session_domain::shared::Purpose;
use session_domain::{SessionId, UserName};

use super::writer_request::{ClaimOutcome, ClaimPurpose};
use super::{Sharing, run_to_completion};
use crate::sessions::live;
use crate::sessions::outcome::{SessionLookup, SignInOutcome};
use crate::sessions::served::ServedSession;

/// How often a session is looked up again because another pod took it meanwhile.
const MAX_ATTEMPTS: usize = 4;

impl Sharing {
    /// Names a session's user, and gives the session the id `id`.
    pub(crate) async fn sign_in(
        self: &Arc<Self>,
        session: ServedSession,
        id: SessionId,
        user: UserName,
    ) -> SignInOutcome {
        let sharing = Arc::clone(self);
        run_to_completion(async move { sharing.try_sign_in(session, id, &user).await })
            .await
            .unwrap_or(SignInOutcome::Unavailable)
    }

    async fn try_sign_in(
        self: &Arc<Self>,
        mut session: ServedSession,
        id: SessionId,
        user: &UserName,
    ) -> SignInOutcome {
        for _ in 0..MAX_ATTEMPTS {
            let live = match &session {
                ServedSession::Guest(guest) => return self.request_rename(guest, id, user).await,
                ServedSession::Own(live) => Arc::clone(live),
            };
            let mark = live.ownership_mark();
            match self.claim_one(&live, ClaimPurpose::Rename).await {
                ClaimOutcome::Claimed | ClaimOutcome::Unacknowledged => {
                    let old = live.id();
                    let renamed = live::sign_in(&self.registry, &live, id, user.clone(), self.clock.now());
                    if !renamed {
                        return SignInOutcome::Ended;
                    }
                    self.tasks_renamed(&live, old);
                    return SignInOutcome::Done;
                }
                ClaimOutcome::LoggedOut { automatic } => {
                    live::log_out(&self.registry, &live, automatic);
                    return SignInOutcome::Ended;
                }
                // Where this pod has reclaimed it meanwhile, it is found here again.
                ClaimOutcome::Moved => _ = self.end_as_moved(&live, mark),
            }
            session = match self.lookup(live.id(), Purpose::Request).await {
                SessionLookup::Found(found) => found,
                SessionLookup::NotFound | SessionLookup::Replaced => return SignInOutcome::Ended,
                SessionLookup::Unavailable | SessionLookup::Maintenance => return SignInOutcome::Unavailable,
            };
        }
        SignInOutcome::Unavailable
    }
}
