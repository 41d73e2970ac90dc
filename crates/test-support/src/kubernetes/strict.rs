//! Strict validation: decodes an object into the type of its kind, and finds fields that the type does not have.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Fails with the reason if an object is not a `T`.
pub(super) fn check<T: DeserializeOwned>(object: &Value) -> Result<(), String> {
    T::deserialize(object).map(drop).map_err(|error| error.to_string())
}

/// Returns the paths of the fields that `T` does not have.
///
/// Decoding drops unknown fields, so that encoding the result again shows them. Empty lists, empty objects and nulls can get
/// lost as well, and are ignored.
pub(super) fn unknown<T: DeserializeOwned + Serialize>(object: &Value) -> Vec<String> {
    let mut unknown = Vec::new();
    if let Some(known) = T::deserialize(object).ok().and_then(|typed| serde_json::to_value(typed).ok()) {
        compare(object, &known, "", &mut unknown);
    }
    // The order of fields depends on the features of serde_json in the build.
    unknown.sort();
    unknown
}

fn compare(given: &Value, known: &Value, path: &str, unknown: &mut Vec<String>) {
    match (given, known) {
        (Value::Object(given), Value::Object(known)) => {
            for (name, value) in given {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match known.get(name) {
                    Some(known) => compare(value, known, &path, unknown),
                    None if is_empty_value(value) => {}
                    None => unknown.push(path),
                }
            }
        }
        (Value::Array(given), Value::Array(known)) => {
            for (place, (given, known)) in given.iter().zip(known).enumerate() {
                compare(given, known, &format!("{path}[{place}]"), unknown);
            }
        }
        _ => {}
    }
}

fn is_empty_value(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::apps::v1::Deployment;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_unknown_field_is_named_by_its_path() {
        let mut object = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "a", "annotations": {} },
            "spec": {
                "selector": { "matchLabels": { "a": "b" } },
                "template": { "spec": { "containers": [{ "name": "c", "env": [], "ports": [{ "containerPort": 80 }] }] } },
            },
        });
        assert_eq!(unknown::<Deployment>(&object), Vec::<String>::new());
        object["spec"]["template"]["spec"]["containers"][0]["port"] = json!([80]);
        object["spec"]["replica"] = json!(2);
        let expected = ["spec.replica", "spec.template.spec.containers[0].port"];
        assert_eq!(unknown::<Deployment>(&object), expected);
        object["spec"]["replicas"] = json!("two");
        assert!(check::<Deployment>(&object).unwrap_err().contains("invalid type"));
    }
}
