//! Garbage collection: dependents go with their owners.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{change, definitions};
use crate::object;
use crate::registry::Served;
use crate::store::Key;
use crate::write::{Cx, DeleteOptions, Propagation};

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";
const MANAGER: &str = "kube-controller-manager";

fn references(dependent: &Value, owner_uid: &str) -> bool {
    object::list(dependent, &["metadata", "ownerReferences"])
        .iter()
        .any(|owner| object::text(owner, &["uid"]) == owner_uid)
}

fn dependents(cx: &Cx<'_>, uid: &str) -> Vec<(Key, Arc<Value>)> {
    cx.state
        .store
        .everything()
        .filter(|(_, _, value)| references(value, uid))
        .map(|(key, _, value)| (key.clone(), Arc::clone(value)))
        .collect()
}

/// After an object was written: one whose owners are all gone goes, too.
pub(crate) fn after_write(cx: &mut Cx<'_>, served: &Served, value: &Arc<Value>) {
    let owners = object::list(value, &["metadata", "ownerReferences"]);
    if owners.is_empty() || object::is_terminating(value) {
        return;
    }
    if owners
        .iter()
        .all(|owner| !owner_exists(cx, owner, object::namespace(value)))
    {
        delete(cx, &served.key, value, None);
    }
}

/// Whether an owner reference leads to a live object. One of a kind that is not served is taken to be there.
fn owner_exists(cx: &Cx<'_>, owner: &Value, namespace: &str) -> bool {
    let kind = cx.state.registry.by_kind(
        object::text(owner, &["apiVersion"]),
        object::text(owner, &["kind"]),
    );
    let Some(served) = kind else { return true };
    let home = if served.resource.namespaced { namespace } else { "" };
    cx.state
        .store
        .get(&served.key, home, object::text(owner, &["name"]))
        .is_some_and(|found| object::uid(found) == object::text(owner, &["uid"]))
}

/// After an object was marked for deletion: its policy may be about its dependents.
pub(crate) fn after_marked(cx: &mut Cx<'_>, served: &Served, value: &Arc<Value>) {
    let finalizers = object::finalizers(value);
    let uid = object::uid(value).to_owned();
    if finalizers.contains(&ORPHAN) {
        for (key, dependent) in dependents(cx, &uid) {
            drop_reference(cx, &key, &dependent, &uid);
        }
        remove_finalizer(cx, &served.key, value, ORPHAN);
    } else if finalizers.contains(&FOREGROUND) {
        for (key, dependent) in dependents(cx, &uid) {
            if !object::is_terminating(&dependent) && !has_other_owner(cx, &dependent, &uid) {
                delete(cx, &key, &dependent, Some(Propagation::Foreground));
            }
        }
        release(cx, &served.key, value);
    }
}

/// Lets an owner go that waits for its dependents, once no blocking one is left.
fn release(cx: &mut Cx<'_>, key: &Key, owner: &Value) {
    let uid = object::uid(owner);
    let blocked = dependents(cx, uid).iter().any(|(_, dependent)| {
        object::list(dependent, &["metadata", "ownerReferences"])
            .iter()
            .any(|reference| {
                object::text(reference, &["uid"]) == uid
                    && reference.get("blockOwnerDeletion") == Some(&Value::Bool(true))
            })
    });
    if !blocked {
        remove_finalizer(cx, key, owner, FOREGROUND);
    }
}

/// After an object is gone: so are those that depended on it alone.
pub(crate) fn after_delete(cx: &mut Cx<'_>, value: &Arc<Value>) {
    let uid = object::uid(value).to_owned();
    for (key, dependent) in dependents(cx, &uid) {
        // An earlier one may have taken it along.
        let Some(dependent) = cx
            .state
            .store
            .get(&key, object::namespace(&dependent), object::name(&dependent))
            .map(Arc::clone)
        else {
            continue;
        };
        if has_other_owner(cx, &dependent, &uid) {
            drop_reference(cx, &key, &dependent, &uid);
        } else if !object::is_terminating(&dependent) {
            delete(cx, &key, &dependent, None);
        }
    }
    // Owners that wait for this one.
    for owner in object::list(value, &["metadata", "ownerReferences"]) {
        let kind = cx.state.registry.by_kind(
            object::text(owner, &["apiVersion"]),
            object::text(owner, &["kind"]),
        );
        let Some(served) = kind.map(Arc::clone) else {
            continue;
        };
        let home = if served.resource.namespaced {
            object::namespace(value)
        } else {
            ""
        };
        let found = cx
            .state
            .store
            .get(&served.key, home, object::text(owner, &["name"]))
            .map(Arc::clone);
        if let Some(found) = found.filter(|found| object::finalizers(found).contains(&FOREGROUND)) {
            release(cx, &served.key, &found);
        }
    }
    let kind = cx.state.registry.by_kind(
        object::text(value, &["apiVersion"]),
        object::text(value, &["kind"]),
    );
    if let Some(key) = kind
        .filter(|served| served.custom.is_some())
        .map(|served| served.key.clone())
    {
        definitions::after_resource_gone(cx, &key);
    }
}

fn has_other_owner(cx: &Cx<'_>, dependent: &Value, gone: &str) -> bool {
    object::list(dependent, &["metadata", "ownerReferences"])
        .iter()
        .filter(|owner| object::text(owner, &["uid"]) != gone)
        .any(|owner| owner_exists(cx, owner, object::namespace(dependent)))
}

fn delete(cx: &mut Cx<'_>, key: &Key, value: &Arc<Value>, propagation: Option<Propagation>) {
    if let Some(served) = cx.state.registry.by_key(key).map(Arc::clone) {
        let options = DeleteOptions {
            propagation,
            ..DeleteOptions::plain()
        };
        cx.delete(&served, value, &options).ok();
    }
}

fn drop_reference(cx: &mut Cx<'_>, key: &Key, dependent: &Value, uid: &str) {
    change(
        cx,
        key,
        object::namespace(dependent),
        object::name(dependent),
        "",
        MANAGER,
        |dependent| {
            let rest: Vec<Value> = object::list(dependent, &["metadata", "ownerReferences"])
                .iter()
                .filter(|owner| object::text(owner, &["uid"]) != uid)
                .cloned()
                .collect();
            object::set(dependent, &["metadata", "ownerReferences"], json!(rest));
        },
    );
}

fn remove_finalizer(cx: &mut Cx<'_>, key: &Key, value: &Value, finalizer: &str) {
    change(
        cx,
        key,
        object::namespace(value),
        object::name(value),
        "",
        MANAGER,
        |value| {
            let rest: Vec<&str> = object::finalizers(value)
                .into_iter()
                .filter(|name| *name != finalizer)
                .collect();
            let rest = json!(rest);
            object::set(value, &["metadata", "finalizers"], rest);
        },
    );
}
