//! Namespaces: what each gets, and how each goes.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{accounts, change};
use crate::object;
use crate::store::Key;
use crate::write::{Cx, DeleteOptions, WriteOptions};

/// What stands for the certificate of a cluster that has none.
const ROOT_CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n";

/// After a namespace was written.
pub(crate) fn after_write(cx: &mut Cx<'_>, namespace: &Arc<Value>) {
    if object::is_terminating(namespace) {
        empty(cx, namespace);
        return;
    }
    let name = object::name(namespace).to_owned();
    accounts::ensure_default(cx, &name);
    let maps = Key::new("", "configmaps");
    if cx.state.store.get(&maps, &name, "kube-root-ca.crt").is_none()
        && let Some(served) = cx.state.registry.by_key(&maps).map(Arc::clone)
    {
        let map = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": "kube-root-ca.crt",
                "namespace": name,
                "annotations": {
                    "kubernetes.io/description": "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.",
                },
            },
            "data": {"ca.crt": ROOT_CERTIFICATE},
        });
        cx.create(
            &served,
            &name,
            map,
            &WriteOptions::internal("kube-controller-manager"),
            false,
        )
        .ok();
    }
}

/// Deletes what is in a namespace that goes away.
fn empty(cx: &mut Cx<'_>, namespace: &Arc<Value>) {
    let name = object::name(namespace).to_owned();
    let inside: Vec<(Key, Arc<Value>)> = cx
        .state
        .store
        .everything()
        .filter(|(_, place, value)| place.0 == name && !object::is_terminating(value))
        .map(|(key, _, value)| (key.clone(), Arc::clone(value)))
        .collect();
    for (key, value) in inside {
        let still_there = cx
            .state
            .store
            .get(&key, &name, object::name(&value))
            .map(Arc::clone);
        if let (Some(served), Some(value)) = (cx.state.registry.by_key(&key).map(Arc::clone), still_there) {
            cx.delete(&served, &value, &DeleteOptions::plain()).ok();
        }
    }
    finish(cx, namespace);
}

/// Lets a namespace go once nothing is in it.
pub(crate) fn finish(cx: &mut Cx<'_>, namespace: &Arc<Value>) {
    let name = object::name(namespace).to_owned();
    if cx.state.store.everything().any(|(_, place, _)| place.0 == name) {
        report_remaining(cx, &name);
        return;
    }
    let key = Key::new("", "namespaces");
    change(
        cx,
        &key,
        "",
        &name,
        "finalize",
        "kube-controller-manager",
        |namespace| {
            object::set(namespace, &["spec", "finalizers"], json!([]));
        },
    );
}

/// Says in the status what holds a namespace back.
fn report_remaining(cx: &mut Cx<'_>, name: &str) {
    let mut held: Vec<(String, usize)> = Vec::new();
    for (_, _, value) in cx
        .state
        .store
        .everything()
        .filter(|(_, place, _)| place.0 == name)
    {
        for finalizer in object::finalizers(value) {
            match held.iter_mut().find(|(known, _)| known == finalizer) {
                Some((_, count)) => *count += 1,
                None => held.push((finalizer.to_owned(), 1)),
            }
        }
    }
    if held.is_empty() {
        return;
    }
    let time = cx.time();
    let list: Vec<String> = held
        .iter()
        .map(|(name, count)| format!("{name} in {count} resource instances"))
        .collect();
    let condition = json!({
        "type": "NamespaceFinalizersRemaining",
        "status": "True",
        "lastTransitionTime": time,
        "reason": "SomeFinalizersRemain",
        "message": format!("Some content in the namespace has finalizers remaining: {}", list.join(", ")),
    });
    let key = Key::new("", "namespaces");
    change(
        cx,
        &key,
        "",
        name,
        "status",
        "kube-controller-manager",
        |namespace| {
            if object::list(namespace, &["status", "conditions"])
                .first()
                .map(|known| &known["message"])
                != Some(&condition["message"])
            {
                object::set(namespace, &["status", "conditions"], json!([condition]));
            }
        },
    );
}
