//! What the turns of all sources begin with, and the time that their steps may take.

use std::sync::Arc;
use std::time::Duration;

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
            finalizer::try_again(deps, &object, &error, queue);
            None
        }
    }
}

async fn hold(
    deps: &Deps,
    keeper: &Keeper,
    object: Arc<Object>,
    queue: &Queue,
) -> Result<Option<Arc<Object>>, ApiError> {
    match finalizer::take_up(&deps.client, object, queue, WHO.manager).await? {
        Some(object) if object.is_being_deleted() => {
            keeper.remove(&object).await;
            finalizer::release(&deps.client, &object, WHO.manager).await?;
            Ok(None)
        }
        taken => Ok(taken),
    }
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
