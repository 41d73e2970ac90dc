//! All children, in one hand: started together, watched, drained once, the admin tier last.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::child::Child;
use super::plan::Plan;
use super::ready;

/// How often children are looked after.
const ROUND: Duration = Duration::from_millis(100);

/// How long they may take to become ready.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// The pods and the admin tier.
#[derive(Debug)]
pub(super) struct Fleet<'a> {
    pods: Vec<Child<'a>>,
    admin: Child<'a>,
    asked: u32,
    failed: Vec<String>,
}

impl<'a> Fleet<'a> {
    pub(super) fn start(plan: &'a Plan) -> anyhow::Result<Self> {
        println!("\n==> starting");
        let pods: Result<Vec<_>, _> = (0..).zip(&plan.pods).map(|(colour, pod)| Child::start(pod, colour)).collect();
        let admin = Child::start(&plan.admin, u8::try_from(plan.pods.len() % 6)?)?;
        Ok(Self { pods: pods?, admin, asked: 0, failed: Vec::new() })
    }

    pub(super) fn pods(&self) -> &[Child<'a>] {
        &self.pods
    }

    /// Waits until every process answers. `false` where it was interrupted before.
    pub(super) fn wait_until_ready(&mut self, interrupts: &Receiver<()>) -> anyhow::Result<bool> {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            if self.interrupted(interrupts)? {
                return Ok(false);
            }
            self.look_after();
            if let Some(name) = self.children().find(|child| child.has_ended()).map(|child| child.name().to_owned()) {
                bail!("{name} has ended before it was ready; what it said is above (a port in use?)");
            }
            let late = self.children().find(|child| !ready::answers(&child.process().http, child.process().probe));
            match late {
                None => return Ok(true),
                Some(late) if Instant::now() > deadline => {
                    bail!("{} does not answer at http://{}", late.name(), late.process().http)
                }
                Some(_) => {}
            }
        }
    }

    /// Looks after everybody until all have ended.
    pub(super) fn watch(mut self, interrupts: &Receiver<()>) -> anyhow::Result<()> {
        let mut alone = false;
        loop {
            self.look_after();
            let pods_gone = self.pods.iter().all(Child::has_ended);
            if pods_gone && self.admin.has_ended() {
                break;
            }
            if pods_gone && self.asked > 0 {
                self.admin.terminate();
            } else if pods_gone && !alone {
                println!("Every pod is gone. The admin tier still shows how they went; Ctrl-C ends it.");
                alone = true;
            }
            self.interrupted(interrupts)?;
        }
        println!("All are gone.");
        if self.failed.is_empty() { Ok(()) } else { bail!("not cleanly: {}", self.failed.join(", ")) }
    }

    fn children(&self) -> impl Iterator<Item = &Child<'a>> {
        self.pods.iter().chain([&self.admin])
    }

    fn look_after(&mut self) {
        for child in self.pods.iter_mut().chain([&mut self.admin]) {
            let Some(status) = child.take_end() else { continue };
            if status.success() {
                println!("{} has drained and is gone.", child.name());
            } else {
                println!("{} has ended with {status}.", child.name());
                self.failed.push(format!("{} ({status})", child.name()));
            }
        }
    }

    /// Waits for a round, or for an interrupt: that is handed on to every pod.
    fn interrupted(&mut self, interrupts: &Receiver<()>) -> anyhow::Result<bool> {
        match interrupts.recv_timeout(ROUND) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => return Ok(false),
            Err(error @ RecvTimeoutError::Disconnected) => return Err(error).context("signals are not heard any more"),
        }
        self.asked += 1;
        match self.asked {
            1 => println!("\nDraining every pod; Ctrl-C once more to hurry."),
            _ => println!("\nHurrying."),
        }
        self.pods.iter().for_each(Child::terminate);
        Ok(true)
    }
}
