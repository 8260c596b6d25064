//! Waits until objects are ready, hooks are done, or objects are gone.
//!
//! It asks at growing intervals: soon after the start, where most objects are ready at once, and every two seconds
//! later on.

mod judge;
mod legacy;

use std::time::Duration;

use futures::{StreamExt, stream};
use serde_json::json;
use tokio::time::Instant;
use weir_apis::{GroupVersionKind, Object, ObjectRef};
use weir_cluster::{chain, pods_of};
use weir_plan::{Checked, HealthReport, Readiness, Status, Verdict, has_pods, may_vanish, with_pods};

use crate::Context;
use crate::context::{Run, WaitStrategy};
use crate::error::{Failure, Reason};

/// Objects that are read at once.
const IN_FLIGHT: usize = 8;
/// The first pause; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How Go says that time is up.
const DEADLINE: &str = "context deadline exceeded";

/// What an object is looked at for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    /// Whether it is ready; with `jobs`, a Job only when it is complete.
    Ready { jobs: bool },
    /// Whether a hook is done.
    Hook,
}

/// The time that is left, and when to look again.
struct Pace {
    end: Instant,
    pause: Duration,
}

impl Pace {
    fn new(timeout: Duration) -> Self {
        Self {
            end: Instant::now() + timeout,
            pause: FIRST_PAUSE,
        }
    }

    fn is_over(&self) -> bool {
        Instant::now() >= self.end
    }

    async fn rest(&mut self, ctx: &Context<'_>) -> Result<(), Failure> {
        let until = (Instant::now() + self.pause).min(self.end);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        tokio::select! {
            biased;
            () = ctx.cancel.cancelled() => Err(Failure::cancelled()),
            () = tokio::time::sleep_until(until) => Ok(()),
        }
    }
}

