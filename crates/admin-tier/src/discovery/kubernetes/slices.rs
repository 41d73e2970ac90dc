//! Converts EndpointSlices into pods. Slices come in any number and order, may repeat one another, and may lack fields.
//! What can be used is used; the rest is reported.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::{IpAddr, SocketAddr};

use fleet::{Address, Conditions, DiscoveredPod};
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointSlice};
use session_domain::PodName;

use super::{Port, Service};

/// The pods of the slices.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) pods: Vec<DiscoveredPod>,
    /// What could not be used.
    pub(super) fault: Option<String>,
}

/// Reads the pods in the slices of a Service.
pub(super) fn read<'a>(slices: impl Iterator<Item = &'a EndpointSlice>, service: &Service) -> Read {
    let mut faults = BTreeSet::new();
    let mut known: BTreeMap<SocketAddr, (Option<String>, DiscoveredPod)> = BTreeMap::new();
    let mut any = false;
    for slice in slices {
        any = true;
        let port = match port(slice, &service.port) {
            Ok(port) => port,
            // A slice without endpoints may have no ports.
            Err(_) if slice.endpoints.is_empty() => continue,
            Err(fault) => {
                faults.insert(fault);
                continue;
            }
        };
        for endpoint in &slice.endpoints {
            let Some(address) = address(endpoint) else {
                faults.insert(format!("{:?} is no address that can be asked", endpoint.addresses.first()));
                continue;
            };
            merge(&mut known, SocketAddr::new(address, port), endpoint);
        }
    }
    if !any {
        faults.insert(format!("no Service {} with endpoints is in namespace {}", service.name, service.namespace));
    }
    // A pod with an IPv4 and an IPv6 address is in two slices: one link is enough.
    let with_ipv4: HashSet<_> =
        known.iter().filter(|(at, _)| at.is_ipv4()).filter_map(|(_, (uid, _))| uid.clone()).collect();
    known.retain(|at, (uid, _)| at.is_ipv4() || uid.as_ref().is_none_or(|uid| !with_ipv4.contains(uid)));
    let fault = (!faults.is_empty()).then(|| faults.into_iter().collect::<Vec<_>>().join("; "));
    Read { pods: known.into_values().map(|(_, found)| found).collect(), fault }
}

/// Adds an endpoint. While slices are rearranged, an endpoint may be in two of them.
fn merge(known: &mut BTreeMap<SocketAddr, (Option<String>, DiscoveredPod)>, at: SocketAddr, endpoint: &Endpoint) {
    let pod = endpoint.target_ref.as_ref().filter(|target| target.kind.as_deref() == Some("Pod"));
    let name = pod.and_then(|pod| PodName::new(pod.name.as_deref()?));
    let conditions = endpoint.conditions.as_ref().map_or_else(Conditions::default, |conditions| Conditions {
        ready: conditions.ready,
        serving: conditions.serving,
        terminating: conditions.terminating,
    });
    match known.entry(at) {
        Entry::Vacant(vacant) => {
            let found = DiscoveredPod { pod: name, conditions, ..DiscoveredPod::at(Address::new(&at.to_string())) };
            vacant.insert((pod.and_then(identity), found));
        }
        Entry::Occupied(mut occupied) => {
            let (uid, found) = occupied.get_mut();
            found.conditions = found.conditions.with(conditions);
            found.pod = found.pod.take().or(name);
            *uid = uid.take().or_else(|| pod.and_then(identity));
        }
    }
}

/// Returns what distinguishes a pod from an earlier pod of the same name.
fn identity(pod: &ObjectReference) -> Option<String> {
    pod.uid.clone().or_else(|| pod.name.clone())
}

/// Returns the first address: the one that clients are to use.
fn address(endpoint: &Endpoint) -> Option<IpAddr> {
    endpoint.addresses.first()?.parse().ok()
}

/// Returns the number of the port in a slice.
fn port(slice: &EndpointSlice, wanted: &Port) -> Result<u16, String> {
    let name = match wanted {
        Port::Number(number) => return Ok(*number),
        Port::Name(name) => name,
    };
    let ports = slice.ports.as_deref().unwrap_or_default();
    let named = ports.iter().find(|port| port.name.as_ref() == Some(name) && port.protocol.as_deref() != Some("UDP"));
    match named.map(|port| port.port.and_then(|number| u16::try_from(number).ok())) {
        Some(Some(number)) if number != 0 => Ok(number),
        Some(_) => Err(format!("port {name} has no number")),
        None => {
            let names: Vec<_> = ports.iter().filter_map(|port| port.name.as_deref()).collect();
            let there = if names.is_empty() { "none has a name".to_owned() } else { names.join(", ") };
            Err(format!("no port of the Service is called {name} (there: {there}); write its number, or a name it has"))
        }
    }
}

#[cfg(test)]
mod tests;
