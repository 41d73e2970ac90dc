//! The objects, their growing revision, and the log of changes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::kubernetes::quantity;
use crate::kubernetes::resource::{Key, Resource};
use crate::kubernetes::selection::Selection;
use crate::kubernetes::status::Status;

/// One change. The event that a watch gets depends on its selection.
#[derive(Debug)]
struct Change {
    revision: u64,
    key: Key,
    before: Option<Value>,
    after: Option<Value>,
}

/// The objects and their history.
#[derive(Debug)]
pub(super) struct Store {
    revision: u64,
    /// Changes up to this revision are forgotten.
    compacted: u64,
    objects: BTreeMap<Key, Value>,
    log: Vec<Change>,
    /// The remaining pages of lists, by token. All pages of a list show one revision.
    rests: BTreeMap<String, Rest>,
}

#[derive(Debug)]
struct Rest {
    revision: u64,
    items: Vec<Value>,
}

/// A list or a page of it.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) revision: u64,
    pub(super) items: Vec<Value>,
    /// The token of the next page, and the number of remaining objects.
    pub(super) rest: Option<(String, usize)>,
}

impl Default for Store {
    fn default() -> Self {
        // As in a cluster, the revision is never small.
        let revision = 1000;
        let (objects, rests) = (BTreeMap::new(), BTreeMap::new());
        Self { revision, compacted: revision, objects, log: Vec::new(), rests }
    }
}

impl Store {
    pub(super) const fn revision(&self) -> u64 {
        self.revision
    }

    pub(super) fn get(&self, key: &Key) -> Result<&Value, Status> {
        self.objects
            .get(key)
            .ok_or_else(|| Status::new(404, "NotFound", format!("{} {:?} not found", key.plural, key.name)))
    }

    pub(super) fn create(&mut self, resource: &Resource, key: Key, mut object: Value) -> Result<Value, Status> {
        if self.objects.contains_key(&key) {
            let message = format!("{} {:?} already exists", key.plural, key.name);
            return Err(Status::new(409, "AlreadyExists", message));
        }
        if object["metadata"]["resourceVersion"].as_str().is_some_and(|revision| !revision.is_empty()) {
            return Err(Status::bad_request("resourceVersion should not be set on objects to be created"));
        }
        object["metadata"]["uid"] = format!("00000000-0000-4000-8000-{:012x}", self.revision + 1).into();
        object["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z".into();
        self.write(resource, key, object)
    }

    /// Replaces an object, unless the replacement is meant for another revision.
    pub(super) fn update(&mut self, resource: &Resource, key: Key, mut object: Value) -> Result<Value, Status> {
        let current = self.get(&key)?;
        for field in ["resourceVersion", "uid"] {
            let meant = object["metadata"][field].as_str().unwrap_or_default();
            if !meant.is_empty() && meant != current["metadata"][field] {
                return Err(conflict(&key));
            }
        }
        for kept in ["resourceVersion", "uid", "creationTimestamp"] {
            object["metadata"][kept] = current["metadata"][kept].clone();
        }
        if object == *current {
            // A replacement that changes nothing keeps the revision.
            return Ok(object);
        }
        self.write(resource, key, object)
    }

    fn write(&mut self, resource: &Resource, key: Key, mut object: Value) -> Result<Value, Status> {
        object["apiVersion"] = resource.api_version.into();
        object["kind"] = resource.kind.into();
        if resource.namespaced {
            object["metadata"]["namespace"] = key.namespace.clone().into();
        }
        object["metadata"]["name"] = key.name.clone().into();
        (resource.check)(&object).map_err(Status::bad_request)?;
        quantity::normalize(&mut object);
        self.revision += 1;
        object["metadata"]["resourceVersion"] = self.revision.to_string().into();
        let before = self.objects.insert(key.clone(), object.clone());
        self.log.push(Change { revision: self.revision, key, before, after: Some(object.clone()) });
        Ok(object)
    }

    /// Removes an object if its metadata fulfil the preconditions.
    pub(super) fn remove(&mut self, key: &Key, preconditions: &Value) -> Result<(), Status> {
        let current = self.get(key)?;
        for field in ["resourceVersion", "uid"] {
            if preconditions[field].as_str().is_some_and(|meant| meant != current["metadata"][field]) {
                return Err(conflict(key));
            }
        }
        self.revision += 1;
        let before = self.objects.remove(key);
        self.log.push(Change { revision: self.revision, key: key.clone(), before, after: None });
        Ok(())
    }

    /// The first page of the selected objects, with at most `limit` objects.
    pub(super) fn list(&mut self, selection: &Selection, limit: Option<usize>) -> Page {
        let chosen = self.objects.iter().filter(|(key, object)| selection.has(key, object));
        let items = chosen.map(|(_, object)| object.clone()).collect();
        self.page(Rest { revision: self.revision, items }, limit)
    }

    /// The next page of a list.
    pub(super) fn next_page(&mut self, token: &str, limit: Option<usize>) -> Result<Page, Status> {
        let rest = self.rests.remove(token);
        let rest = rest.ok_or_else(|| Status::expired("The provided continue parameter is too old"))?;
        Ok(self.page(rest, limit))
    }

    fn page(&mut self, mut list: Rest, limit: Option<usize>) -> Page {
        let later = list.items.split_off(limit.unwrap_or(usize::MAX).min(list.items.len()));
        let rest = (!later.is_empty()).then(|| {
            let token = format!("{}-{}", list.revision, self.rests.len());
            let count = later.len();
            self.rests.insert(token.clone(), Rest { revision: list.revision, items: later });
            (token, count)
        });
        Page { revision: list.revision, items: list.items, rest }
    }

    /// The events of a watch of this selection after `revision`.
    pub(super) fn since(&self, revision: u64, selection: &Selection) -> Result<Vec<Value>, Status> {
        if revision < self.compacted {
            return Err(Status::expired(format!("too old resource version: {revision} ({})", self.compacted)));
        }
        let later = self.log.iter().filter(|change| change.revision > revision);
        Ok(later.filter_map(|change| change.event(selection)).collect())
    }

    /// Forgets all changes so far. Clients at an earlier revision must list again.
    pub(super) fn compact(&mut self) {
        self.compacted = self.revision;
        self.log.clear();
        self.rests.clear();
    }
}

impl Change {
    /// The event of this change. An object that leaves the selection is deleted for its watches, and one that enters it is added.
    fn event(&self, selection: &Selection) -> Option<Value> {
        let chosen = |object: &&Value| selection.has(&self.key, object);
        let (before, after) = (self.before.as_ref().filter(chosen), self.after.as_ref().filter(chosen));
        let (kind, mut object) = match (before, after) {
            (None, None) => return None,
            (None, Some(after)) => ("ADDED", after.clone()),
            (Some(_), Some(after)) => ("MODIFIED", after.clone()),
            (Some(before), None) => ("DELETED", before.clone()),
        };
        object["metadata"]["resourceVersion"] = self.revision.to_string().into();
        Some(json!({ "type": kind, "object": object }))
    }
}

fn conflict(key: &Key) -> Status {
    let message = format!(
        "Operation cannot be fulfilled on {} {:?}: the object has been modified; please apply your changes to the \
         latest version and try again",
        key.plural, key.name
    );
    Status::new(409, "Conflict", message)
}
