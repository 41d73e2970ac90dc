//! Discovery documents: enough for `kubectl` to find the path of a kind and to know that fields are validated. These requests
//! need no authentication and are not counted.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::kubernetes::resource::{Resource, TABLE};

/// The verbs of every resource.
const VERBS: [&str; 7] = ["get", "list", "watch", "create", "update", "patch", "delete"];

/// Returns the document of a path, if there is one.
pub(super) fn document(path: &str) -> Option<Value> {
    Some(match path {
        "/version" => json!({ "major": "1", "minor": "33", "gitVersion": "v1.33.0" }),
        "/api" => json!({ "kind": "APIVersions", "versions": ["v1"] }),
        "/apis" => json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups() }),
        "/openapi/v3" => json!({ "paths": described() }),
        _ => {
            if let Some(version) = path.strip_prefix("/openapi/v3").and_then(version_of) {
                description(version)
            } else {
                resources(version_of(path)?)
            }
        }
    })
}

/// The API version that a path names, if the table has it.
fn version_of(path: &str) -> Option<&'static str> {
    TABLE.iter().map(|resource| resource.api_version).find(|version| path == root(version))
}

fn root(version: &str) -> String {
    format!("{}{version}", if version.contains('/') { "/apis/" } else { "/api/" })
}

fn of(version: &str) -> impl Iterator<Item = &'static Resource> {
    TABLE.iter().filter(move |resource| resource.api_version == version)
}

fn groups() -> Vec<Value> {
    let named = TABLE.iter().filter_map(|resource| resource.api_version.split_once('/'));
    let groups: BTreeMap<_, _> = named.collect();
    let group = |(group, version): (&str, &str)| {
        let version = json!({ "groupVersion": format!("{group}/{version}"), "version": version });
        json!({ "name": group, "versions": [version], "preferredVersion": version })
    };
    groups.into_iter().map(group).collect()
}

fn resources(version: &str) -> Value {
    let resource = |resource: &Resource| {
        json!({
            "name": resource.plural, "singularName": resource.kind.to_lowercase(), "kind": resource.kind,
            "namespaced": resource.namespaced, "verbs": VERBS,
        })
    };
    let resources: Vec<_> = of(version).map(resource).collect();
    json!({ "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources })
}

fn described() -> Value {
    let entry = |resource: &Resource| {
        let root = root(resource.api_version);
        let link = json!({ "serverRelativeURL": format!("/openapi/v3{root}") });
        (root.trim_start_matches('/').to_owned(), link)
    };
    Value::Object(TABLE.iter().map(entry).collect())
}

/// Only what a client looks for: that a patch of this kind knows `fieldValidation`.
fn description(version: &str) -> Value {
    let (group, number) = version.split_once('/').unwrap_or(("", version));
    let path = |resource: &Resource| {
        let place = if resource.namespaced { "/namespaces/{namespace}" } else { "" };
        let patch = json!({
            "operationId": format!("patch{}", resource.kind),
            "parameters": [{ "name": "fieldValidation", "in": "query", "schema": { "type": "string" } }],
            "responses": { "200": { "description": "OK" } },
            "x-kubernetes-action": "patch",
            "x-kubernetes-group-version-kind": { "group": group, "kind": resource.kind, "version": number },
        });
        (format!("{}{place}/{}/{{name}}", root(version), resource.plural), json!({ "patch": patch }))
    };
    let paths: Map<_, _> = of(version).map(path).collect();
    json!({ "openapi": "3.0.0", "info": { "title": "Kubernetes", "version": "v1.33.0" }, "paths": paths })
}
