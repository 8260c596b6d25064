//! Runs hooks.

use serde_json::json;
use weir_apis::Object;
use weir_cluster::Propagation;
use weir_helm::action::{self, Filter};
use weir_helm::{ApplyMethod, Event, Hook, HookRun, Phase, Policy, Release};

use crate::context::{Run, WaitStrategy};
use crate::error::{Failure, Reason};
use crate::write::Writer;
use crate::{Changes, Context};

impl Context<'_> {
    /// Runs the hooks of an event one after the other. Each run is recorded before it begins, so that a process that
    /// dies leaves a trace. Objects of hooks go as their policies say, also when a hook fails. None is run where the run
    /// disables hooks.
    pub(crate) async fn run_hooks(
        &self,
        run: &Run,
        release: &mut Release,
        event: Event,
        filter: &Filter,
        method: ApplyMethod,
    ) -> Result<(), Failure> {
        if run.disable_hooks {
            return Ok(());
        }
        let chosen = action::chosen(&release.hooks, event, filter);
        let mut ran = Vec::with_capacity(chosen.len());
        for at in chosen {
            self.check_cancelled()?;
            let Some(hook) = release.hooks.get_mut(at) else {
                continue;
            };
            hook.set_default_policy();
            let hook = hook.clone();
            if hook.is_deleted(&Policy::BeforeCreation) {
                self.delete_hook(run, &hook, true).await?;
            }
            let mut objects = self.build_document(&hook.manifest).await.map_err(|failure| {
                let before = format!(
                    "unable to build kubernetes object for {} hook {}: ",
                    event.as_str(),
                    hook.path
                );
                failure.within(Reason::Hook, &before)
            })?;
            ran.push(at);
            self.tell(
                "executing hook",
                &json!({"event": event.as_str(), "path": hook.path, "name": hook.name}),
            );
            self.note(release, at, Phase::Running);
            self.record(release).await;
            let created = Writer::new(*self, method)
                .create_all(&mut objects, &mut Changes::default())
                .await;
            let stored = match created {
                Ok(stored) => stored,
                Err(failure) => {
                    self.note(release, at, Phase::Failed);
                    let before = format!("warning: Hook {} {} failed: ", event.as_str(), hook.path);
                    return Err(failure.within(Reason::Hook, &before));
                }
            };
            if let Err(failure) = self.wait_until_done(run, &stored).await {
                self.note(release, at, Phase::Failed);
                for at in action::after_failure(&release.hooks, &ran) {
                    self.tidy_up(run, release.hooks.get(at)).await;
                }
                return Err(failure.within(Reason::Hook, ""));
            }
            self.note(release, at, Phase::Succeeded);
        }
        for at in action::after_success(&release.hooks, &ran) {
            if let Some(hook) = release.hooks.get(at) {
                self.delete_hook(run, hook, false).await?;
            }
        }
        Ok(())
    }

    /// Notes how far a hook is.
    fn note(&self, release: &mut Release, at: usize, phase: Phase) {
        let now = Some(self.time());
        if let Some(hook) = release.hooks.get_mut(at) {
            hook.last_run = match phase {
                Phase::Running => HookRun {
                    started_at: now,
                    completed_at: None,
                    phase,
                },
                _ => HookRun {
                    completed_at: now,
                    phase,
                    ..hook.last_run.clone()
                },
            };
        }
    }

    /// Deletes the objects of a hook after another failure, which is the one that counts.
    async fn tidy_up(&self, run: &Run, hook: Option<&Hook>) {
        let Some(hook) = hook else { return };
        if let Err(failure) = self.delete_hook(run, hook, false).await {
            self.tell(
                "error deleting the hook resource on hook failure",
                &json!({"name": hook.name, "error": failure.message}),
            );
        }
    }

    /// Deletes the objects of a hook, and waits until they are gone. Where nothing is waited for, it is for a hook's
    /// predecessor all the same: an object that is still going away would take its successor with it.
    async fn delete_hook(&self, run: &Run, hook: &Hook, is_predecessor: bool) -> Result<(), Failure> {
        let objects = self.build_document(&hook.manifest).await.map_err(|failure| {
            let before = format!(
                "unable to build kubernetes object for deleting hook {}: ",
                hook.path
            );
            failure.within(Reason::Hook, &before)
        })?;
        let errors = self
            .delete_all(&objects, Propagation::Background, &mut Changes::default())
            .await;
        if !errors.is_empty() {
            return Err(Failure::new(Reason::Hook, errors.join("; ")));
        }
        if run.wait == WaitStrategy::HooksOnly && !is_predecessor {
            return Ok(());
        }
        let objects: Vec<_> = objects.iter().map(Object::reference).collect();
        self.wait_until_gone(run.timeout, &objects).await
    }
}
