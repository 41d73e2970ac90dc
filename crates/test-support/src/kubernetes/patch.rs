//! Patches: JSON merge patch (RFC 7386) and JSON patch (RFC 6902).

use serde_json::{Map, Value};

/// Merges: objects member by member, `null` removes, everything else replaces.
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

/// Performs `add`, `remove`, `replace` and `test` in turn; says what cannot be done.
pub(super) fn apply(target: &mut Value, operations: &Value) -> Result<(), String> {
    for operation in operations.as_array().ok_or("a JSON patch is a list of operations")? {
        let path = operation["path"].as_str().ok_or("an operation has no path")?;
        let (parent, last) = path.rsplit_once('/').ok_or_else(|| format!("the path {path:?} does not begin with /"))?;
        let missing = || format!("the path {path:?} is not there");
        let value = &operation["value"];
        let last = last.replace("~1", "/").replace("~0", "~");
        match operation["op"].as_str() {
            Some("test") if target.pointer(path) == Some(value) => {}
            Some("test") => return Err(format!("testing value {path} failed")),
            Some("replace") => *target.pointer_mut(path).ok_or_else(missing)? = value.clone(),
            Some("add") => match target.pointer_mut(parent).ok_or_else(missing)? {
                Value::Object(members) => drop(members.insert(last, value.clone())),
                Value::Array(items) if last == "-" => items.push(value.clone()),
                Value::Array(items) => {
                    let at = last.parse().ok().filter(|at| *at <= items.len()).ok_or_else(missing)?;
                    items.insert(at, value.clone());
                }
                _ => return Err(missing()),
            },
            Some("remove") => match target.pointer_mut(parent).ok_or_else(missing)? {
                Value::Object(members) => drop(members.remove(&last).ok_or_else(missing)?),
                Value::Array(items) => {
                    let at = last.parse().ok().filter(|at| *at < items.len()).ok_or_else(missing)?;
                    items.remove(at);
                }
                _ => return Err(missing()),
            },
            other => return Err(format!("the double does not know the operation {other:?}")),
        }
    }
    Ok(())
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

    #[test]
    fn a_json_patch_does_all_or_says_why_not() {
        let mut object = json!({ "data": { "a/b": "1" }, "list": [1, 2] });
        let patch = json!([
            { "op": "test", "path": "/data/a~1b", "value": "1" },
            { "op": "add", "path": "/data/c", "value": "2" },
            { "op": "replace", "path": "/list/0", "value": 5 },
            { "op": "add", "path": "/list/-", "value": 3 },
            { "op": "remove", "path": "/data/a~1b" },
        ]);
        apply(&mut object, &patch).unwrap();
        assert_eq!(object, json!({ "data": { "c": "2" }, "list": [5, 2, 3] }));
        for bad in [
            json!({}),
            json!([{ "op": "test", "path": "/data/c", "value": "3" }]),
            json!([{ "op": "replace", "path": "/data/d", "value": "3" }]),
            json!([{ "op": "remove", "path": "/list/9" }]),
            json!([{ "op": "copy", "path": "/data/d" }]),
        ] {
            assert!(apply(&mut object.clone(), &bad).is_err(), "{bad}");
        }
    }
}
