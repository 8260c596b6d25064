//! Holding an object until what it made is gone.

use std::sync::Arc;

use serde_json::{Value, json};
use weir_apis::{Object, key};
use weir_cluster::{ApiError, Client};

use crate::{Deps, Queue};

/// Whether weir's work holds the object. The name is Flux's, so both can take over from each other.
pub fn is_held(object: &Object) -> bool {
    object.finalizers().any(|f| f == key::FINALIZER)
}

/// Adds the finalizer. Fails with a conflict if the object changed in between, so that nobody's finalizer is lost.
pub async fn hold(client: &Client, object: &Object, manager: &str) -> Result<Object, ApiError> {
    let mut list: Vec<&str> = object.finalizers().collect();
    list.push(key::FINALIZER);
    write(client, object, &list, manager).await
}

/// The object, held by our finalizer; `None` when there is nothing to do with it: it is suspended, or is being deleted and
/// somebody else's finalizer holds it.
pub async fn take_up(
    client: &Client,
    object: Arc<Object>,
    queue: &Queue,
    manager: &str,
) -> Result<Option<Arc<Object>>, ApiError> {
    if is_suspended(&object) && !object.is_being_deleted() {
        return Ok(None);
    }
    if object.is_being_deleted() || is_held(&object) {
        return Ok(is_held(&object).then_some(object));
    }
    let held = hold(client, &object, manager).await?;
    queue.wrote(&held);
    Ok(Some(Arc::new(held)))
}

/// Whether nothing is to be done with the object until somebody resumes it.
pub fn is_suspended(object: &Object) -> bool {
    object.get(&["spec", "suspend"]).and_then(Value::as_bool) == Some(true)
}

/// The object could not be held or released: it comes again. A conflict means that a newer one is on its way through the
/// watch.
pub fn try_again(deps: &Deps, object: &Object, error: &ApiError, queue: &Queue) {
    tracing::debug!(object = %object.reference(), %error, "cannot hold or release the object, trying again");
    let key = (object.namespace().to_owned(), object.name().to_owned());
    let settings = &deps.settings;
    queue.add_after_failure(key, settings.min_retry_delay, settings.max_retry_delay);
}

/// Takes the finalizer away from an object that leaves nothing behind, and comes again where that fails.
pub async fn let_go(deps: &Deps, object: &Object, manager: &str, queue: &Queue) {
    if let Err(error) = release(&deps.client, object, manager).await {
        try_again(deps, object, &error, queue);
    }
}

/// Takes the finalizer away.
pub async fn release(client: &Client, object: &Object, manager: &str) -> Result<(), ApiError> {
    let list: Vec<&str> = object.finalizers().filter(|f| *f != key::FINALIZER).collect();
    match write(client, object, &list, manager).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}

async fn write(client: &Client, object: &Object, list: &[&str], manager: &str) -> Result<Object, ApiError> {
    let patch = json!({"metadata": {"finalizers": list, "resourceVersion": object.resource_version()}});
    client.merge(&object.reference(), &patch, manager).await
}
