//! Operators' commands to the fleet task, which is the only owner of the fleet.

use fleet::{ForgetError, LostPod};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

/// How many commands may wait.
const MAX_WAITING: usize = 16;

/// A command.
#[derive(Debug)]
pub(crate) enum Command {
    /// Forget a silent pod.
    Forget {
        /// The pod's name or address.
        pod: String,
        /// Where the result is sent.
        result: oneshot::Sender<Result<Vec<LostPod>, ForgetError>>,
    },
}

/// The fleet task has stopped: so will the process within moments.
#[derive(Clone, Copy, Debug, Error)]
#[error("the fleet task has stopped")]
pub(crate) struct Stopped;

/// Sends commands. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Commands(mpsc::Sender<Command>);

impl Commands {
    /// Creates the sender and the receiver.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Command>) {
        let (sender, commands) = mpsc::channel(MAX_WAITING);
        (Self(sender), commands)
    }

    /// Forgets the silent pods with a name or an address. The view without them is published before this returns.
    ///
    /// # Errors
    /// Where the fleet task has stopped.
    pub(crate) async fn forget(&self, pod: String) -> Result<Result<Vec<LostPod>, ForgetError>, Stopped> {
        let (result, forgotten) = oneshot::channel();
        self.0.send(Command::Forget { pod, result }).await.map_err(|_| Stopped)?;
        forgotten.await.map_err(|_| Stopped)
    }
}
