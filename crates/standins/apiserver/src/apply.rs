//! Server-side apply.

use serde_json::{Value, json};

use crate::object;
use crate::read;
use crate::registry::Served;
use crate::request::{ApiRequest, ResourcePath};
use crate::status::{Cause, Failure};
use crate::write::{Cx, Update, WriteOptions, Written};

/// Applies `config`, creating the object when it is not there.
pub(crate) fn apply(
    cx: &mut Cx<'_>,
    served: &Served,
    path: &ResourcePath,
    mut config: Value,
    request: &ApiRequest,
    options: &WriteOptions,
) -> Result<Written, Failure> {
    let manager = request.param("fieldManager");
    if manager.is_empty() {
        let cause = Cause {
            reason: "FieldValueRequired",
            message: "Required value: is required for apply patch".to_owned(),
            field: "fieldManager".to_owned(),
        };
        return Err(Failure::invalid("meta.k8s.io", "PatchOptions", "", &[cause]));
    }
    check_version(served, &config)?;
    let subject = format!(
        "{}/{}; {}",
        object::namespace(&config),
        object::name(&config),
        slashed(&served.api_version(), &served.resource.kind)
    );
    let sent = config.clone();
    check_names(path, &mut config)?;
    let live = read::get(cx.state, served, path).ok();
    if live.is_none() && !path.subresource.is_empty() {
        return Err(Failure::not_found(served.group(), served.plural(), &path.name));
    }
    if let Some(live) = &live {
        let uid = object::uid(&config);
        if !uid.is_empty() && uid != object::uid(live) {
            let why = format!(
                "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
                object::uid(live)
            );
            return Err(Failure::conflict(
                served.group(),
                served.plural(),
                &path.name,
                &why,
            ));
        }
        let version = object::resource_version(&config);
        if !version.is_empty() && version != object::resource_version(live) {
            return Err(Failure::modified(served.group(), served.plural(), &path.name));
        }
    } else if !object::uid(&config).is_empty() {
        let why = format!(
            "uid mismatch: the provided object specified uid {}, and no existing object was found",
            object::uid(&config)
        );
        return Err(Failure::conflict(
            served.group(),
            served.plural(),
            &path.name,
            &why,
        ));
    }
    let time = cx.time();
    let mut new = cx.with_tracker(served, &path.subresource, &time, |tracker| {
        tracker.apply(live.as_deref(), &config, manager, options.force, &subject)
    })?;
    if manager == "kubectl" {
        refresh_last_applied(&mut new, &sent);
    }
    object::set_default(&mut new, &["apiVersion"], json!(served.api_version()));
    object::set_default(&mut new, &["kind"], json!(served.resource.kind));
    crate::decode::default(served, &mut new);
    match live {
        None => cx.create(served, &path.namespace, new, options, true),
        Some(live) => {
            object::set(
                &mut new,
                &["metadata", "resourceVersion"],
                json!(object::resource_version(&live)),
            );
            let update = Update {
                served,
                subresource: &path.subresource,
                live,
                new,
                tracked: true,
                needs_version: false,
                is_patch: true,
            };
            cx.update(update, options)
        }
    }
}

/// Group, version and kind as Go prints them, with a slash even for the core group.
fn slashed(api_version: &str, kind: &str) -> String {
    let slash = if api_version.contains('/') { "" } else { "/" };
    format!("{slash}{api_version}, Kind={kind}")
}

fn check_version(served: &Served, config: &Value) -> Result<(), Failure> {
    let api_version = object::text(config, &["apiVersion"]);
    let kind = object::text(config, &["kind"]);
    if api_version.is_empty() || kind.is_empty() {
        return Err(Failure::bad_request(format!(
            "invalid object type: {}",
            slashed(api_version, kind)
        )));
    }
    if api_version != served.api_version() {
        return Err(Failure::bad_request(format!(
            "Incorrect version specified in apply patch. Specified patch version: {api_version}, expected: {}",
            served.api_version()
        )));
    }
    Ok(())
}

/// kubectl's record of what was applied follows along when an object comes from client-side apply.
fn refresh_last_applied(object: &mut Value, config: &Value) {
    const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
    if object::at(object, &["metadata", "annotations", LAST_APPLIED]).is_none() {
        return;
    }
    let mut applied = config.clone();
    object::remove(&mut applied, &["metadata", "annotations", LAST_APPLIED]);
    object::set(
        object,
        &["metadata", "annotations", LAST_APPLIED],
        json!(format!("{applied}\n")),
    );
}

/// Names come from the path when the body leaves them out.
fn check_names(path: &ResourcePath, config: &mut Value) -> Result<(), Failure> {
    let name = object::name(config).to_owned();
    if name.is_empty() {
        object::metadata_mut(config).insert("name".into(), json!(path.name));
    } else if name != path.name {
        return Err(Failure::bad_request(format!(
            "the name of the object ({name}) does not match the name on the URL ({})",
            path.name
        )));
    }
    let namespace = object::namespace(config).to_owned();
    if !path.namespace.is_empty() {
        if namespace.is_empty() {
            object::metadata_mut(config).insert("namespace".into(), json!(path.namespace));
        } else if namespace != path.namespace {
            return Err(Failure::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
    }
    Ok(())
}
