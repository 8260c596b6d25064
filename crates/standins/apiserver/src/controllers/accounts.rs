//! Service accounts.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::object;
use crate::store::Key;
use crate::write::{Cx, WriteOptions};

/// Gives a namespace its default service account.
pub(crate) fn ensure_default(cx: &mut Cx<'_>, namespace: &str) {
    let key = Key::new("", "serviceaccounts");
    if cx.state.store.get(&key, namespace, "default").is_some() {
        return;
    }
    let Some(served) = cx.state.registry.by_key(&key).map(Arc::clone) else {
        return;
    };
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": namespace}});
    cx.create(
        &served,
        namespace,
        account,
        &WriteOptions::internal("kube-controller-manager"),
        false,
    )
    .ok();
}

/// A default service account that is deleted comes back; tokens of an account that is gone are void.
pub(crate) fn after_delete(cx: &mut Cx<'_>, account: &Arc<Value>) {
    let namespace = object::namespace(account).to_owned();
    let name = object::name(account);
    let user = format!("system:serviceaccount:{namespace}:{name}");
    cx.state.tokens.retain(|_, known| known.name != user);
    let alive = cx
        .state
        .namespace(&namespace)
        .is_some_and(|namespace| !object::is_terminating(namespace));
    if name == "default" && alive {
        ensure_default(cx, &namespace);
    }
}
