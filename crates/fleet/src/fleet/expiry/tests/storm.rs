//! No reachable or discovered pod is missing, whatever happens to the pods.

use std::sync::Arc;

use proptest::prelude::*;

use super::{has_link, seconds};
use crate::test_fleet::{at, pod_event};
use crate::{Address, DiscoveredPod, FORGET_AFTER, Fleet, PodEvent, PodView};

#[derive(Clone, Debug)]
enum Happens {
    Event(u8, PodEvent),
    Listed(Vec<u8>),
    Passes(i64),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        4 => (0..3_u8, pod_event()).prop_map(|(pod, event)| Happens::Event(pod, event)),
        1 => prop::collection::vec(0..3_u8, 0..3).prop_map(Happens::Listed),
        1 => (0..700_i64).prop_map(Happens::Passes),
    ]
}

proptest! {
    #[test]
    fn every_discovered_or_reachable_pod_is_listed_and_each_session_is_counted_once(
        history in prop::collection::vec(happens(), 0..80),
    ) {
        let (mut fleet, mut now, mut listed) = (Fleet::new(), 150, Vec::new());
        let address = |n: u8| Address::new(&format!("{n}:1"));
        for happens in history {
            let before: Vec<_> = fleet.view().pods().iter().filter(|pod| pod.is_reachable()).cloned().collect();
            match happens {
                Happens::Event(pod, event) => fleet.apply(&address(pod), event, at(now)),
                Happens::Listed(pods) => {
                    listed = pods;
                    fleet.apply_discovery(&listed.iter().map(|n| DiscoveredPod::at(address(*n))).collect::<Vec<_>>(), at(now));
                }
                Happens::Passes(time) => {
                    now += time;
                    fleet.expire(at(now));
                    let view = fleet.view();
                    for pod in before {
                        let of_same_name = |other: &Arc<PodView>| other.is_reachable() && other.label() == pod.label();
                        prop_assert!(view.pods().iter().any(of_same_name), "{} was reachable and is gone", pod.address);
                    }
                }
            }
            let view = fleet.view();
            for pod in &listed {
                prop_assert!(view.pod(&address(*pod)).is_some() && has_link(&fleet, address(*pod).as_str()));
            }
            prop_assert_eq!(view.pods().iter().filter(|pod| pod.sessions > 0).count() == 0, view.total_sessions() == 0);
        }
        fleet.apply_discovery(&[], at(now));
        for pod in 0..3 {
            fleet.apply(&address(pod), PodEvent::Unreachable("gone".into()), at(now));
        }
        fleet.expire(at(now + seconds(FORGET_AFTER)));
        prop_assert_eq!((fleet.view().pods().len(), fleet.view().total_sessions()), (0, 0));
    }
}
