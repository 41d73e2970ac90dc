//! Every pod of every rendering satisfies Pod Security "restricted" and some further rules.

use serde_json::{Value, json};

use super::{all, list, object, of_kind, overlay};

/// The violations of "restricted" in a pod template, and of the further rules: a read-only root, a numeric user.
fn faults(pod: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let mut expect = |what: &str, fine: bool| {
        if !fine {
            faults.push(what.to_owned());
        }
    };
    let context = &pod["securityContext"];
    expect("runAsNonRoot", context["runAsNonRoot"] == true);
    expect("runAsUser is a number above 0", context["runAsUser"].as_u64().is_some_and(|user| user > 0));
    expect("seccompProfile", context["seccompProfile"]["type"] == "RuntimeDefault");
    for host in ["hostNetwork", "hostPID", "hostIPC"] {
        expect(host, pod[host].is_null());
    }
    for volume in list(&pod["volumes"]) {
        let kinds = volume.as_object().unwrap().keys().filter(|key| *key != "name");
        for kind in kinds {
            let allowed = [
                "configMap",
                "csi",
                "downwardAPI",
                "emptyDir",
                "ephemeral",
                "persistentVolumeClaim",
                "projected",
                "secret",
            ];
            expect(&format!("volume {kind}"), allowed.contains(&kind.as_str()));
        }
    }
    let containers =
        ["containers", "initContainers", "ephemeralContainers"].into_iter().flat_map(|kind| list(&pod[kind]));
    for container in containers {
        let context = &container["securityContext"];
        expect("allowPrivilegeEscalation", context["allowPrivilegeEscalation"] == false);
        expect("capabilities", context["capabilities"] == json!({ "drop": ["ALL"] }));
        expect("readOnlyRootFilesystem", context["readOnlyRootFilesystem"] == true);
        expect("privileged", context["privileged"].is_null());
        expect("an own user", context["runAsUser"].is_null() && context["runAsNonRoot"].is_null());
        expect("hostPort", list(&container["ports"]).iter().all(|port| port["hostPort"].is_null()));
    }
    faults
}

#[test]
fn every_pod_keeps_to_restricted() {
    for (name, objects) in all() {
        let mut pods = 0;
        for deployment in of_kind(&objects, "Deployment") {
            let found = faults(&deployment["spec"]["template"]["spec"]);
            assert_eq!(found, Vec::<String>::new(), "{name}: {}", deployment["metadata"]["name"]);
            pods += 1;
        }
        assert!(pods >= 3, "{name}");
    }
}

#[test]
fn each_violation_of_restricted_is_found() {
    let objects = overlay("minikube");
    let pod = &object(&objects, "Deployment", "sample-app-user")["spec"]["template"]["spec"];
    for (path, value) in [
        ("/securityContext/runAsNonRoot", json!(false)),
        ("/securityContext/runAsUser", json!(0)),
        ("/securityContext/seccompProfile/type", json!("Unconfined")),
        ("/containers/0/securityContext/allowPrivilegeEscalation", json!(true)),
        ("/containers/0/securityContext/capabilities", json!({ "drop": ["ALL"], "add": ["SYS_ADMIN"] })),
        ("/containers/0/securityContext/readOnlyRootFilesystem", json!(false)),
    ] {
        let mut pod = pod.clone();
        *pod.pointer_mut(path).unwrap() = value;
        assert_eq!(faults(&pod).len(), 1, "{path}");
    }
    let mut pod = pod.clone();
    pod["volumes"] = json!([{ "name": "a", "hostPath": { "path": "/" } }]);
    pod["hostNetwork"] = json!(true);
    assert_eq!(faults(&pod), ["hostNetwork", "volume hostPath"]);
}

#[test]
fn the_namespace_enforces_it() {
    let objects = overlay("production");
    let labels = &object(&objects, "Namespace", "sample-app")["metadata"]["labels"];
    for what in ["enforce", "warn", "audit"] {
        assert_eq!(labels[format!("pod-security.kubernetes.io/{what}")], "restricted");
    }
}
