//! CustomResourceDefinitions: names accepted, served, and cleaned up after.

use std::sync::Arc;

use serde_json::{Value, json};

use super::change;
use crate::object;
use crate::store::Key;
use crate::write::{Cx, DeleteOptions};

/// Holds a definition back until its resources are gone; set when it is deleted.
pub(crate) const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";
const MANAGER: &str = "kube-apiserver";

/// After a definition was written.
pub(crate) fn after_write(cx: &mut Cx<'_>, definition: &Arc<Value>) {
    let key = Key::new("apiextensions.k8s.io", "customresourcedefinitions");
    let name = object::name(definition).to_owned();
    if object::is_terminating(definition) {
        clean_up(cx, &key, definition);
        return;
    }
    if object::at(definition, &["status", "acceptedNames"]) != object::at(definition, &["spec", "names"]) {
        let time = cx.time();
        change(cx, &key, "", &name, "status", MANAGER, |definition| {
            accept(definition, &time);
        });
    }
    crate::crd::refresh(cx.state);
}

fn accept(definition: &mut Value, time: &str) {
    let names = object::at(definition, &["spec", "names"])
        .cloned()
        .unwrap_or_default();
    object::set(definition, &["status", "acceptedNames"], names);
    if object::list(definition, &["status", "conditions"]).is_empty() {
        let condition = |kind: &str, reason: &str, message: &str| {
            json!({
                "type": kind, "status": "True", "lastTransitionTime": time, "reason": reason, "message": message,
            })
        };
        object::set(
            definition,
            &["status", "conditions"],
            json!([
                condition("NamesAccepted", "NoConflicts", "no conflicts found"),
                condition(
                    "Established",
                    "InitialNamesAccepted",
                    "the initial names have been accepted"
                ),
            ]),
        );
    }
}

/// Deletes the resources of a definition that goes away, then lets it go.
fn clean_up(cx: &mut Cx<'_>, key: &Key, definition: &Value) {
    let resources = Key::new(
        object::text(definition, &["spec", "group"]),
        object::text(definition, &["spec", "names", "plural"]),
    );
    if let Some(served) = cx.state.registry.by_key(&resources).map(Arc::clone) {
        let all: Vec<Arc<Value>> = cx.state.store.all(&resources).map(Arc::clone).collect();
        for one in all {
            cx.delete(&served, &one, &DeleteOptions::plain()).ok();
        }
    }
    if cx.state.store.all(&resources).next().is_none() {
        change(cx, key, "", object::name(definition), "", MANAGER, |definition| {
            let rest: Vec<&str> = object::finalizers(definition)
                .into_iter()
                .filter(|name| *name != CLEANUP)
                .collect();
            let rest = json!(rest);
            object::set(definition, &["metadata", "finalizers"], rest);
        });
    }
}

/// After a custom resource is gone, its definition may be waiting.
pub(crate) fn after_resource_gone(cx: &mut Cx<'_>, key: &Key) {
    let definitions = Key::new("apiextensions.k8s.io", "customresourcedefinitions");
    let name = format!("{}.{}", key.plural, key.group);
    let waiting = cx.state.store.get(&definitions, "", &name).map(Arc::clone);
    if let Some(definition) = waiting.filter(|definition| object::is_terminating(definition))
        && cx.state.store.all(key).next().is_none()
    {
        clean_up(cx, &definitions, &definition);
    }
}
