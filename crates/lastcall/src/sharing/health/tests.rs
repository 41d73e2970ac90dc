//! What the monitor makes of the answers of a store.

use super::*;

const fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

const fn contents(epoch: Option<Epoch>) -> Contents {
    Contents { epoch, settling: false }
}

fn unavailable<T>() -> Result<T, StoreError> {
    Err(StoreError::Unavailable("no answer".to_owned()))
}

fn not_writable<T>() -> Result<T, StoreError> {
    Err(StoreError::NotWritable("OOM".to_owned()))
}

#[test]
fn absence_is_believed_in_the_known_contents_only_and_not_just_after_an_outage() {
    let monitor = HealthMonitor::new();
    assert!(!monitor.believes_absence(contents(None), at(0)), "it has never answered");
    assert_eq!(monitor.record_write(Ok(7), at(1_000)), Some(7));
    assert!(!monitor.record_epoch(1, at(1_000)), "a first contact loses nothing");
    assert!(monitor.believes_absence(contents(Some(1)), at(1_000)));
    assert!(!monitor.believes_absence(contents(None), at(2_000)), "emptied under an open connection");
    assert!(
        !monitor.believes_absence(contents(Some(1)), at(11_999))
            && monitor.believes_absence(contents(Some(1)), at(12_000))
    );
    assert_eq!(monitor.record_read(unavailable::<u8>(), at(20_000)), None);
    assert!(!monitor.believes_absence(contents(Some(1)), at(20_000)));
    monitor.record_read(Ok(()), at(30_000));
    assert!(
        !monitor.believes_absence(contents(Some(1)), at(39_999))
            && monitor.believes_absence(contents(Some(1)), at(40_000))
    );
    assert!(monitor.record_epoch(2, at(50_000)), "it came back empty");
    assert!(
        !monitor.believes_absence(contents(Some(2)), at(59_999))
            && monitor.believes_absence(contents(Some(2)), at(60_000))
    );
    assert_eq!(monitor.errors(), 1);
}

#[test]
fn reading_goes_on_where_writing_does_not() {
    let monitor = HealthMonitor::new();
    monitor.record_write(Ok(()), at(0));
    monitor.record_write(not_writable::<()>(), at(1));
    let health = monitor.now();
    assert!(health.is_reachable() && health.is_readable() && !health.is_writable());
    monitor.record_read(Ok(()), at(2));
    assert_eq!(monitor.now(), StoreHealth::ReadOnly, "a read says nothing about writes");
    monitor.record_write(Ok(()), at(3));
    assert!(monitor.now().is_writable());
    assert!(!monitor.believes_leases(at(4)), "leases could not be renewed a moment ago");
}

#[test]
fn a_refused_login_is_told_from_an_outage() {
    let refused = || Err::<(), _>(StoreError::LoginRefused("WRONGPASS".to_owned()));
    let monitor = HealthMonitor::new();
    monitor.record_write(refused(), at(0));
    assert_eq!(monitor.now(), StoreHealth::LoginRefused { had_contact: false });
    monitor.record_write(Ok(()), at(1));
    monitor.record_epoch(1, at(1));
    monitor.record_write(refused(), at(2));
    assert_eq!(monitor.now(), StoreHealth::LoginRefused { had_contact: true });
}

#[test]
fn a_partial_outage_is_counted_and_leaves_the_store_writable() {
    let monitor = HealthMonitor::new();
    monitor.record_write(Ok(()), at(0));
    monitor.record_epoch(1, at(0));
    assert_eq!(monitor.record_read(Err::<(), _>(StoreError::PartlyUnavailable("a node".to_owned())), at(1)), None);
    monitor.record_partial_outage(3, "a node", at(9_000));
    assert!(monitor.now().is_writable());
    assert_eq!(monitor.errors(), 4);
    assert!(!monitor.believes_absence(contents(Some(1)), at(13_999)));
    monitor.record_no_retries(at(13_999));
    assert!(!monitor.believes_absence(contents(Some(1)), at(13_999)), "an operation met the outage a moment ago");
    monitor.record_no_retries(at(14_000));
    assert!(monitor.believes_absence(contents(Some(1)), at(14_000)), "the outage is over");
}
