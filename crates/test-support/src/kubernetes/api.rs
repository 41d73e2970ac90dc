//! Answering requests: authentication, faults, and each verb.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::kubernetes::fault::{Fault, Verb};
use crate::kubernetes::query::Query;
use crate::kubernetes::resource::{Key, Target};
use crate::kubernetes::selection::Selection;
use crate::kubernetes::state::ServerState;
use crate::kubernetes::status::Status;
use crate::kubernetes::{discovery, log, patch, watch};

/// The largest request body, in bytes.
const MAX_BODY_BYTES: usize = 3 * 1024 * 1024;

/// Answers a request. Never returns for [`Fault::Silent`].
pub(super) async fn answer(State(state): State<Arc<ServerState>>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let Some(target) = Target::parse(head.uri.path()) else {
        let missing = Status::new(404, "NotFound", "the server could not find the requested resource");
        return discovery::document(head.uri.path())
            .map_or_else(|| missing.into_response(), |it| Json(it).into_response());
    };
    let query = Query::parse(head.uri.query().unwrap_or_default());
    let Some(verb) = verb(&head.method, &target, &query) else {
        let message = "the server does not allow this method on the requested resource";
        return Status::new(405, "MethodNotAllowed", message).into_response();
    };
    state.faults.count(verb, target.resource.plural);
    if let Some(token) = &state.options.token {
        let shown = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        if shown != Some(token) {
            return Status::new(401, "Unauthorized", "Unauthorized").into_response();
        }
    }
    if let Some(refusal) = refuse(&state, verb, &target).await {
        return refusal;
    }
    let kind = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Ok(body) = to_bytes(body, MAX_BODY_BYTES).await else {
        return Status::new(413, "RequestEntityTooLarge", "the request is too large").into_response();
    };
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let answer = match verb {
        Verb::Get if target.log => log::read(&state, &named(&target)),
        Verb::Get => get(&state, &target),
        Verb::List => list(&state, &target, &query),
        Verb::Watch => watch::open(&state, &target, &query),
        Verb::Create => create(&state, &target, &query, body),
        Verb::Update => update(&state, &target, &query, body),
        Verb::Patch => change(&state, &target, &query, kind, &body),
        Verb::Delete => delete(&state, &target, &body),
    };
    answer.unwrap_or_else(IntoResponse::into_response)
}

fn verb(method: &Method, target: &Target, query: &Query) -> Option<Verb> {
    let named = target.name.is_some();
    Some(match *method {
        Method::GET if named => Verb::Get,
        _ if target.log => return None,
        Method::GET if query.is_on("watch") => Verb::Watch,
        Method::GET => Verb::List,
        Method::POST if !named && target.namespace.is_some() == target.resource.namespaced => Verb::Create,
        Method::PUT if named => Verb::Update,
        Method::PATCH if named => Verb::Patch,
        Method::DELETE if named => Verb::Delete,
        _ => return None,
    })
}

/// The answer of the fault that is on for this verb, if that fault replaces the answer.
async fn refuse(state: &ServerState, verb: Verb, target: &Target) -> Option<Response> {
    let (resource, name) = (target.resource.plural, target.name.as_deref().unwrap_or_default());
    let status = match state.faults.of(verb)? {
        Fault::Forbidden => {
            let (who, verb) = ("system:serviceaccount:double", verb.as_str());
            let message = format!(
                "{resource} {name:?} is forbidden: User {who:?} cannot {verb} resource {resource:?} in the namespace {:?}",
                target.namespace.as_deref().unwrap_or_default()
            );
            Status::new(403, "Forbidden", message)
        }
        Fault::Broken => Status::new(500, "InternalError", "Internal error occurred: the double is broken"),
        Fault::Busy => {
            let busy = Status::new(503, "ServiceUnavailable", "the server is currently unable to handle the request");
            return Some(([(RETRY_AFTER, "1")], busy).into_response());
        }
        Fault::Conflict => Status::new(
            409,
            "Conflict",
            format!("Operation cannot be fulfilled on {resource} {name:?}: the object has been modified"),
        ),
        Fault::Gone => Status::expired("The resourceVersion for the provided watch is too old."),
        Fault::Silent => std::future::pending().await,
        Fault::Ends | Fault::Breaks | Fault::Mute | Fault::Garbles => return None,
    };
    Some(status.into_response())
}

