//! The users of this pod who chat: each text is delivered to all users of this pod, encoded once. The last texts are kept for those who come later.

use std::collections::VecDeque;

use axum::extract::ws::Utf8Bytes;
use parking_lot::Mutex;
use tokio::sync::{broadcast, mpsc, watch};

use super::message::{Reach, Said, ToBrowser};

/// Texts that are kept for those who come later.
const KEPT_TEXTS: usize = 20;

/// Texts that a slow browser may be behind before it misses some.
const MAX_BEHIND: usize = 64;

/// Texts that wait for Redis, at most.
const OUTBOX_LENGTH: usize = 64;

/// The chat of this pod.
#[derive(Debug)]
pub(super) struct Room {
    said: broadcast::Sender<Utf8Bytes>,
    kept: Mutex<VecDeque<Utf8Bytes>>,
    reach: watch::Sender<Reach>,
    /// To the other pods.
    outbox: Option<mpsc::Sender<Said>>,
}

impl Room {
    fn new(reach: Reach, outbox: Option<mpsc::Sender<Said>>) -> Self {
        Self {
            said: broadcast::Sender::new(MAX_BEHIND),
            kept: Mutex::default(),
            reach: watch::Sender::new(reach),
            outbox,
        }
    }

    /// A chat of this pod alone.
    pub(super) fn of_this_pod() -> Self {
        Self::new(Reach::ThisServer, None)
    }

    /// A chat with the other pods, and what is to be sent to them.
    pub(super) fn relayed() -> (Self, mpsc::Receiver<Said>) {
        let (sender, outbox) = mpsc::channel(OUTBOX_LENGTH);
        (Self::new(Reach::ThisServerForNow, Some(sender)), outbox)
    }

    /// Passes on what a user of this pod says.
    pub(super) fn say(&self, said: Said) {
        self.deliver(&said);
        if let Some(outbox) = &self.outbox
            && outbox.try_send(said).is_err()
        {
            self.set_reach(Reach::ThisServerForNow);
        }
    }

    /// Gives the users of this pod what was said here or at another pod.
    pub(super) fn deliver(&self, said: &Said) {
        let json = Utf8Bytes::from(ToBrowser::Said(said).json());
        let mut kept = self.kept.lock();
        if kept.len() == KEPT_TEXTS {
            kept.pop_front();
        }
        kept.push_back(json.clone());
        // Under the lock, so that a newcomer gets each text once. Nobody may be there.
        let _ = self.said.send(json);
    }

    pub(super) fn set_reach(&self, reach: Reach) {
        self.reach.send_if_modified(|known| std::mem::replace(known, reach) != reach);
    }

    /// Enters: the texts that are kept, those to come, and which users the chat reaches.
    pub(super) fn enter(&self) -> (Vec<Utf8Bytes>, broadcast::Receiver<Utf8Bytes>, watch::Receiver<Reach>) {
        let kept = self.kept.lock();
        (kept.iter().cloned().collect(), self.said.subscribe(), self.reach.subscribe())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(number: usize) -> Said {
        Said { id: number.to_string(), user: "ada".to_owned(), text: "hello".to_owned() }
    }

    #[test]
    fn the_last_texts_are_kept_and_a_full_outbox_is_reported_and_holds_up_nobody() {
        let (room, _outbox) = Room::relayed();
        room.set_reach(Reach::AllServers);
        (0..OUTBOX_LENGTH).for_each(|number| room.say(said(number)));
        let (_, mut to_come, reach) = room.enter();
        assert_eq!(*reach.borrow(), Reach::AllServers);
        room.say(said(OUTBOX_LENGTH));
        assert_eq!(*reach.borrow(), Reach::ThisServerForNow);
        assert!(to_come.try_recv().is_ok(), "the users of this pod get it all the same");
        let (kept, ..) = room.enter();
        assert_eq!(kept.len(), KEPT_TEXTS);
        assert!(kept.last().unwrap().contains(&format!(r#""id":"{OUTBOX_LENGTH}""#)));
    }
}
