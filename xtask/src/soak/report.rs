//! The report of a run: a table, and the bounds that are broken.

use std::collections::BTreeMap;
use std::time::Duration;

use super::chaos::Incident;
use super::ledger::Ledger;
use super::options::{Arguments, Sticky, Switch};
use super::tally::{ErrorKind, Inner, Tally};
use super::user::Kind;

/// What a run came to.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) summary: String,
    pub(super) elapsed: Duration,
    pub(super) requests: u64,
    pub(super) repeated: u64,
    pub(super) drains: Vec<Duration>,
    pub(super) ledgers: Vec<Ledger>,
    pub(super) seen: Inner,
    users: u32,
    may_show_banners: bool,
    has_handoff: bool,
}

impl Report {
    pub(super) fn new(options: &Arguments, tally: &Tally) -> Self {
        let has_handoff = options.handoff == Switch::On;
        Self {
            summary: options.summary(),
            elapsed: tally.elapsed(),
            requests: tally.requests(),
            repeated: tally.repeated.load(std::sync::atomic::Ordering::Relaxed),
            drains: Vec::new(),
            ledgers: Vec::new(),
            seen: tally.snapshot(),
            users: options.users,
            may_show_banners: !has_handoff || options.sticky == Sticky::IgnoringReadiness,
            has_handoff,
        }
    }

    /// Errors that nothing but drains explains.
    pub(super) fn errors(&self) -> u64 {
        self.seen.errors.iter().filter(|((incident, _), _)| incident.is_none()).map(|(_, count)| count).sum()
    }

    /// Banners that nothing but drains explains.
    pub(super) fn banners(&self) -> u64 {
        self.seen.banners.get(&None).copied().unwrap_or_default()
    }

    pub(super) fn forced(&self) -> u64 {
        self.ledgers.iter().map(|ledger| ledger.ended("forced")).sum()
    }

    /// The rows of the table.
    pub(super) fn rows(&self) -> Vec<(String, String)> {
        let seen = &self.seen;
        let mut rows: Vec<(String, String)> = Vec::new();
        let mut row = |name: &str, value: String| rows.push((name.to_owned(), value));
        row("duration", format!("{:.0} s", self.elapsed.as_secs_f64()));
        row("drains", format!("{}, each {}", self.drains.len(), spread(&self.drains)));
        let users = |kind| (0..self.users).filter(|number| Kind::of(*number) == kind).count();
        let [stream, poll, sleep] = [Kind::Streams, Kind::Polls, Kind::Sleeps].map(users);
        row("users", format!("{stream} with a stream, {poll} that poll, {sleep} that slept {} times", seen.sleeps));
        row("requests", self.requests.to_string());
        row("sent again by the browser, unnoticed", self.repeated.to_string());
        row("user-visible errors", self.errors().to_string());
        for ((incident, kind), count) in &seen.errors {
            row(&format!("  {kind}{}", during(*incident)), count.to_string());
        }
        row("banners", self.banners().to_string());
        for (incident, count) in seen.banners.iter().filter(|(incident, _)| incident.is_some()) {
            row(&format!("  banners{}", during(*incident)), count.to_string());
        }
        row("attention asked of all users", format!("{:.0} s", seen.attention.as_secs_f64()));
        row("sign-ins needed", seen.sign_ins.to_string());
        row("moves of pages", format!("{}, quick retries {}", seen.moves, seen.quick_retries));
        row("streams that ended without an event", seen.ends_without_event.to_string());
        row("gaps of streams", format!("{}: {}", seen.gaps.len(), spread(&seen.gaps)));
        row("  of which the server took", spread(&seen.openings));
        let balanced = self.ledgers.iter().filter(|ledger| ledger.fault().is_none()).count();
        row("ledgers that balance", format!("{balanced} of {}", self.ledgers.len()));
        let mut ended: BTreeMap<&str, u64> = BTreeMap::new();
        for (outcome, count) in self.ledgers.iter().flat_map(|ledger| &ledger.ended) {
            *ended.entry(outcome).or_default() += count;
        }
        for (outcome, count) in ended {
            row(&format!("  sessions that ended {outcome}"), count.to_string());
        }
        row("  sessions notified", self.ledgers.iter().map(|ledger| ledger.notified).sum::<u64>().to_string());
        rows
    }

