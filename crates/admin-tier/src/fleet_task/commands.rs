//! What operators want of the fleet: asked of its one owner, and answered by it.

use fleet::{ForgetError, LostPod};
use tokio::sync::{mpsc, oneshot};

/// Commands that may wait.
const BACKLOG: usize = 16;

/// One thing that an operator wants.
#[derive(Debug)]
pub(crate) enum Command {
    /// A silent pod is to be forgotten.
    Forget {
        /// Its name or its address.
        pod: String,
        answer: oneshot::Sender<Result<Vec<LostPod>, ForgetError>>,
    },
}

/// Where commands are given. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Commands(mpsc::Sender<Command>);

impl Commands {
    /// Where commands are given, and where they arrive.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Command>) {
        let (sender, commands) = mpsc::channel(BACKLOG);
        (Self(sender), commands)
    }

    /// Forgets the silent pods of a name or an address; `None` where the tier is stopping.
    pub(crate) async fn forget(&self, pod: String) -> Option<Result<Vec<LostPod>, ForgetError>> {
        let (answer, answered) = oneshot::channel();
        self.0.send(Command::Forget { pod, answer }).await.ok()?;
        answered.await.ok()
    }
}
