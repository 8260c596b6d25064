//! Runs the tests of a release: hooks that are called when they are asked for.

use std::time::Duration;

use weir_helm::action::Filter;
use weir_helm::{Event, validate_name};

use crate::Changes;
use crate::context::{Context, Done, Run, WaitStrategy};
use crate::error::{ActionError, Failure, Reason};
use crate::install::storage;

/// How a release is tested.
#[derive(Debug, Clone)]
pub struct TestOptions {
    /// How long each test may take.
    pub timeout: Duration,
    /// Which tests are run, by name.
    pub filter: Filter,
}

impl Default for TestOptions {
    /// All tests, five minutes each.
    fn default() -> Self {
        Self {
            timeout: Run::default().timeout,
            filter: Filter::default(),
        }
    }
}

/// Tests the last revision of a release. How each test ended is recorded in it, also when one fails; its status stays.
pub async fn test(ctx: &Context<'_>, options: &TestOptions) -> Result<Done, ActionError> {
    let found = last(ctx).await.map_err(|failure| ctx.unrecorded(failure))?;
    let mut release = found;
    let namespace = release.namespace.clone();
    let at_home = &Context {
        namespace: &namespace,
        ..*ctx
    };
    let run = Run {
        timeout: options.timeout,
        wait: WaitStrategy::Poller,
        ..Run::default()
    };
    let method = release.apply_method();
    let tested = at_home
        .run_hooks(&run, &mut release, Event::Test, &options.filter, method)
        .await;
    let recorded = ctx.storage.update(&release, ctx.now()).await.map_err(storage);
    match tested.and(recorded) {
        Ok(()) => Ok(Done {
            release,
            changes: Changes::default(),
        }),
        Err(failure) => Err(ActionError::new(ctx.log, failure, Some(release))),
    }
}

async fn last(ctx: &Context<'_>) -> Result<weir_helm::Release, Failure> {
    validate_name(ctx.name).map_err(|_| {
        Failure::new(
            Reason::Name,
            format!("releaseTest: Release name is invalid: {}", ctx.name),
        )
    })?;
    ctx.storage
        .last(ctx.name)
        .await
        .map_err(storage)?
        .ok_or_else(|| Failure::new(Reason::Missing, "release: not found"))
}
