//! What the control plane does by itself: the work of controllers, done right after the write that calls for it.
//!
//! A real cluster does all this a moment later; doing it at once keeps runs reproducible. Only workloads take their
//! time, on tokio's clock.

mod accounts;
pub(crate) mod definitions;
mod garbage;
mod namespaces;
mod roles;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::object;
use crate::registry::Served;
use crate::server::Inner;
use crate::store::Key;
use crate::workloads;
use crate::write::{Cx, Update, WriteOptions};

/// Work to do later.
#[derive(Debug, Clone)]
pub(crate) enum Job {
    /// A workload has had its time to become ready.
    Ready {
        key: Key,
        namespace: String,
        name: String,
    },
}

/// After an object was written.
pub(crate) fn after_write(cx: &mut Cx<'_>, served: &Served, object: &Arc<Value>) {
    let user = cx.user.take();
    work_after_write(cx, served, object);
    cx.user = user;
}

fn work_after_write(cx: &mut Cx<'_>, served: &Served, object: &Arc<Value>) {
    match (served.key.group.as_str(), served.key.plural.as_str()) {
        ("apiextensions.k8s.io", "customresourcedefinitions") => definitions::after_write(cx, object),
        ("", "namespaces") => namespaces::after_write(cx, object),
        ("rbac.authorization.k8s.io", "clusterroles") => roles::aggregate(cx),
        _ => {}
    }
    workloads::after_write(cx, served, object);
    if object::is_terminating(object) {
        garbage::after_marked(cx, served, object);
    }
    garbage::after_write(cx, served, object);
}

/// After an object is gone.
pub(crate) fn after_delete(cx: &mut Cx<'_>, served: &Served, object: &Arc<Value>) {
    let user = cx.user.take();
    work_after_delete(cx, served, object);
    cx.user = user;
}

fn work_after_delete(cx: &mut Cx<'_>, served: &Served, object: &Arc<Value>) {
    match (served.key.group.as_str(), served.key.plural.as_str()) {
        ("apiextensions.k8s.io", "customresourcedefinitions") => crate::crd::refresh(cx.state),
        ("", "serviceaccounts") => accounts::after_delete(cx, object),
        ("rbac.authorization.k8s.io", "clusterroles") => roles::aggregate(cx),
        _ => {}
    }
    garbage::after_delete(cx, object);
    let namespace = object::namespace(object);
    if !namespace.is_empty()
        && let Some(home) = cx.state.namespace(namespace).map(Arc::clone)
        && object::is_terminating(&home)
    {
        namespaces::finish(cx, &home);
    }
}

/// Starts jobs on tokio's clock. Outside of a runtime nothing waits, and the jobs are lost.
pub(crate) fn start(inner: &Arc<Inner>, jobs: Vec<(Duration, Job)>) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        return;
    };
    for (delay, job) in jobs {
        // The server may be gone before the time is up.
        let server = Arc::downgrade(inner);
        runtime.spawn(async move {
            tokio::time::sleep(delay).await;
            if let Some(inner) = server.upgrade() {
                inner.with_cx(|cx| run(cx, &job));
            }
        });
    }
}

fn run(cx: &mut Cx<'_>, job: &Job) {
    match job {
        Job::Ready { key, namespace, name } => workloads::make_ready(cx, key, namespace, name),
    }
}

/// Changes an object as a controller of the server. A refusal means that the object has changed its mind since.
pub(crate) fn change(
    cx: &mut Cx<'_>,
    key: &Key,
    namespace: &str,
    name: &str,
    subresource: &str,
    manager: &str,
    change: impl FnOnce(&mut Value),
) {
    let Some(served) = cx.state.registry.by_key(key).map(Arc::clone) else {
        return;
    };
    let Some(live) = cx
        .state
        .store
        .get(key, namespace, name)
        .map(|live| served.present(live))
    else {
        return;
    };
    let mut new = live.as_ref().clone();
    change(&mut new);
    let update = Update {
        served: &served,
        subresource,
        live,
        new,
        tracked: false,
        needs_version: false,
        is_patch: true,
    };
    cx.update(update, &WriteOptions::internal(manager)).ok();
}
