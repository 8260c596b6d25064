//! What the turns of all sources begin with, and the time that their steps may take.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use weir_apis::{Object, key};
use weir_cluster::ApiError;
use weir_runtime::conclude::Who;
use weir_runtime::{Deps, Failure, Queue, finalizer};

use crate::keep::Keeper;
use crate::status::Failed;

/// As whom sources are concluded.
pub(crate) const WHO: Who = Who {
    manager: key::SOURCE_MANAGER,
    component: key::SOURCE_MANAGER,
    stall_is_observed: true,
};

/// The object, held by our finalizer; `None` when there is nothing more to do with it now.
pub(crate) async fn prepare(
    deps: &Deps,
    keeper: &Keeper,
    object: Arc<Object>,
    queue: &Queue,
) -> Option<Arc<Object>> {
    match hold(deps, keeper, object.clone(), queue).await {
        Ok(object) => object,
        Err(error) => {
            later(deps, &object, &error, queue);
            None
        }
    }
}

/// The object could not be written: it comes again.
pub(crate) fn later(deps: &Deps, object: &Object, error: &ApiError, queue: &Queue) {
    tracing::debug!(object = %object.reference(), %error, "cannot hold or release the object, trying again");
    let key = (object.namespace().to_owned(), object.name().to_owned());
    let settings = &deps.settings;
    queue.add_after_failure(key, settings.min_retry_delay, settings.max_retry_delay);
}

/// Whether nothing is to be done with the object.
pub(crate) fn is_suspended(object: &Object) -> bool {
    object.get(&["spec", "suspend"]).and_then(Value::as_bool) == Some(true)
}

async fn hold(
    deps: &Deps,
    keeper: &Keeper,
    object: Arc<Object>,
    queue: &Queue,
) -> Result<Option<Arc<Object>>, ApiError> {
    if object.is_being_deleted() {
        if finalizer::is_held(&object) {
            keeper.remove(&object).await;
            finalizer::release(&deps.client, &object, WHO.manager).await?;
        }
        return Ok(None);
    }
    if is_suspended(&object) {
        return Ok(None);
    }
    if finalizer::is_held(&object) {
        return Ok(Some(object));
    }
    let held = finalizer::hold(&deps.client, &object, WHO.manager).await?;
    queue.wrote(&held);
    Ok(Some(Arc::new(held)))
}

/// Ends work on a remote that takes longer than the spec allows.
pub(crate) async fn within<T>(
    timeout: Duration,
    reason: &'static str,
    what: &str,
    work: impl Future<Output = Result<T, Failed>>,
) -> Result<T, Failed> {
    if let Ok(result) = tokio::time::timeout(timeout, work).await {
        return result;
    }
    let message = format!(
        "could not {what} within spec.timeout ({} s)",
        timeout.as_secs_f32()
    );
    Err(Failed::fetch(Failure::retry(reason, message)))
}
