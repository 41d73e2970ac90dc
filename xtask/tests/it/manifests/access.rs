//! Access to the Kubernetes API: as narrow as possible.

use serde_json::{Value, json};

use super::{all, object, of_kind, with};

fn switch(verbs: &Value) -> Value {
    json!({ "apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["app-config"], "verbs": verbs })
}

#[test]
fn roles_grant_access_to_one_configmap_and_endpointslices_only() {
    for (name, objects) in all() {
        let admin = &object(&objects, "Role", "sample-app-admin")["rules"];
        let slices =
            json!({ "apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"] });
        assert_eq!(*admin, json!([switch(&json!(["get", "list", "watch", "patch"])), slices]), "{name}");
        let roles = of_kind(&objects, "Role").count();
        if name.ends_with("maintenance-file") {
            assert_eq!(roles, 1, "{name}");
        } else {
            let user = &object(&objects, "Role", "sample-app-user")["rules"];
            assert_eq!(*user, json!([switch(&json!(["list", "watch"]))]), "{name}");
            assert_eq!(roles, 2, "{name}");
        }
        for wide in ["ClusterRole", "ClusterRoleBinding"] {
            assert_eq!(of_kind(&objects, wide).count(), 0, "{name}");
        }
    }
}

#[test]
fn each_role_is_bound_to_its_own_account_only() {
    for (name, objects) in all() {
        for binding in of_kind(&objects, "RoleBinding") {
            let own = &binding["metadata"]["name"];
            assert_eq!(binding["roleRef"]["name"], *own, "{name}");
            let subjects = json!([{ "kind": "ServiceAccount", "name": own, "namespace": "sample-app" }]);
            assert_eq!(binding["subjects"], subjects, "{name}");
        }
    }
}

#[test]
fn only_pods_that_use_the_api_have_a_token() {
    for (name, objects) in all() {
        for account in of_kind(&objects, "ServiceAccount") {
            assert_eq!(account["automountServiceAccountToken"], false, "{name}");
        }
        for deployment in of_kind(&objects, "Deployment") {
            let pod = &deployment["spec"]["template"]["spec"];
            let tier = deployment["metadata"]["labels"]["tier"].as_str().unwrap();
            let asks = tier == "admin" || tier == "user" && !name.ends_with("maintenance-file");
            assert_eq!(pod["automountServiceAccountToken"], asks, "{name}: {tier}");
            if asks {
                assert_eq!(pod["serviceAccountName"], format!("sample-app-{tier}"), "{name}");
            }
        }
    }
}

#[test]
fn a_mounted_switch_is_a_directory_and_not_overridden() {
    let objects = with(&["maintenance-file"]);
    let pod = &object(&objects, "Deployment", "sample-app-user")["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let value = |name: &str| {
        let variable = super::list(&container["env"]).iter().find(|variable| variable["name"] == name);
        variable.and_then(|variable| variable["value"].as_str())
    };
    assert_eq!(value("MAINTENANCE_CONFIGMAP"), None);
    assert_eq!(value("MAINTENANCE_FILE"), Some("/etc/lastcall/config/MAINTENANCE_MODE"));
    let mount = super::list(&container["volumeMounts"]).iter().find(|mount| mount["name"] == "config").unwrap();
    assert_eq!((&mount["mountPath"], &mount["subPath"]), (&json!("/etc/lastcall/config"), &Value::Null));
    let volume = super::list(&pod["volumes"]).iter().find(|volume| volume["name"] == "config").unwrap();
    assert_eq!(volume["configMap"], json!({ "name": "app-config" }));
}
