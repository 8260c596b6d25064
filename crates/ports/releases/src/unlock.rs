//! Ends an action whose process died.

use weir_helm::{Release, action};

use crate::context::Context;
use crate::error::ActionError;
use crate::install::storage;

/// Marks the last revision as failed if an action on it was broken off, and gives it then.
///
/// Nothing tells an action that was broken off from one that is under way elsewhere: the caller must know that there is
/// none.
pub async fn unlock(ctx: &Context<'_>) -> Result<Option<Release>, ActionError> {
    let failed = |error| ctx.unrecorded(storage(error));
    let Some(mut release) = ctx.storage.last(ctx.name).await.map_err(failed)? else {
        return Ok(None);
    };
    if !action::unlock(&mut release) {
        return Ok(None);
    }
    ctx.storage.update(&release, ctx.now()).await.map_err(failed)?;
    Ok(Some(release))
}