fn key(target: &Target, name: &str) -> Key {
    let namespace = target.namespace.clone().unwrap_or_default();
    Key { plural: target.resource.plural, namespace, name: name.to_owned() }
}

/// The key of the object that a path names.
fn named(target: &Target) -> Key {
    key(target, target.name.as_deref().unwrap_or_default())
}

fn get(state: &ServerState, target: &Target) -> Result<Response, Status> {
    Ok(Json(state.store().get(&named(target))?).into_response())
}

fn list(state: &ServerState, target: &Target, query: &Query) -> Result<Response, Status> {
    let limit = query.number("limit")?.filter(|limit| *limit > 0).map(|limit| usize::try_from(limit).unwrap());
    let page = match query.text("continue") {
        Some(token) => state.store().next_page(token, limit)?,
        None => {
            let selection = Selection::new(target, query.text("fieldSelector"), query.text("labelSelector"))?;
            state.store().list(&selection, limit)
        }
    };
    let mut metadata = json!({ "resourceVersion": page.revision.to_string() });
    if let Some((token, count)) = page.rest {
        metadata["continue"] = token.into();
        metadata["remainingItemCount"] = count.into();
    }
    let mut items = page.items;
    for item in items.iter_mut().filter_map(Value::as_object_mut) {
        // The items of a list have no kind and version of their own.
        item.remove("kind");
        item.remove("apiVersion");
    }
    let (kind, version) = (format!("{}List", target.resource.kind), target.resource.api_version);
    let list = json!({ "kind": kind, "apiVersion": version, "metadata": metadata, "items": items });
    Ok(Json(list).into_response())
}

fn create(state: &ServerState, target: &Target, query: &Query, object: Value) -> Result<Response, Status> {
    let object = of_kind(target, query, object)?;
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    if name.is_empty() {
        return Err(Status::new(422, "Invalid", "metadata.name: Required value: name or generateName is required"));
    }
    let created = state.change(|store| store.create(target.resource, key(target, &name), object))?;
    Ok((StatusCode::CREATED, Json(created)).into_response())
}

fn update(state: &ServerState, target: &Target, query: &Query, object: Value) -> Result<Response, Status> {
    let object = of_kind(target, query, object)?;
    let key = named(target);
    if object["metadata"]["name"] != *key.name {
        return Err(Status::bad_request("the name of the object does not match the name on the URL"));
    }
    let updated = state.change(|store| store.update(target.resource, key, object))?;
    Ok(Json(updated).into_response())
}

fn change(state: &ServerState, target: &Target, query: &Query, kind: &str, change: &Value) -> Result<Response, Status> {
    let key = named(target);
    let changed = state.change(|store| {
        let mut object = store.get(&key)?.clone();
        match kind {
            // Strategic merge differs in lists with a merge key only, which none of the table's resources is patched in.
            "application/merge-patch+json" | "application/strategic-merge-patch+json" => {
                patch::merge(&mut object, change);
            }
            _ => return Err(Status::new(415, "UnsupportedMediaType", format!("the double does not support {kind}"))),
        }
        store.update(target.resource, key.clone(), of_kind(target, query, object)?)
    })?;
    Ok(Json(changed).into_response())
}

fn delete(state: &ServerState, target: &Target, options: &Value) -> Result<Response, Status> {
    let key = named(target);
    state.change(|store| store.remove(&key, &options["preconditions"]))?;
    let details = json!({ "name": key.name, "kind": key.plural });
    let done = json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details });
    Ok(Json(done).into_response())
}

/// Checks that the kind of an object is that of the path, and in strict mode that it has known fields only.
fn of_kind(target: &Target, query: &Query, object: Value) -> Result<Value, Status> {
    if !object["metadata"].is_object() {
        return Err(Status::bad_request("the object provided is unrecognized"));
    }
    for (field, expected) in [("apiVersion", target.resource.api_version), ("kind", target.resource.kind)] {
        if object[field].as_str().is_some_and(|said| said != expected) {
            return Err(Status::bad_request(format!("{field} in the data does not match {expected:?}")));
        }
    }
    if query.text("fieldValidation") == Some("Strict") {
        let unknown = (target.resource.unknown)(&object);
        if !unknown.is_empty() {
            let unknown = unknown.iter().map(|path| format!("unknown field {path:?}")).collect::<Vec<_>>().join(", ");
            return Err(Status::bad_request(format!("strict decoding error: {unknown}")));
        }
    }
    Ok(object)
}
