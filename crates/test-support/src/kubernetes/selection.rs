//! Selecting objects for a list or a watch: `fieldSelector` and `labelSelector`.

use serde_json::Value;

use crate::kubernetes::resource::{Key, Target};
use crate::kubernetes::status::Status;

/// A namespace, if any, and the terms that must all hold.
#[derive(Clone, Debug)]
pub(super) struct Selection {
    plural: &'static str,
    namespace: Option<String>,
    terms: Vec<Term>,
}

#[derive(Clone, Debug)]
struct Term {
    operand: Operand,
    test: Test,
}

/// The value that a term tests: a field of `metadata`, or a label.
#[derive(Clone, Debug)]
enum Operand {
    Metadata(&'static str),
    Label(String),
}

#[derive(Clone, Debug)]
enum Test {
    In(Vec<String>),
    /// Holds without a value as well.
    NotIn(Vec<String>),
    Exists,
    Missing,
}

impl Selection {
    pub(super) fn new(target: &Target, fields: Option<&str>, labels: Option<&str>) -> Result<Self, Status> {
        let mut terms = Vec::new();
        for term in split(fields.unwrap_or_default()) {
            terms.push(field(term)?);
        }
        for term in split(labels.unwrap_or_default()) {
            terms.push(label(term)?);
        }
        Ok(Self { plural: target.resource.plural, namespace: target.namespace.clone(), terms })
    }

    /// Whether an object is selected.
    pub(super) fn has(&self, key: &Key, object: &Value) -> bool {
        key.plural == self.plural
            && self.namespace.as_ref().is_none_or(|namespace| *namespace == key.namespace)
            && self.terms.iter().all(|term| term.holds(object))
    }
}

impl Term {
    fn holds(&self, object: &Value) -> bool {
        let value = match &self.operand {
            Operand::Metadata(field) => object["metadata"][field].as_str(),
            Operand::Label(name) => object["metadata"]["labels"][name].as_str(),
        };
        match &self.test {
            Test::In(values) => value.is_some_and(|value| values.iter().any(|wanted| wanted == value)),
            Test::NotIn(values) => value.is_none_or(|value| values.iter().all(|unwanted| unwanted != value)),
            Test::Exists => value.is_some(),
            Test::Missing => value.is_none(),
        }
    }
}

/// Splits at commas outside of parentheses.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    let parts = text.split(move |c| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    });
    parts.map(str::trim).filter(|part| !part.is_empty())
}

/// `key=value`, `key==value`, `key!=value`.
fn comparison(term: &str) -> Option<(&str, Test)> {
    if let Some((key, value)) = term.split_once("!=") {
        return Some((key.trim(), Test::NotIn(vec![value.trim().to_owned()])));
    }
    let (key, value) = term.split_once("==").or_else(|| term.split_once('='))?;
    Some((key.trim(), Test::In(vec![value.trim().to_owned()])))
}

fn field(term: &str) -> Result<Term, Status> {
    let refused = || Status::bad_request(format!("field label not supported: {term}"));
    let (key, test) = comparison(term).ok_or_else(refused)?;
    let operand = match key {
        "metadata.name" => Operand::Metadata("name"),
        "metadata.namespace" => Operand::Metadata("namespace"),
        _ => return Err(refused()),
    };
    Ok(Term { operand, test })
}

fn label(term: &str) -> Result<Term, Status> {
    let refused = || Status::bad_request(format!("unable to parse requirement: {term}"));
    let (key, test) = if let Some((head, values)) = term.split_once('(') {
        let values = values.strip_suffix(')').ok_or_else(refused)?.split(',').map(|value| value.trim().to_owned());
        match head.split_whitespace().collect::<Vec<_>>()[..] {
            [key, "in"] => (key, Test::In(values.collect())),
            [key, "notin"] => (key, Test::NotIn(values.collect())),
            _ => return Err(refused()),
        }
    } else if let Some(found) = comparison(term) {
        found
    } else if let Some(key) = term.strip_prefix('!') {
        (key, Test::Missing)
    } else {
        (term, Test::Exists)
    };
    if key.is_empty() || key.contains(char::is_whitespace) {
        return Err(refused());
    }
    Ok(Term { operand: Operand::Label(key.to_owned()), test })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selectors_select_as_an_api_server_does() {
        let target = Target::parse("/api/v1/namespaces/here/configmaps").unwrap();
        let object =
            json!({ "metadata": { "namespace": "here", "name": "one", "labels": { "app": "a", "tier": "user" } } });
        let key = Key { plural: "configmaps", namespace: "here".into(), name: "one".into() };
        let table = [
            ("", "", true),
            ("metadata.name=one", "", true),
            ("metadata.name==one,metadata.namespace=here", "", true),
            ("metadata.name!=one", "", false),
            ("", "app=a,tier in (user, admin)", true),
            ("", "app=b", false),
            ("", "app!=b,other!=x", true),
            ("", "tier notin (user)", false),
            ("", "app,!other", true),
            ("", "other", false),
            ("", "!app", false),
        ];
        for (fields, labels, expected) in table {
            let selection = Selection::new(&target, Some(fields), Some(labels)).unwrap();
            assert_eq!(selection.has(&key, &object), expected, "{fields} {labels}");
        }
        assert!(Selection::new(&target, Some("data.x=1"), None).is_err());
        assert!(Selection::new(&target, None, Some("app in a")).is_err());
        let elsewhere = Key { namespace: "there".into(), ..key };
        assert!(!Selection::new(&target, None, None).unwrap().has(&elsewhere, &object));
    }
}
