//! JSON merge patches (RFC 7386).

use serde_json::{Map, Value};

/// Applies a patch: merges objects by members, removes members whose patch is `null`, and replaces all other values.
pub(super) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let members = target.as_object_mut().expect("made an object above");
    for (name, change) in changes {
        if change.is_null() {
            members.remove(name);
        } else {
            merge(members.entry(name.clone()).or_insert(Value::Null), change);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_merge_patch_adds_replaces_and_removes() {
        let mut object = json!({ "data": { "a": "1", "b": "2" }, "list": [1, 2] });
        merge(
            &mut object,
            &json!({ "data": { "a": null, "b": "3", "c": "4" }, "list": [3], "new": { "x": null, "y": 1 } }),
        );
        assert_eq!(object, json!({ "data": { "b": "3", "c": "4" }, "list": [3], "new": { "y": 1 } }));
    }
}
