//! Between the fleet and those who look through Redis: which pods are asked for, and what was found of them.

use std::future::pending;
use std::sync::Arc;

use tokio::sync::watch;

use super::{Orphans, Question};

/// The fleet's end.
#[derive(Debug)]
pub(crate) struct StoreLink {
    question: watch::Sender<Question>,
    found: watch::Receiver<Arc<Orphans>>,
}

impl StoreLink {
    /// The fleet's end, and where its question is read.
    pub(crate) fn new(found: watch::Receiver<Arc<Orphans>>) -> (Self, watch::Receiver<Question>) {
        let (question, asked) = watch::channel(Question::default());
        (Self { question, found }, asked)
    }

    /// Asks for these at the next look.
    pub(crate) fn ask(&self, question: Question) {
        self.question.send_if_modified(|asked| {
            let is_new = *asked != question;
            *asked = question;
            is_new
        });
    }

    /// Waits until Redis was looked through; for ever where there is none.
    pub(crate) async fn looked(link: Option<&mut Self>) -> bool {
        if let Some(link) = link
            && link.found.changed().await.is_ok()
        {
            return true;
        }
        pending().await
    }

    /// What was found last.
    pub(crate) fn found(&mut self) -> Arc<Orphans> {
        Arc::clone(&self.found.borrow_and_update())
    }
}
