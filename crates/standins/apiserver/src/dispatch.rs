//! From a request to its answer.

use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};

use crate::decode::read_body;
use crate::object;
use crate::options::Options;
use crate::patch;
use crate::read;
use crate::registry::Served;
use crate::reply::Reply;
use crate::request::{ApiRequest, ResourcePath};
use crate::status::{Failure, deleted};
use crate::strategy;
use crate::watch::Watch;
use crate::write::{Cx, DeleteOptions, Update, WriteOptions, Written};

/// Answers a request.
pub(crate) fn answer(cx: &mut Cx<'_>, options: &Options, request: &ApiRequest) -> Result<Reply, Failure> {
    if request.method == Method::GET
        && let Some(reply) = crate::paths::answer(cx.state, request)
    {
        return Ok(reply);
    }
    let Some(path) = request.resource() else {
        return Ok(Reply::no_page());
    };
    let Some(served) = cx
        .state
        .registry
        .find(&path.group, &path.version, &path.resource)
        .map(Arc::clone)
    else {
        if cx.state.registry.is_builtin_version(&path.group, &path.version) {
            return Err(Failure::no_such_resource());
        }
        return Ok(Reply::no_page());
    };
    let verb = request.verb(&path);
    let on_object = !path.name.is_empty();
    if path.subresource.is_empty()
        && matches!((verb, on_object), ("create", true) | ("update" | "patch", false))
    {
        return Err(Failure::method_not_allowed());
    }
    if !path.subresource.is_empty() {
        return crate::subresources::answer(cx, &served, &path, verb, request);
    }
    if !served.resource.namespaced && !path.namespace.is_empty() {
        return match served.custom {
            Some(_) => Ok(Reply::no_page()),
            None => Err(Failure::no_such_resource()),
        };
    }
    if served.resource.namespaced && path.namespace.is_empty() && !matches!(verb, "list" | "watch") {
        return Err(Failure::method_not_allowed());
    }
    if !served.resource.has_verb(verb) {
        return Err(Failure::method_not_allowed());
    }
    let format = crate::table::Format::of(request, cx.now);
    match verb {
        "get" => Ok(Reply::ok(
            format.show(&served, read::get(cx.state, &served, &path)?),
        )),
        "list" => {
            let list = read::list(cx.state, &served, &path, request)?;
            Ok(Reply::ok(format.show(&served, Arc::new(list))))
        }
        "watch" => {
            let watch = Watch::start(cx.state, &served, &path, request, format, options.bookmark_every)?;
            Ok(Reply::Watch(Box::new(watch)))
        }
        "create" => {
            let written = create(cx, &served, &path, request)?;
            Ok(written_reply(&served, written, format))
        }
        "update" => {
            let written = replace(cx, &served, &path, request)?;
            Ok(written_reply(&served, written, format))
        }
        "patch" => {
            let written = patch_object(cx, &served, &path, request)?;
            Ok(written_reply(&served, written, format))
        }
        "delete" => delete(cx, &served, &path, request),
        "deletecollection" => delete_collection(cx, &served, &path, request),
        _ => Err(Failure::method_not_allowed()),
    }
}

/// The answer to a write.
pub(crate) fn written_reply(served: &Served, written: Written, format: crate::table::Format) -> Reply {
    let (code, value) = match written {
        Written::Created(value) => (201, value),
        Written::Updated(value) | Written::Deleted(value) | Written::Deleting(value) => (200, value),
    };
    Reply::Json {
        code,
        value: format.show(served, served.present(&value)),
        content_type: "application/json",
    }
}

fn create(
    cx: &mut Cx<'_>,
    served: &Served,
    path: &ResourcePath,
    request: &ApiRequest,
) -> Result<Written, Failure> {
    let options = WriteOptions::read(request, "CreateOptions")?;
    let body = read_body(request.content_type(), &request.body)?;
    if let Some(answer) = crate::reviews::create(cx, served, path, &body, request)? {
        return Ok(Written::Created(Arc::new(answer)));
    }
    let object = cx.decode(served, body, options.validation)?;
    cx.create(served, &path.namespace, object, &options, false)
}

/// Replaces an object, or its part below a subresource.
pub(crate) fn replace(
    cx: &mut Cx<'_>,
    served: &Served,
    path: &ResourcePath,
    request: &ApiRequest,
) -> Result<Written, Failure> {
    let options = WriteOptions::read(request, "UpdateOptions")?;
    let body = read_body(request.content_type(), &request.body)?;
    let object = cx.decode(served, body, options.validation)?;
    check_name(path, &object)?;
    match read::get(cx.state, served, path) {
        Ok(live) => {
            let update = Update {
                served,
                subresource: &path.subresource,
                live,
                new: object,
                tracked: false,
                needs_version: strategy::needs_version(served),
                is_patch: false,
            };
            cx.update(update, &options)
        }
        Err(_) if strategy::creates_on_update(served) && path.subresource.is_empty() => {
            cx.create(served, &path.namespace, object, &options, false)
        }
        Err(missing) => Err(missing),
    }
}

