//! The arithmetic as a table: each row changes one wait, and one fault names it.

use super::*;

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn fitting() -> Waits {
    Waits {
        user: UserWaits {
            name: "user".into(),
            grace: s(90),
            pre_stop: s(0),
            drain: s(60),
            task_grace: s(0),
            propagation: s(15),
            handoff: Some(HandoffWaits { delay: s(5), quiet: s(10) }),
            closers: s(0),
            configured_grace: Some(s(90)),
            holds_readiness: true,
            unready: s(7),
            dead: s(65),
            startup: s(62),
            progress: s(300),
            switch: s(1),
        },
        page: PageWaits { name: "page".into(), grace: s(30), pre_stop: s(15) },
        scale_down: Some(ScaleDownWaits { quiet: s(600), pace: s(120) }),
    }
}

#[test]
fn waits_that_fit_have_no_faults() {
    assert_eq!(fitting().faults(), Vec::<String>::new());
    let no_autoscaler = Waits { scale_down: None, ..fitting() };
    assert_eq!(no_autoscaler.faults(), Vec::<String>::new());
    let mut to_the_second = fitting();
    (to_the_second.user.grace, to_the_second.user.configured_grace) = (s(80), Some(s(80)));
    assert_eq!(to_the_second.faults(), Vec::<String>::new());
}

#[test]
fn each_wait_that_does_not_fit_is_reported_once_by_name() {
    type Spoil = fn(&mut Waits);
    let table: &[(Spoil, &str)] = &[
        (|w| w.user.drain = s(71), "grant 91 or more"),
        (|w| w.user.task_grace = s(11), "TASK_GRACE 11s + PROPAGATION_WAIT 15s + database 0s + closing 5s = 91s"),
        (|w| w.user.closers = s(11), "database 11s + closing 5s = 91s"),
        (
            |w| w.user.handoff = Some(HandoffWaits { delay: s(20), quiet: s(10) }),
            "HANDOFF_DELAY 20s + HANDOFF_QUIET 10s are not below half of DRAIN_TIMEOUT 60s",
        ),
        (|w| w.user.propagation = s(26), "grant 91 or more"),
        (|w| (w.user.grace, w.user.configured_grace) = (s(79), Some(s(79))), "grants 79s"),
        (|w| (w.user.pre_stop, w.user.configured_grace) = (s(11), Some(s(79))), "preStop 11s"),
        (|w| w.user.pre_stop = s(5), "TERMINATION_GRACE_PERIOD says 90s"),
        (|w| w.user.configured_grace = Some(s(120)), "TERMINATION_GRACE_PERIOD says 120s"),
        (|w| w.user.configured_grace = None, "TERMINATION_GRACE_PERIOD is not set: set 90s"),
        (|w| w.user.holds_readiness = false, "READINESS_WHILE_DRAINING"),
        (|w| w.user.unready = s(15), "probe readiness more often"),
        (|w| w.user.dead = s(7), "probe liveness less often"),
        (|w| w.user.startup = s(29), "startup probe grants 29s"),
        (|w| w.user.progress = s(62), "progressDeadlineSeconds (62s)"),
        (|w| w.page.pre_stop = s(14), "page: preStop 14s is shorter"),
        (|w| w.page.grace = s(15), "page: preStop 15s + closing 1s do not fit"),
        (|w| w.scale_down = Some(ScaleDownWaits { quiet: s(79), pace: s(120) }), "stabilizationWindowSeconds is 79s"),
        (|w| w.scale_down = Some(ScaleDownWaits { quiet: s(600), pace: s(79) }), "periodSeconds is 79s"),
    ];
    for (row, (spoil, complaint)) in table.iter().enumerate() {
        let mut waits = fitting();
        spoil(&mut waits);
        let faults = waits.faults();
        // A longer propagation is longer than the page's preStop, too.
        let related = |fault: &&String| !fault.starts_with("page: preStop 15s is shorter");
        let faults: Vec<_> = faults.iter().filter(related).collect();
        assert!(matches!(*faults, [fault] if fault.contains(complaint)), "row {row}: {faults:?}");
    }
}
