//! `cargo xtask dev`: user pods and the admin tier on this machine, to be opened, watched and drained by hand.

mod child;
mod fleet;
mod plan;
mod ready;

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::steps::{cargo, step};
use fleet::Fleet;
use plan::Plan;

pub(crate) fn run(pods: u16, drain_timeout: Duration) -> anyhow::Result<()> {
    step("building (the first time takes some minutes)", &mut cargo(&["build", "--package", "user-tier", "--bins"]))?;
    step("building the admin tier", &mut cargo(&["build", "--package", "admin-tier", "--bins"]))?;
    let interrupts = interrupts()?;
    let plan = Plan::new(pods, drain_timeout);
    let mut fleet = Fleet::start(&plan)?;
    if fleet.wait_until_ready(&interrupts)? {
        plan.print(&fleet);
    }
    fleet.watch(&interrupts)
}

/// Ctrl-C and SIGTERM, as messages.
fn interrupts() -> anyhow::Result<Receiver<()>> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let (sender, receiver) = channel();
    // Lives as long as the process: there is nothing to join before its end.
    std::thread::spawn(move || {
        for _ in signals.forever() {
            if sender.send(()).is_err() {
                return;
            }
        }
    });
    Ok(receiver)
}