    /// The bounds that are broken.
    pub(super) fn broken(&self) -> Vec<String> {
        let mut broken: Vec<String> = self.ledgers.iter().filter_map(Ledger::fault).collect();
        let mut bound = |count: u64, what: &str| {
            if count > 0 {
                broken.push(format!("{count} {what}, but 0 are allowed"));
            }
        };
        bound(self.errors(), "user-visible errors");
        if !self.may_show_banners {
            bound(self.banners(), "banners");
        }
        if self.has_handoff {
            bound(self.forced(), "forced ends");
            bound(self.seen.sign_ins, "sign-ins");
        }
        for incident in Incident::ALL {
            broken.extend(self.broken_by(incident));
        }
        broken
    }

    /// The bounds of an incident that are broken.
    fn broken_by(&self, incident: Incident) -> Vec<String> {
        let count = |counts: &dyn Fn(ErrorKind) -> bool| -> u64 {
            let errors = self.seen.errors.iter();
            errors.filter(|((of, kind), _)| *of == Some(incident) && counts(*kind)).map(|(_, count)| count).sum()
        };
        let errors = count(&|kind| kind != ErrorKind::SessionLost);
        let mut broken = Vec::new();
        let allowed = u64::from(incident.errors_per_user()) * u64::from(self.users);
        if errors > allowed {
            broken.push(format!("{errors} errors ({}), but {allowed} are allowed", incident.name()));
        }
        let lost = count(&|kind| kind == ErrorKind::SessionLost);
        if lost > 0 {
            broken.push(format!("{lost} sessions lost ({}), but 0 are allowed", incident.name()));
        }
        broken
    }

    /// Prints the table, and the errors word for word.
    pub(super) fn print(&self) {
        println!("\n{}", self.summary);
        for (name, value) in self.rows() {
            println!("  {name:<48} {value}");
        }
        for sample in &self.seen.samples {
            println!("  {sample}");
        }
    }
}

/// Prints two runs side by side.
pub(super) fn compare(one: &Report, other: &Report) {
    println!("\n  {:<48} {:>24} {:>24}", "", "HANDOFF=off", "HANDOFF=on");
    let others: BTreeMap<String, String> = other.rows().into_iter().collect();
    let ones: BTreeMap<String, String> = one.rows().into_iter().collect();
    for name in ["drains", "banners", "sign-ins needed", "attention asked of all users", "user-visible errors"] {
        let value = |rows: &BTreeMap<String, String>| rows.get(name).cloned().unwrap_or_default();
        println!("  {name:<48} {:>24} {:>24}", value(&ones), value(&others));
    }
}

fn during(incident: Option<Incident>) -> String {
    incident.map_or_else(String::new, |incident| format!(" ({})", incident.name()))
}

/// Median, 99th percentile and maximum.
fn spread(times: &[Duration]) -> String {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let at = |percent: usize| sorted.get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1)));
    let shown = |percent| at(percent).map_or("none".to_owned(), |time| format!("{:.2} s", time.as_secs_f64()));
    format!("median {}, p99 {}, max {}", shown(50), shown(99), shown(100))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Command {
        #[command(flatten)]
        options: Arguments,
    }

    fn report(options: &[&str], tally: &Tally) -> Report {
        let command = Command::try_parse_from([&["soak"], options].concat()).unwrap_or_else(|error| panic!("{error}"));
        Report::new(&command.options, tally)
    }

    #[test]
    fn a_banner_breaks_a_bound_only_where_the_proxy_follows_readiness_and_the_pods_hand_off() {
        let tally = Tally::new();
        tally.banner();
        assert_eq!(report(&[], &tally).broken().len(), 1);
        assert_eq!(report(&["--sticky", "ignoring-readiness"], &tally).broken().len(), 0);
        assert_eq!(report(&["--handoff", "off"], &tally).broken().len(), 0);
    }

    #[test]
    fn an_incident_excuses_a_number_of_errors_but_no_lost_session() {
        let tally = Tally::new();
        tally.attribute_to(Some(Incident::KilledPod));
        for _ in 0..10 {
            tally.error(ErrorKind::Status(503).into(), "GET /");
        }
        let broken = |users| report(&["--users", users], &tally).broken().len();
        assert_eq!((broken("10"), broken("9")), (0, 1));
        tally.error(ErrorKind::SessionLost.into(), "GET /");
        assert_eq!(broken("10"), 1);
        tally.attribute_to(None);
        tally.error(ErrorKind::Status(503).into(), "GET /");
        assert_eq!(broken("10"), 2);
    }
}
