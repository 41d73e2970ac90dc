//! Keeps up with the EndpointSlices of a Service.

use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::ListParams;
use kube::{Api, Client};
use kubernetes_client::{ApiError, ListWatch, Observation, Timing};

use super::{Service, slices};
use crate::discovery::Reporter;

/// Follows the Service until it is dropped.
pub(super) async fn run(client: Client, service: &Service, reporter: &Reporter) {
    let api = Api::<EndpointSlice>::namespaced(client, &service.namespace);
    let selector = ListParams::default().labels(&format!("kubernetes.io/service-name={}", service.name));
    let following = ListWatch::new(api, selector, Timing::default()).run(|observation| match observation {
        Observation::Listed(objects) => reporter.seen(slices::read(objects.values(), service).pods),
        Observation::Watched { objects, .. } => {
            let read = slices::read(objects.values(), service);
            reporter.found(read.pods, read.fault.as_deref());
        }
        Observation::Failed(error) => reporter.failed(&advice(&error)),
    });
    following.await;
}

/// The error, and what to do about it.
fn advice(error: &ApiError) -> String {
    match error {
        ApiError::Forbidden { .. } => {
            format!("{error}; let this service account list and watch endpointslices of discovery.k8s.io")
        }
        ApiError::Expired
        | ApiError::Status { .. }
        | ApiError::Timeout(_)
        | ApiError::Unreachable(_)
        | ApiError::NoRevision => error.to_string(),
    }
}