/// Name and namespace of a body must be those of the path.
pub(crate) fn check_name(path: &ResourcePath, object: &Value) -> Result<(), Failure> {
    let name = object::name(object);
    if name.is_empty() {
        return Err(Failure::bad_request("name must be provided".to_owned()));
    }
    if name != path.name {
        return Err(Failure::bad_request(format!(
            "the name of the object ({name}) does not match the name on the URL ({})",
            path.name
        )));
    }
    let namespace = object::namespace(object);
    if !namespace.is_empty() && namespace != path.namespace {
        return Err(Failure::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    Ok(())
}

/// Carries out a patch of any kind.
pub(crate) fn patch_object(
    cx: &mut Cx<'_>,
    served: &Served,
    path: &ResourcePath,
    request: &ApiRequest,
) -> Result<Written, Failure> {
    let options = WriteOptions::read(request, "PatchOptions")?;
    let kind = patch::Kind::of(served, request.content_type())?;
    let body = read_body(request.content_type(), &request.body)?;
    if kind == patch::Kind::Apply {
        return crate::apply::apply(cx, served, path, body, request, &options);
    }
    if request.flag("force") {
        return Err(Failure::invalid(
            "meta.k8s.io",
            "PatchOptions",
            "",
            &[crate::status::Cause {
                reason: "FieldValueForbidden",
                message: "Forbidden: may not be specified for non-apply patch".to_owned(),
                field: "force".to_owned(),
            }],
        ));
    }
    let live = read::get(cx.state, served, path)?;
    let patched = patch::apply(kind, served, &live, &body)?;
    let new = cx
        .decode(served, patched.clone(), options.validation)
        .map_err(|failure| not_patchable(&patched, &failure))?;
    if object::name(&new) != path.name {
        return Err(Failure::bad_request(format!(
            "the name of the object ({}) does not match the name on the URL ({})",
            object::name(&new),
            path.name
        )));
    }
    let update = Update {
        served,
        subresource: &path.subresource,
        live,
        new,
        tracked: false,
        needs_version: false,
        is_patch: true,
    };
    cx.update(update, &options)
}

/// A patched object that cannot be read is the patch's fault.
fn not_patchable(patched: &Value, failure: &Failure) -> Failure {
    let shown = Value::String(patched.to_string());
    let why = failure
        .message
        .split_once(": ")
        .map_or(failure.message.as_str(), |(_, why)| why);
    Failure::invalid("", "", "", &[crate::validation::invalid("patch", &shown, why)])
}

fn delete(
    cx: &mut Cx<'_>,
    served: &Served,
    path: &ResourcePath,
    request: &ApiRequest,
) -> Result<Reply, Failure> {
    let options = delete_options(request)?;
    let live = read::get(cx.state, served, path)?;
    let uid = object::uid(&live).to_owned();
    Ok(match cx.delete(served, &live, &options)? {
        Written::Deleted(last) if strategy::returns_deleted_object(served) => {
            Reply::ok(served.present(&last))
        }
        Written::Deleted(_) => Reply::json(200, deleted(served.group(), served.plural(), &path.name, &uid)),
        Written::Created(value) | Written::Updated(value) | Written::Deleting(value) => {
            Reply::ok(served.present(&value))
        }
    })
}

fn delete_options(request: &ApiRequest) -> Result<DeleteOptions, Failure> {
    let body = if request.body.is_empty() {
        json!({})
    } else {
        read_body(request.content_type(), &request.body)?
    };
    DeleteOptions::read(request, &body)
}

fn delete_collection(
    cx: &mut Cx<'_>,
    served: &Served,
    path: &ResourcePath,
    request: &ApiRequest,
) -> Result<Reply, Failure> {
    let options = delete_options(request)?;
    let filter = read::Filter::read(served, path, request)?;
    let selected: Vec<Arc<Value>> = cx
        .state
        .store
        .all(&served.key)
        .map(|value| served.present(value))
        .filter(|value| filter.matches(value))
        .collect();
    let list = read::list(cx.state, served, path, request)?;
    for live in &selected {
        // The garbage collector may have taken it along with another.
        if cx
            .state
            .store
            .get(&served.key, object::namespace(live), object::name(live))
            .is_some()
        {
            cx.delete(served, live, &options)?;
        }
    }
    Ok(Reply::json(200, list))
}
