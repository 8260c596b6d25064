//! Requests below an object: its status, its scale, and what has a form of its own.

mod scale;

use std::sync::Arc;

use serde_json::json;

use crate::decode::read_body;
use crate::dispatch;
use crate::read;
use crate::registry::Served;
use crate::reply::Reply;
use crate::request::{ApiRequest, ResourcePath};
use crate::status::Failure;
use crate::table::Format;
use crate::write::{Cx, DeleteOptions};

/// Answers a request to a subresource.
pub(crate) fn answer(
    cx: &mut Cx<'_>,
    served: &Served,
    path: &ResourcePath,
    verb: &str,
    request: &ApiRequest,
) -> Result<Reply, Failure> {
    let Some(sub) = served.resource.subresource(&path.subresource) else {
        return Err(match served.custom {
            Some(_) => Failure::not_found(served.group(), served.plural(), &path.name),
            None => Failure::no_such_resource(),
        });
    };
    if !sub.verbs.iter().any(|known| known == verb) {
        return Err(Failure::method_not_allowed());
    }
    let format = Format::of(request, cx.now);
    match (path.subresource.as_str(), verb) {
        ("status" | "ephemeralcontainers" | "resize" | "approval", "get") => {
            Ok(Reply::ok(format.show(served, read::get(cx.state, served, path)?)))
        }
        ("status" | "ephemeralcontainers" | "resize" | "approval" | "finalize", "update") => {
            let written = dispatch::replace(cx, served, path, request)?;
            Ok(dispatch::written_reply(served, written, format))
        }
        ("status" | "ephemeralcontainers" | "resize" | "approval", "patch") => {
            let written = dispatch::patch_object(cx, served, path, request)?;
            Ok(dispatch::written_reply(served, written, format))
        }
        ("scale", _) => scale::answer(cx, served, path, verb, request),
        ("token", "create") => {
            let account = read::get(cx.state, served, path)?;
            let body = read_body(request.content_type(), &request.body)?;
            Ok(Reply::Json {
                code: 201,
                value: Arc::new(crate::tokens::issue(cx, &account, &body)),
                content_type: "application/json",
            })
        }
        ("eviction", "create") => {
            let pod = read::get(cx.state, served, path)?;
            let body = read_body(request.content_type(), &request.body)?;
            let options = DeleteOptions::read(request, &body["deleteOptions"])?;
            cx.delete(served, &pod, &options)?;
            Ok(Reply::json(
                201,
                json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}),
            ))
        }
        ("log", "get") => {
            read::get(cx.state, served, path)?;
            // No node runs the pod: it has written nothing.
            Ok(Reply::Text {
                code: 200,
                text: String::new(),
            })
        }
        _ => Err(Failure::new(
            501,
            "NotImplemented",
            format!(
                "the stand-in server does not implement {}/{}",
                served.plural(),
                path.subresource
            ),
        )),
    }
}
