//! The arithmetic as a table: each row changes one wait, and one fault names it.

use super::*;

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn fitting() -> SidecarWaits {
    SidecarWaits {
        name: "shop".into(),
        grace: s(90),
        configured_grace: Some(s(90)),
        drain: s(60),
        task_grace: s(10),
        propagation: s(15),
        closers: s(0),
        drains: true,
        holds_readiness: true,
        probe_port: 9093,
        app: Some(("web".into(), StopHook::WaitForDrain(9093))),
        unready: s(7),
        dead: s(65),
    }
}

#[test]
fn waits_of_a_sidecar_that_fit_have_no_faults() {
    assert_eq!(fitting().faults(), Vec::<String>::new());
    let slept = SidecarWaits { app: Some(("web".into(), StopHook::Sleep(s(85)))), ..fitting() };
    assert_eq!((slept.faults(), slept.end()), (Vec::new(), s(90)));
}

#[test]
fn each_wait_of_a_sidecar_that_does_not_fit_is_reported_once_by_name() {
    type Spoil = fn(&mut SidecarWaits);
    let app = |hook| Some(("web".to_owned(), hook));
    let table: &[(Spoil, &str)] = &[
        (|w| w.drain = s(61), "grant 91 or more"),
        (|w| w.task_grace = s(11), "TASK_GRACE 11s + PROPAGATION_WAIT 15s + closers 0s + closing 5s = 91s"),
        (|w| w.propagation = s(16), "PROPAGATION_WAIT 16s"),
        (|w| w.closers = s(1), "closers 1s"),
        (|w| w.configured_grace = Some(s(30)), "TERMINATION_GRACE_PERIOD says 30s"),
        (|w| w.configured_grace = None, "TERMINATION_GRACE_PERIOD is not set: set 90s"),
        (|w| w.drains = false, "preStop of the sidecar is not `user-tier drain`"),
        (|w| w.holds_readiness = false, "READINESS_WHILE_DRAINING"),
        (|w| w.unready = s(15), "probe readiness more often"),
        (|w| w.dead = s(7), "probe liveness less often"),
        (|w| w.probe_port = 9094, "asks port 9093, and PROBE_ADDR is port 9094"),
        (|w| w.app = None, "there is no app beside the sidecar"),
    ];
    for (row, (spoil, complaint)) in table.iter().enumerate() {
        let mut waits = fitting();
        spoil(&mut waits);
        let faults = waits.faults();
        assert!(matches!(&*faults, [fault] if fault.contains(complaint)), "row {row}: {faults:?}");
    }
    for (hook, complaint) in [
        (StopHook::Missing, "web has no preStop, and is stopped at once"),
        (StopHook::Sleep(s(84)), "preStop of web ends after 84s, and a drain takes up to 85s"),
        (StopHook::Sleep(s(86)), "preStop of web 86s + closing 5s do not fit into terminationGracePeriodSeconds 90s"),
        (StopHook::Other, "preStop of web has no known length"),
    ] {
        let faults = SidecarWaits { app: app(hook), ..fitting() }.faults();
        assert!(matches!(&*faults, [fault] if fault.contains(complaint)), "{hook:?}: {faults:?}");
    }
}
