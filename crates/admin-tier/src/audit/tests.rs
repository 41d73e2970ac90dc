//! The list stays short, whatever is repeated.

use std::net::Ipv4Addr;

use session_domain::UserName;

use super::*;

const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn ada() -> Operator {
    Operator { name: UserName::from_input("ada"), method: AuthMethod::Proxy, address: ADDRESS }
}

#[test]
fn repeated_guesses_share_one_entry_and_the_list_is_short() {
    let audit = Audit::new();
    audit.record_done(&ada(), AuditAction::MaintenanceOn, Some("the file".to_owned()));
    (0..200).for_each(|n| audit.record_refused_sign_in(Ipv4Addr::from(n).into()));
    let entries = audit.entries();
    assert_eq!(entries.iter().map(|entry| entry.times).collect::<Vec<_>>(), [200, 1]);
    assert_eq!((entries[0].operator.clone(), entries[0].address), (None, Ipv4Addr::from(199).into()));
    assert_eq!(entries[1].operator, Some(("ada".to_owned(), AuthMethod::Proxy)));
    (0..200).for_each(|_| audit.record_done(&ada(), AuditAction::SignedOut, None));
    assert_eq!(audit.entries().len(), MAX_ENTRIES, "an action that was done twice has two entries");
}

#[test]
fn each_export_has_its_entry_and_many_push_no_other_action_off_the_list() {
    let audit = Audit::new();
    let export = |n: u32| audit.record_done(&ada(), AuditAction::Exported, Some(format!("{n} sessions as csv")));
    audit.record_done(&ada(), AuditAction::MaintenanceOn, Some("the file".to_owned()));
    (0..2).for_each(export);
    let objects = || audit.entries().iter().filter_map(|entry| entry.object.clone()).collect::<Vec<_>>();
    assert_eq!(objects(), ["1 sessions as csv", "0 sessions as csv", "the file"]);
    (2..200).for_each(export);
    assert_eq!(objects().len(), MAX_EXPORT_ENTRIES + 1);
    assert_eq!((objects()[0].as_str(), objects().last().unwrap().as_str()), ("199 sessions as csv", "the file"));
}
