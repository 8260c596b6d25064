//! Waits until objects are ready, hooks are done, or objects are gone.
//!
//! What the writes have answered is where a wait begins: most objects are ready with it, and nothing is asked about them.
//! The others are watched, each by itself and as whom the release belongs to, so that an end is noticed when it comes.
//! What no watch of an object shows is looked at every few seconds: its Pods, and how long it has been like this.

mod followed;
mod judge;
mod legacy;

use std::time::Duration;

use futures::{StreamExt, stream};
use serde_json::json;
use weir_apis::{GroupVersionKind, Object, ObjectRef};
use weir_cluster::{chain, pods_of};
use weir_plan::{Checked, HealthReport, Readiness, Status, Verdict, has_pods, may_vanish, with_pods};

use crate::Context;
use crate::context::{Run, WaitStrategy};
use crate::error::{Failure, Reason};
use followed::{Followed, Latest, Turn};

/// Objects that are read at once.
const IN_FLIGHT: usize = 8;
/// How often what no watch shows is looked at: as Flux does (flux-controllers.md §3.9), and as Helm 3 did.
const LOOK: Duration = Duration::from_secs(5);
const LOOK_OF_HELM_3: Duration = Duration::from_secs(2);
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

impl Context<'_> {
    /// Waits until applied objects are ready. They are as the API server has just stored them.
    pub(crate) async fn wait_until_ready(&self, run: &Run, stored: &[Object]) -> Result<(), Failure> {
        let question = Question::Ready {
            jobs: run.wait_for_jobs,
        };
        match run.wait {
            WaitStrategy::HooksOnly => Ok(()),
            WaitStrategy::Poller => self.wait(run.timeout, stored, question, true).await,
            WaitStrategy::Legacy => self.wait_as_helm_3(run.timeout, stored, question).await,
        }
    }

    /// Waits until the objects of a hook are done, as they have just been stored. One that failed does not end the wait for
    /// others, which may be in the middle of something.
    pub(crate) async fn wait_until_done(&self, run: &Run, stored: &[Object]) -> Result<(), Failure> {
        match run.wait {
            WaitStrategy::Legacy => self.wait_as_helm_3(run.timeout, stored, Question::Hook).await,
            _ => self.wait(run.timeout, stored, Question::Hook, false).await,
        }
    }

    /// Waits until CustomResourceDefinitions are established, which are as they have just been stored.
    pub(crate) async fn wait_until_established(
        &self,
        timeout: Duration,
        stored: &[Object],
    ) -> Result<(), Failure> {
        self.wait(timeout, stored, Question::Ready { jobs: false }, true)
            .await
    }

    async fn wait(
        &self,
        timeout: Duration,
        stored: &[Object],
        question: Question,
        fail_fast: bool,
    ) -> Result<(), Failure> {
        let objects: Vec<&Object> = stored.iter().filter(|object| !judge::is_paused(object)).collect();
        self.tell(
            "waiting for resources",
            &json!({"count": objects.len(), "timeout": format!("{timeout:?}")}),
        );
        let mut followed = Followed::of(&objects, timeout, LOOK);
        let mut report = HealthReport {
            objects: objects
                .iter()
                .map(|object| self.checked(object, question))
                .collect(),
        };
        let mut is_last = false;
        loop {
            let unhealthy = match report.verdict(fail_fast) {
                Verdict::Ready => return Ok(()),
                Verdict::Failed => report.failure(),
                Verdict::Waiting if is_last => report.timeout(),
                Verdict::Waiting => {
                    let turn = followed.next(self, |at| is_open(report.objects.get(at))).await?;
                    is_last = turn == Turn::Over;
                    let asks = turn != Turn::Changed;
                    for at in followed.changed(turn, |at| is_open(report.objects.get(at))) {
                        let readiness = self.judge(followed.latest(at), question, asks).await;
                        if let Some(checked) = report.objects.get_mut(at) {
                            checked.readiness = readiness;
                        }
                    }
                    continue;
                }
            };
            return Err(Failure::new(Reason::Wait, unhealthy.to_string()));
        }
    }

    fn checked(&self, object: &Object, question: Question) -> Checked {
        Checked {
            object: object.reference(),
            readiness: self.readiness(object, question),
            may_vanish: may_vanish(object),
        }
    }

    /// How far an object is. `asks` allows a look at its Pods.
    async fn judge(&self, latest: &Latest, question: Question, asks: bool) -> Readiness {
        let live = match latest {
            Latest::There(live) => live,
            Latest::Gone => return Readiness::not_found(),
            Latest::Unknown(why) => return Readiness::new(Status::Unknown, "", why.clone()),
        };
        let readiness = self.readiness(live, question);
        if asks && readiness.status == Status::InProgress && has_pods(&live.gvk().group_kind()) {
            let pods = pods_of(self.client, live).await.unwrap_or_default();
            return with_pods(readiness, &pods, self.now());
        }
        readiness
    }

    fn readiness(&self, live: &Object, question: Question) -> Readiness {
        let kind = live.gvk().group_kind();
        let has_rule = self.health.find(&kind).is_some();
        if question == Question::Hook && judge::is_done_at_once(&kind) && !has_rule {
            return Readiness::new(Status::Current, "", "Resource is current");
        }
        if has_rule {
            self.health.readiness(live, self.now())
        } else {
            judge::readiness(live, question, self.now())
        }
    }

    async fn wait_as_helm_3(
        &self,
        timeout: Duration,
        stored: &[Object],
        question: Question,
    ) -> Result<(), Failure> {
        self.tell(
            "beginning wait for resources",
            &json!({"count": stored.len(), "timeout": format!("{timeout:?}")}),
        );
        let objects: Vec<&Object> = stored
            .iter()
            .filter(|object| legacy::is_looked_at(&object.gvk(), question))
            .collect();
        let mut followed = Followed::of(&objects, timeout, LOOK_OF_HELM_3);
        let mut waiting: Vec<Option<String>> = vec![Some(String::new()); objects.len()];
        let mut turn = Turn::Look;
        loop {
            let is_open = |at: usize| waiting.get(at).is_some_and(Option::is_some);
            for at in followed.changed(turn, is_open) {
                let verdict = self.judge_as_helm_3(followed.latest(at), question).await;
                let why = match verdict {
                    legacy::Verdict::Ready => None,
                    legacy::Verdict::Waiting(why) => Some(why),
                    legacy::Verdict::Failed(error) => return Err(Failure::new(Reason::Wait, error)),
                };
                if let Some(known) = waiting.get_mut(at) {
                    *known = why;
                }
            }
            let open: Vec<String> = objects
                .iter()
                .zip(&waiting)
                .filter_map(|(object, why)| Some(format!("{}: {}", object.reference(), why.as_ref()?)))
                .collect();
            if open.is_empty() {
                return Ok(());
            }
            if turn == Turn::Over {
                let message = format!("not ready: [{}]: {DEADLINE}", open.join(", "));
                return Err(Failure::new(Reason::Wait, message));
            }
            turn = followed
                .next(self, |at| waiting.get(at).is_some_and(Option::is_some))
                .await?;
        }
    }

    async fn judge_as_helm_3(&self, latest: &Latest, question: Question) -> legacy::Verdict {
        let live = match latest {
            Latest::There(live) => live,
            // A hook that is gone was done.
            Latest::Gone if question == Question::Hook => return legacy::Verdict::Ready,
            Latest::Gone => return legacy::Verdict::Waiting("not found".to_owned()),
            Latest::Unknown(why) => return legacy::Verdict::Waiting(why.clone()),
        };
        if question == Question::Hook {
            return legacy::hook(live);
        }
        let others = match legacy::needs(&live.gvk()) {
            legacy::Needs::Nothing => Ok(Vec::new()),
            legacy::Needs::Pods => pods_of(self.client, live).await,
            legacy::Needs::ReplicaSets => {
                let gvk = GroupVersionKind::new("apps", "v1", "ReplicaSet");
                self.client.list(&gvk, live.namespace(), "").await
            }
        };
        match others {
            Ok(others) => legacy::ready(live, &others),
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
        // Most are gone with the answer to their deletion.
        let looks: Vec<_> = objects.iter().map(|object| self.client.get(object)).collect();
        let found: Vec<_> = stream::iter(looks).buffered(IN_FLIGHT).collect().await;
        let left: Vec<(ObjectRef, Latest)> = found
            .into_iter()
            .zip(objects)
            .filter_map(|(found, object)| {
                match found {
                    Ok(found) => found.map(|live| Latest::There(Box::new(live))),
                    Err(error) => Some(Latest::Unknown(chain(&error))),
                }
                .map(|latest| (object.clone(), latest))
            })
            .collect();
        let mut followed = Followed::new(left, timeout, LOOK);
        let mut open = vec![true; followed.len()];
        let mut is_last = false;
        while open.contains(&true) {
            if is_last {
                let names: Vec<String> = followed
                    .objects()
                    .zip(&open)
                    .filter(|(_, open)| **open)
                    .map(|(object, _)| object.to_string())
                    .collect();
                let message = format!("{} termination timeout: {DEADLINE}", names.join(", "));
                return Err(Failure::new(Reason::Wait, message));
            }
            let is_open = |at: usize| open.get(at).copied().unwrap_or_default();
            let turn = followed.next(self, is_open).await?;
            is_last = turn == Turn::Over;
            for at in followed.changed(turn, |at| open.get(at).copied().unwrap_or_default()) {
                if let (Latest::Gone, Some(open)) = (followed.latest(at), open.get_mut(at)) {
                    *open = false;
                }
            }
        }
        Ok(())
    }
}

/// Whether an object is still waited for. One that has failed may yet be tried again by its controller.
fn is_open(checked: Option<&Checked>) -> bool {
    checked.is_some_and(|checked| checked.readiness.status != Status::Current)
}
