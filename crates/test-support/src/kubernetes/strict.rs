//! Whether an object is what it says: decoded into the type of its kind, and held against what that type makes of it.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Says what is wrong with an object that is no `T`.
pub(super) fn check<T: DeserializeOwned>(object: &Value) -> Result<(), String> {
    T::deserialize(object).map(drop).map_err(|error| error.to_string())
}

/// The fields of an object that `T` does not know, by their paths.
///
/// The types drop what they do not know, so what does not come out again was not known. Empty lists and objects, and
/// nulls, may get lost on the way as well: they say nothing.
pub(super) fn unknown<T: DeserializeOwned + Serialize>(object: &Value) -> Vec<String> {
    let mut unknown = Vec::new();
    if let Some(known) = T::deserialize(object).ok().and_then(|typed| serde_json::to_value(typed).ok()) {
        compare(object, &known, "", &mut unknown);
    }
    // Whether an object keeps the order of its fields depends on what else is built.
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
                    None if says_nothing(value) => {}
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

fn says_nothing(value: &Value) -> bool {
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
    fn a_field_that_the_kind_does_not_know_is_named_by_its_path() {
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
