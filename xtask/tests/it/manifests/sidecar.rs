//! Lastcall beside an app that exists: `components/sidecar`, as a native sidecar and as an ordinary container.

use std::fs;

use serde_json::{Value, json};
use xtask::manifests::{hold_waits, objects, render};
use xtask::waits::sidecars;

use super::valid::said;
use super::{list, object, root};

/// The example's app with one of the two components, and further text of the overlay.
fn rendered(component: &str, besides: &str) -> String {
    // Kustomize accepts no absolute paths, so the overlay has to be in the repository.
    let target = root().join("target");
    fs::create_dir_all(&target).unwrap();
    let folder = tempfile::tempdir_in(&target).unwrap();
    let text = format!(
        "resources: [../../kubernetes/examples/any-app/app]\ncomponents: [../../kubernetes/components/{component}]\n{besides}"
    );
    fs::write(folder.path().join("kustomization.yaml"), text).unwrap();
    render(folder.path()).unwrap()
}

/// The two variants.
pub(super) fn variants() -> [(&'static str, Vec<Value>); 2] {
    ["sidecar", "sidecar-container"].map(|name| (name, objects(&rendered(name, "")).unwrap()))
}

fn pod(objects: &[Value]) -> &Value {
    &object(objects, "Deployment", "any-app")["spec"]["template"]["spec"]
}

/// An overlay that patches a container of the app's pod.
fn patched(pod: &str) -> String {
    format!(
        "patches:
  - target: {{kind: Deployment, name: any-app}}
    patch: |
      apiVersion: apps/v1
      kind: Deployment
      metadata: {{name: any-app}}
      spec: {{template: {{spec: {pod}}}}}
"
    )
}

#[test]
fn the_example_and_both_variants_are_valid_and_their_waits_fit() {
    let example = render(&root().join("kubernetes/examples/any-app")).unwrap();
    let example = ("example", objects(&example).unwrap());
    for (name, objects) in variants().into_iter().chain([example]) {
        let (fine, said) = said(&objects);
        assert!(fine, "{name}: {said}");
        let waits = sidecars(&objects).unwrap();
        assert_eq!(waits.len(), 1, "{name}");
        assert_eq!(waits[0].faults(), Vec::<String>::new(), "{name}");
        assert_eq!(waits[0].end().as_secs(), 90, "{name}");
    }
}

#[test]
fn the_native_sidecar_starts_before_the_app_and_the_ordinary_container_is_the_same_beside_it() {
    let [(_, native), (_, ordinary)] = variants();
    let (native, ordinary) = (pod(&native), pod(&ordinary));
    assert_eq!(native["initContainers"][0]["restartPolicy"], "Always");
    let mut sidecar = native["initContainers"][0].clone();
    sidecar.as_object_mut().unwrap().remove("restartPolicy");
    assert_eq!(list(&ordinary["initContainers"]), [] as [Value; 0]);
    assert_eq!(list(&ordinary["containers"])[1], sidecar);
    assert_eq!(sidecar["lifecycle"]["preStop"]["exec"]["command"], json!(["/user-tier", "drain"]));
    for pod in [native, ordinary] {
        let app = &pod["containers"][0];
        let hook = json!({ "preStop": { "httpGet": { "path": "/wait-for-drain", "port": 9093 } } });
        assert_eq!((&app["name"], &app["lifecycle"]), (&json!("app"), &hook));
    }
}

#[test]
fn users_reach_lastcall_and_nothing_reaches_the_app() {
    for (name, objects) in variants() {
        assert_eq!(object(&objects, "Service", "any-app")["spec"]["ports"][0]["targetPort"], 9090, "{name}");
        let labels = &object(&objects, "Deployment", "any-app")["spec"]["template"]["metadata"]["labels"];
        let policy = &object(&objects, "NetworkPolicy", "lastcall-sidecar")["spec"];
        assert_eq!(policy["podSelector"]["matchLabels"]["lastcall"], labels["lastcall"], "{name}");
        assert_eq!(policy["policyTypes"], json!(["Ingress"]), "{name}");
        let rules = list(&policy["ingress"]);
        let ports: Vec<_> = rules.iter().flat_map(|rule| list(&rule["ports"])).map(|it| it["port"].clone()).collect();
        assert_eq!(ports, [9090, 9091, 9093], "{name}");
        let pods = &object(&objects, "Service", "lastcall-pods")["spec"];
        assert_eq!(pods["selector"]["lastcall"], labels["lastcall"], "{name}");
        assert_eq!((&pods["clusterIP"], &pods["ports"][0]["name"]), (&json!("None"), &json!("grpc")), "{name}");
        let selector = &object(&objects, "Deployment", "any-app")["spec"]["selector"]["matchLabels"];
        assert_eq!(selector, &json!({ "app": "any-app" }), "{name}: a selector cannot be changed");
    }
}

#[test]
fn a_sidecars_waits_that_do_not_fit_are_refused_with_what_to_do() {
    let long = patched("{initContainers: [{name: lastcall, env: [{name: DRAIN_TIMEOUT, value: 120s}]}]}");
    let fault = hold_waits(&rendered("sidecar", &long)).unwrap_err().to_string();
    assert!(fault.contains("any-app: DRAIN_TIMEOUT 120s") && fault.contains("grant 150 or more"), "{fault}");
    let no_hook = patched("{containers: [{name: app, lifecycle: {$patch: delete}}]}");
    let fault = hold_waits(&rendered("sidecar-container", &no_hook)).unwrap_err().to_string();
    assert!(fault.contains("app has no preStop, and is stopped at once"), "{fault}");
    let port = patched("{initContainers: [{name: lastcall, env: [{name: PROBE_ADDR, value: '0.0.0.0:9100'}]}]}");
    let fault = hold_waits(&rendered("sidecar", &port)).unwrap_err().to_string();
    assert!(fault.contains("preStop of app asks port 9093, and PROBE_ADDR is port 9100"), "{fault}");
    let grace = patched("{terminationGracePeriodSeconds: 60}");
    let fault = hold_waits(&rendered("sidecar", &grace)).unwrap_err().to_string();
    assert!(fault.contains("terminationGracePeriodSeconds grants 60s: grant 90 or more"), "{fault}");
    assert!(fault.contains("TERMINATION_GRACE_PERIOD says 100s"), "{fault}");
}