impl Context<'_> {
    /// Waits until applied objects are ready.
    pub(crate) async fn wait_until_ready(&self, run: &Run, objects: &[Object]) -> Result<(), Failure> {
        let question = Question::Ready {
            jobs: run.wait_for_jobs,
        };
        match run.wait {
            WaitStrategy::HooksOnly => Ok(()),
            WaitStrategy::Poller => self.poll(run.timeout, objects, question, true).await,
            WaitStrategy::Legacy => self.poll_as_helm_3(run.timeout, objects, question).await,
        }
    }

    /// Waits until the objects of a hook are done. One that failed does not end the wait for others, which may be in the
    /// middle of something.
    pub(crate) async fn wait_until_done(&self, run: &Run, objects: &[Object]) -> Result<(), Failure> {
        match run.wait {
            WaitStrategy::Legacy => self.poll_as_helm_3(run.timeout, objects, Question::Hook).await,
            _ => self.poll(run.timeout, objects, Question::Hook, false).await,
        }
    }

    /// Waits until CustomResourceDefinitions are established.
    pub(crate) async fn wait_until_established(
        &self,
        timeout: Duration,
        definitions: &[Object],
    ) -> Result<(), Failure> {
        self.poll(timeout, definitions, Question::Ready { jobs: false }, true)
            .await
    }

    async fn poll(
        &self,
        timeout: Duration,
        objects: &[Object],
        question: Question,
        fail_fast: bool,
    ) -> Result<(), Failure> {
        let objects: Vec<&Object> = objects
            .iter()
            .filter(|object| !judge::is_paused(object))
            .collect();
        self.tell(
            "waiting for resources",
            &json!({"count": objects.len(), "timeout": format!("{timeout:?}")}),
        );
        let mut pace = Pace::new(timeout);
        loop {
            let is_last = pace.is_over();
            let looks: Vec<_> = objects.iter().map(|object| self.look(object, question)).collect();
            let report = HealthReport {
                objects: stream::iter(looks).buffered(IN_FLIGHT).collect().await,
            };
            let unhealthy = match report.verdict(fail_fast) {
                Verdict::Ready => return Ok(()),
                Verdict::Failed => report.failure(),
                Verdict::Waiting if is_last => report.timeout(),
                Verdict::Waiting => {
                    pace.rest(self).await?;
                    continue;
                }
            };
            return Err(Failure::new(Reason::Wait, unhealthy.to_string()));
        }
    }

    async fn look(&self, object: &Object, question: Question) -> Checked {
        Checked {
            object: object.reference(),
            readiness: self.readiness(object, question).await,
            may_vanish: may_vanish(object),
        }
    }

    async fn readiness(&self, object: &Object, question: Question) -> Readiness {
        let kind = object.gvk().group_kind();
        if question == Question::Hook && judge::is_done_at_once(&kind) && self.health.find(&kind).is_none() {
            return Readiness::new(Status::Current, "", "Resource is current");
        }
        let live = match self.client.get(&object.reference()).await {
            Ok(Some(live)) => live,
            Ok(None) => return Readiness::not_found(),
            Err(error) => return Readiness::new(Status::Unknown, "", chain(&error)),
        };
        let now = self.now();
        let readiness = if self.health.find(&kind).is_some() {
            self.health.readiness(&live, now)
        } else {
            judge::readiness(&live, question, now)
        };
        if readiness.status == Status::InProgress && has_pods(&kind) {
            let pods = pods_of(self.client, &live).await.unwrap_or_default();
            return with_pods(readiness, &pods, now);
        }
        readiness
    }

    async fn poll_as_helm_3(
        &self,
        timeout: Duration,
        objects: &[Object],
        question: Question,
    ) -> Result<(), Failure> {
        self.tell(
            "beginning wait for resources",
            &json!({"count": objects.len(), "timeout": format!("{timeout:?}")}),
        );
        let mut pace = Pace::new(timeout);
        loop {
            let is_last = pace.is_over();
            let mut waiting = Vec::new();
            for object in objects {
                match self.look_as_helm_3(object, question).await {
                    legacy::Verdict::Ready => {}
                    legacy::Verdict::Waiting(why) => waiting.push(format!("{}: {why}", object.reference())),
                    legacy::Verdict::Failed(error) => return Err(Failure::new(Reason::Wait, error)),
                }
            }
            if waiting.is_empty() {
                return Ok(());
            }
            if is_last {
                let message = format!("not ready: [{}]: {DEADLINE}", waiting.join(", "));
                return Err(Failure::new(Reason::Wait, message));
            }
            pace.rest(self).await?;
        }
    }

    async fn look_as_helm_3(&self, object: &Object, question: Question) -> legacy::Verdict {
        let gvk = object.gvk();
        if !legacy::is_looked_at(&gvk, question) {
            return legacy::Verdict::Ready;
        }
        let live = match self.client.get(&object.reference()).await {
            Ok(Some(live)) => live,
            // A hook that is gone was done.
            Ok(None) if question == Question::Hook => return legacy::Verdict::Ready,
            Ok(None) => return legacy::Verdict::Waiting("not found".to_owned()),
            Err(error) => return legacy::Verdict::Waiting(chain(&error)),
        };
        if question == Question::Hook {
            return legacy::hook(&live);
        }
        let others = match legacy::needs(&gvk) {
            legacy::Needs::Nothing => Ok(Vec::new()),
            legacy::Needs::Pods => pods_of(self.client, &live).await,
            legacy::Needs::ReplicaSets => {
                let gvk = GroupVersionKind::new("apps", "v1", "ReplicaSet");
                self.client.list(&gvk, live.namespace(), "").await
            }
        };
        match others {
            Ok(others) => legacy::ready(&live, &others),
            Err(error) => legacy::Verdict::Waiting(chain(&error)),
        }
    }

    /// Waits until objects are gone.
    pub(crate) async fn wait_until_gone(
        &self,
        timeout: Duration,
        objects: &[ObjectRef],
    ) -> Result<(), Failure> {
        self.tell(
            "waiting for resources to be deleted",
            &json!({"count": objects.len(), "timeout": format!("{timeout:?}")}),
        );
        let mut pace = Pace::new(timeout);
        let mut left: Vec<&ObjectRef> = objects.iter().collect();
        loop {
            let is_last = pace.is_over();
            let looks: Vec<_> = left.iter().map(|object| self.client.get(object)).collect();
            let found: Vec<_> = stream::iter(looks).buffered(IN_FLIGHT).collect().await;
            left = left
                .into_iter()
                .zip(found)
                .filter(|(_, found)| !matches!(found, Ok(None)))
                .map(|(object, _)| object)
                .collect();
            if left.is_empty() {
                return Ok(());
            }
            if is_last {
                let names: Vec<String> = left.iter().map(ToString::to_string).collect();
                let message = format!("{} termination timeout: {DEADLINE}", names.join(", "));
                return Err(Failure::new(Reason::Wait, message));
            }
            pace.rest(self).await?;
        }
    }
}
