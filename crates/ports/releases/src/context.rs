//! What every action works with.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use weir_cluster::{Client, Clock};
use weir_helm::{Release, Time};
use weir_plan::HealthRules;

use crate::error::{ActionError, Failure};
use crate::{Changes, Discovery, Log, Storage};

/// What an action works with.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The cluster, in the name of whoever the release belongs to.
    pub client: &'a Client,
    /// Where records are kept.
    pub storage: &'a Storage,
    /// What the cluster can do, where that is remembered; without it each action asks.
    pub discovery: Option<&'a Discovery>,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Name of the release.
    pub name: &'a str,
    /// Namespace of the release: that of objects that name none.
    pub namespace: &'a str,
    /// Field manager: `helm-controller` for Flux; Helm's own is `helm`.
    pub manager: &'a str,
    /// When objects are healthy, where the built-in rules do not say it. Not asked by [`WaitStrategy::Legacy`].
    pub health: &'a HealthRules,
    /// Where the action tells what it does.
    pub log: &'a Log,
    /// Ends the action at the next wait or write; the revision is recorded as failed.
    pub cancel: &'a CancellationToken,
}

/// What is waited for after objects have been applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WaitStrategy {
    /// Every object, by kstatus' rules; what has failed for good ends the wait.
    #[default]
    Poller,
    /// Workloads, Services, claims and definitions, by Helm 3's rules.
    Legacy,
    /// Hooks alone, that is nothing: Flux's `disableWait`.
    HooksOnly,
}

/// How an action is run.
#[derive(Debug, Clone)]
pub struct Run {
    /// How long each wait and each hook may take.
    pub timeout: Duration,
    /// What is waited for.
    pub wait: WaitStrategy,
    /// Whether Jobs are waited for until they are complete.
    pub wait_for_jobs: bool,
    /// Whether hooks are left out.
    pub disable_hooks: bool,
}

impl Default for Run {
    /// As helm-controller does without being told: five minutes, everything is waited for.
    fn default() -> Self {
        Self {
            timeout: Duration::from_mins(5),
            wait: WaitStrategy::default(),
            wait_for_jobs: true,
            disable_hooks: false,
        }
    }
}

/// What an action did.
#[derive(Debug, Clone)]
pub struct Done {
    /// The record of the revision; of an uninstalled release as it would be kept.
    pub release: Release,
    /// What happened to the objects of its manifest.
    pub changes: Changes,
}

impl Context<'_> {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The time as records keep it.
    pub(crate) fn time(&self) -> Time {
        Time::from(self.now())
    }

    pub(crate) fn tell(&self, text: &str, about: &Value) {
        self.log.tell(self.now(), text, about);
    }

    pub(crate) fn check_cancelled(&self) -> Result<(), Failure> {
        if self.cancel.is_cancelled() {
            return Err(Failure::cancelled());
        }
        Ok(())
    }

    /// A failure before a record was written.
    pub(crate) fn unrecorded(&self, failure: Failure) -> ActionError {
        ActionError::new(self.log, failure, None)
    }

    /// Writes a record that is there. A failure is told, and the action goes on, as in Helm: what was done is done.
    pub(crate) async fn record(&self, release: &Release) {
        if let Err(error) = self.storage.update(release, self.now()).await {
            let about = serde_json::json!({
                "name": release.name, "revision": release.version, "error": error.to_string(),
            });
            self.tell("warning: failed to update release", &about);
        }
    }

    /// Records a failed revision.
    pub(crate) async fn failed(
        &self,
        mut release: Release,
        failure: Failure,
        description: &str,
    ) -> ActionError {
        let description = self.log.mask(description);
        weir_helm::action::fail(&mut release, &description);
        self.record(&release).await;
        ActionError::new(self.log, failure, Some(release))
    }
}
