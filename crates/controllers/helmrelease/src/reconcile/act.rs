//! One action on the release, and what status, conditions and events say of it afterwards (flux-controllers.md §4.6).

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use weir_apis::condition::{READY, RELEASED, REMEDIATED, Status, TEST_SUCCESS};
use weir_apis::kind::helm_release::Snapshot;
use weir_apis::{key, reason};
use weir_cluster::Client;
use weir_helm::{Release, action};
use weir_machine::Machine;
use weir_redact::Mask;
use weir_releases::{ActionError, Context, Done, Log, Reason, Storage, Template};
use weir_runtime::{Event, Failure, Severity};

use super::run::{Run, Work};
use super::told;
use crate::choice::Next;
use crate::drift::{self, Differences};
use crate::history::action as made_by;
use crate::postrender::Renderers;
use crate::spec::Spec;
use crate::strategy::Attempt;
use crate::values::Values;
use crate::{history, inventory, values};

/// Lines of an action's log that go into the event of its failure.
const LINES: usize = 10;

/// What an action left, where the pass goes on or ends as usual; the error is for actions that changed nothing, so that
/// nothing but another try helps.
type Outcome = Result<(), Failure>;

impl Work {
    /// A log that hides what came from Secrets, and what went into the Secrets of the last revision: that may stand in
    /// the object's own values, and in what templates say of them.
    fn log(&self, records: &[Release]) -> Log {
        let mut secrets = self.secrets.clone();
        hide_secrets(records.last(), &mut secrets);
        Log::new(LINES, secrets)
    }

    fn context<'a>(
        &'a self,
        clock: &'a dyn weir_cluster::Clock,
        log: &'a Log,
        cancel: &'a CancellationToken,
    ) -> Context<'a> {
        Context {
            client: &self.client,
            storage: &self.storage,
            discovery: self.discovery.as_deref(),
            clock,
            name: &self.spec.names.release,
            namespace: &self.spec.names.namespace,
            manager: key::HELM_MANAGER,
            health: &self.spec.health,
            log,
            cancel,
        }
    }
}

impl Run<'_> {
    /// Does what was chosen.
    pub(super) async fn act(
        &mut self,
        work: &Work,
        next: Next,
        records: &[Release],
        drifted: Option<Differences>,
    ) -> Outcome {
        match next {
            Next::Install => self.release(work, Attempt::Install, records).await,
            Next::Upgrade => self.release(work, Attempt::Upgrade, records).await,
            Next::Test => self.test(work, records).await,
            Next::Unlock => self.unlock(work, records).await,
            Next::Rollback(version) => self.roll_back(work, version, records).await,
            Next::Uninstall => self.remediate(work, records).await,
            Next::Correct => {
                self.correct(work, drifted.unwrap_or_default()).await;
                Ok(())
            }
            Next::Done | Next::Warned | Next::Exhausted(_) | Next::NoTarget => Ok(()),
        }
    }

    fn template(&self, work: &Work) -> Template {
        let spec = &work.spec.own.spec;
        let skip_schema = match self.status.last_attempted_release_action.as_deref() {
            Some("install") => spec.install.as_ref().is_some_and(|i| i.disable_schema_validation),
            _ => spec.upgrade.as_ref().is_some_and(|u| u.disable_schema_validation),
        };
        Template {
            chart: work.chart.clone(),
            values: work.values.clone(),
            origins: work.origins.clone(),
            host: Box::new(Machine::new(self.house.deps.clock.now())),
            post: Some(Box::new(Renderers::of(&work.spec.own))),
            strategy: work.spec.post_render,
            skip_schema,
        }
    }

    /// Installs or upgrades.
    async fn release(&mut self, work: &Work, attempt: Attempt, records: &[Release]) -> Outcome {
        let verb = attempt.as_str();
        self.status.last_attempted_release_action = Some(verb.to_owned());
        if attempt == Attempt::Install {
            // A new life: what was before is nothing to go back to.
            self.status.history.clear();
        }
        self.draft.conditions.remove(TEST_SUCCESS);
        self.draft.conditions.remove(REMEDIATED);
        let (log, cancel) = (work.log(records), CancellationToken::new());
        let clock = self.house.deps.clock.clone();
        let ctx = work.context(&*clock, &log, &cancel);
        let template = self.template(work);
        let begun = Instant::now();
        let done = match attempt {
            Attempt::Install => weir_releases::install(&ctx, template, &work.spec.install_options()).await,
            Attempt::Upgrade => weir_releases::upgrade(&ctx, template, &work.spec.upgrade_options()).await,
        };
        let nanos = i64::try_from(begun.elapsed().as_nanos()).unwrap_or(i64::MAX);
        let took = weir_semver::duration::Duration::from_nanos(nanos).to_string();
        self.status.last_attempted_release_action_duration = Some(took);
        let written = written(&done).cloned();
        if let Some(release) = &written {
            let name = match attempt {
                Attempt::Install => made_by::INSTALL,
                Attempt::Upgrade => made_by::UPGRADE,
            };
            self.record(work, release, records, name).await;
            self.take_inventory(work, release).await;
        }
        let outcome = match done {
            Ok(_) => {
                self.released(work, attempt);
                Ok(())
            }
            Err(error) => {
                self.not_released(work, attempt, &error, &log);
                if written.is_some() {
                    work.spec
                        .strategies
                        .of(attempt)
                        .remediation
                        .count(&mut self.status);
                    Ok(())
                } else {
                    // Nothing is stored, so there is nothing to remediate.
                    Err(Failure::retry(failed_reason(attempt), error.to_string()))
                }
            }
        };
        self.summarize(work);
        outcome
    }

    fn released(&mut self, work: &Work, attempt: Attempt) {
        let Some(current) = history::latest(&self.status.history).cloned() else {
            return;
        };
        let reason = match attempt {
            Attempt::Install => reason::INSTALL_SUCCEEDED,
            Attempt::Upgrade => reason::UPGRADE_SUCCEEDED,
        };
        let message = told::succeeded(attempt.as_str(), &current);
        self.set(RELEASED, Status::True, reason, &message);
        if work.spec.tests() && !history::was_tested(&current) {
            let message = told::untested(&current);
            self.set(TEST_SUCCESS, Status::Unknown, reason::AWAITING_TESTS, &message);
        }
        if work.spec.strategies.of(attempt).retry.is_some() {
            self.clear_failures();
        }
        self.tell(told::about(
            Event::new(Severity::Normal, reason, message),
            &current,
        ));
    }

    fn not_released(&mut self, work: &Work, attempt: Attempt, error: &ActionError, log: &Log) {
        let metadata = &work.chart.metadata;
        let names = &work.spec.names;
        let message = told::failed_release(
            attempt.as_str(),
            (&names.namespace, &names.full),
            (&metadata.name, &metadata.version),
            &error.to_string(),
        );
        self.status.failures += 1;
        let reason = failed_reason(attempt);
        self.set(RELEASED, Status::False, reason, &message);
        let event = Event::new(Severity::Warning, reason, told::with_log(&message, log));
        self.tell(told::facts(
            event,
            &metadata.version,
            &work.config_digest,
            &metadata.app_version,
            self.status
                .last_attempted_revision_digest
                .as_deref()
                .unwrap_or_default(),
        ));
    }

    /// Takes a revision into the history, and with it the new state of those before, where they are still what they were
    /// before the action.
    async fn record(&mut self, work: &Work, release: &Release, before: &[Release], action: &str) {
        let mut written = vec![release.clone()];
        // The action has ended; a record that cannot be read now is read in the next pass.
        let after = work.storage.history(&release.name).await.unwrap_or_default();
        for known in &self.status.history {
            let of = |releases: &[Release]| releases.iter().find(|r| history::is_of(known, r)).cloned();
            let was_ours = of(before).is_some_and(|r| history::verify(known, &r).is_ok());
            if let (true, Some(record)) = (was_ours && known.version != release.version, of(&after)) {
                written.push(record);
            }
        }
        let digest = self.status.last_attempted_revision_digest.clone();
        history::record(&mut self.status.history, &written, action, digest.as_deref());
    }

    async fn take_inventory(&mut self, work: &Work, release: &Release) {
        match inventory::of(&work.client, release, Some(&work.chart)).await {
            Ok(inventory) => self.status.inventory = Some(inventory),
            Err(error) => {
                let own = &work.spec.own.metadata;
                let message = format!(
                    "failed to build inventory for {}/{}: {}",
                    own.namespace,
                    own.name,
                    work.secrets.apply(&error)
                );
                self.tell(Event::new(
                    Severity::Warning,
                    reason::INVENTORY_BUILD_FAILED,
                    message,
                ));
            }
        }
    }

    async fn test(&mut self, work: &Work, records: &[Release]) -> Outcome {
        let (log, cancel) = (work.log(records), CancellationToken::new());
        let clock = self.house.deps.clock.clone();
        let ctx = work.context(&*clock, &log, &cancel);
        let done = weir_releases::test(&ctx, &work.spec.test_options()).await;
        let mut mismatch = None;
        if let (Some(release), Some(known)) = (written(&done), newest(&mut self.status.history)) {
            if history::is_of(known, release) {
                let test = work.spec.own.spec.test.clone().unwrap_or_default();
                let mut tested =
                    history::snapshot(release, known.action.as_deref(), known.oci_digest.as_deref());
                tested.test_hooks = Some(history::test_hooks(release, &test.filters));
                *known = tested;
            } else {
                mismatch = Some(format!(
                    "release mismatch: tested release {}/{}.v{} != current release {}",
                    release.namespace,
                    release.name,
                    release.version,
                    history::release_name(known)
                ));
            }
        }
        let Some(current) = history::latest(&self.status.history).cloned() else {
            return Err(Failure::retry(reason::TEST_FAILED, "there is no release to test"));
        };
        let error = mismatch.or_else(|| done.err().map(|error| error.to_string()));
        let outcome = match error {
            None => {
                let message = told::tested(&current);
                self.set(TEST_SUCCESS, Status::True, reason::TEST_SUCCEEDED, &message);
                let event = Event::new(Severity::Normal, reason::TEST_SUCCEEDED, message);
                self.tell(told::about(event, &current));
                Ok(())
            }
            Some(error) => {
                let message = told::failed("test", &current, &error);
                self.status.failures += 1;
                self.set(TEST_SUCCESS, Status::False, reason::TEST_FAILED, &message);
                let event = Event::new(Severity::Warning, reason::TEST_FAILED, message.clone());
                self.tell(told::about(event, &current));
                if history::was_tested(&current) {
                    let active = work.spec.strategies.active(&self.status).copied();
                    if let Some(active) = active.filter(|active| !active.remediation.ignore_tests) {
                        active.remediation.count(&mut self.status);
                    }
                    Ok(())
                } else {
                    Err(Failure::retry(reason::TEST_FAILED, message))
                }
            }
        };
        self.summarize(work);
        outcome
    }

    async fn unlock(&mut self, work: &Work, records: &[Release]) -> Outcome {
        let (log, cancel) = (work.log(records), CancellationToken::new());
        let clock = self.house.deps.clock.clone();
        let ctx = work.context(&*clock, &log, &cancel);
        let pending = work.storage.last(&work.spec.names.release).await.ok().flatten();
        let unlocked = weir_releases::unlock(&ctx).await;
        let Some(pending) = pending else {
            return Ok(());
        };
        let status = pending.status().as_str().to_owned();
        let outcome = match unlocked {
            Ok(None) => Ok(()),
            Ok(Some(release)) => {
                for known in &mut self.status.history {
                    if history::is_of(known, &release) {
                        *known =
                            history::snapshot(&release, known.action.as_deref(), known.oci_digest.as_deref());
                    }
                }
                let current = history::snapshot(&release, None, None);
                let message = told::unlocked(&current, &status, None);
                self.set(RELEASED, Status::False, reason::PENDING_RELEASE, &message);
                let event = Event::new(Severity::Normal, reason::PENDING_RELEASE, message);
                self.tell(told::about(event, &current));
                Ok(())
            }
            Err(error) => {
                let current = history::snapshot(&pending, None, None);
                let message = told::unlocked(&current, &status, Some(&error.to_string()));
                self.status.failures += 1;
                self.set(RELEASED, Status::False, reason::PENDING_RELEASE, &message);
                let event = Event::new(Severity::Warning, reason::PENDING_RELEASE, message.clone());
                self.tell(told::about(event, &current));
                Err(Failure::retry(reason::PENDING_RELEASE, message))
            }
        };
        self.summarize(work);
        outcome
    }

    async fn roll_back(&mut self, work: &Work, version: i64, records: &[Release]) -> Outcome {
        let target = self.status.history.iter().find(|s| s.version == version).cloned();
        let Some(target) = target else {
            return Err(Failure::retry(
                reason::MISSING_ROLLBACK_TARGET,
                "missing target release for rollback",
            ));
        };
        let (log, cancel) = (work.log(records), CancellationToken::new());
        let clock = self.house.deps.clock.clone();
        let ctx = work.context(&*clock, &log, &cancel);
        let done = weir_releases::rollback(&ctx, &work.spec.rollback_options(version)).await;
        let written = written(&done).cloned();
        if let Some(release) = &written {
            let attempted = self.status.last_attempted_revision_digest.clone();
            self.status
                .last_attempted_revision_digest
                .clone_from(&target.oci_digest);
            self.record(work, release, records, made_by::ROLLBACK).await;
            self.status.last_attempted_revision_digest = attempted;
            self.take_inventory(work, release).await;
        }
        let about = |event: Event| {
            told::facts(
                event,
                &target.chart_version,
                &work.config_digest,
                target.app_version.as_deref().unwrap_or_default(),
                target.oci_digest.as_deref().unwrap_or_default(),
            )
        };
        let outcome = match done {
            Ok(_) => {
                let message = told::rolled_back(&target, None);
                self.set(REMEDIATED, Status::True, reason::ROLLBACK_SUCCEEDED, &message);
                self.tell(about(Event::new(
                    Severity::Normal,
                    reason::ROLLBACK_SUCCEEDED,
                    message,
                )));
                Ok(())
            }
            Err(error) => {
                let message = told::rolled_back(&target, Some(&error.to_string()));
                self.status.failures += 1;
                self.set(REMEDIATED, Status::False, reason::ROLLBACK_FAILED, &message);
                let text = told::with_log(&message, &log);
                self.tell(about(Event::new(
                    Severity::Warning,
                    reason::ROLLBACK_FAILED,
                    text,
                )));
                match written {
                    Some(_) => Ok(()),
                    None => Err(Failure::retry(reason::ROLLBACK_FAILED, message)),
                }
            }
        };
        self.summarize(work);
        outcome
    }

    /// Removes a failed release.
    async fn remediate(&mut self, work: &Work, records: &[Release]) -> Outcome {
        let Some(before) = history::latest(&self.status.history).cloned() else {
            return Err(Failure::retry(
                reason::UNINSTALL_FAILED,
                "there is no release to uninstall",
            ));
        };
        let (log, cancel) = (work.log(records), CancellationToken::new());
        let clock = self.house.deps.clock.clone();
        let ctx = work.context(&*clock, &log, &cancel);
        let done = weir_releases::uninstall(&ctx, &work.spec.uninstall_options()).await;
        let written = written(&done).cloned();
        if let Some(release) = &written {
            let of = std::slice::from_ref(release);
            history::record(&mut self.status.history, of, made_by::UNINSTALL_REMEDIATION, None);
        }
        let current = history::latest(&self.status.history).cloned().unwrap_or(before);
        let outcome = match done {
            Ok(_) => {
                let message = told::remediated(&current, None);
                self.set(REMEDIATED, Status::True, reason::UNINSTALL_SUCCEEDED, &message);
                let event = Event::new(Severity::Normal, reason::UNINSTALL_SUCCEEDED, message);
                self.tell(told::about(event, &current));
                Ok(())
            }
            Err(error) => {
                let message = told::remediated(&current, Some(&error.to_string()));
                self.status.failures += 1;
                self.set(REMEDIATED, Status::False, reason::UNINSTALL_FAILED, &message);
                let text = told::with_log(&message, &log);
                let event = Event::new(Severity::Warning, reason::UNINSTALL_FAILED, text);
                self.tell(told::about(event, &current));
                match written {
                    Some(_) => Ok(()),
                    None => Err(Failure::retry(reason::UNINSTALL_FAILED, message)),
                }
            }
        };
        self.summarize(work);
        outcome
    }

    /// Removes the release that the history tells of: the object is being deleted, or names another release now.
    pub(super) async fn uninstall(&mut self, spec: &Spec, client: &Client, storage: &str) -> Outcome {
        let Some(before) = history::latest(&self.status.history).cloned() else {
            return Ok(());
        };
        let storage = self.storage(spec, client, storage);
        let secrets = self.secrets_of(spec, &storage, &before.name).await;
        let (log, cancel) = (Log::new(LINES, secrets), CancellationToken::new());
        let clock = self.house.deps.clock.clone();
        let ctx = Context {
            client,
            storage: &storage,
            discovery: None,
            clock: &*clock,
            name: &before.name,
            namespace: &before.namespace,
            manager: key::HELM_MANAGER,
            health: &spec.health,
            log: &log,
            cancel: &cancel,
        };
        let done = weir_releases::uninstall(&ctx, &spec.uninstall_options()).await;
        if let Some(release) = written(&done) {
            let of = std::slice::from_ref(release);
            history::record(&mut self.status.history, of, made_by::UNINSTALL, None);
        }
        let current = history::latest(&self.status.history).cloned().unwrap_or(before);
        match done {
            Ok(_) => {
                self.status.inventory = None;
                let message = told::succeeded("uninstall", &current);
                self.set(RELEASED, Status::False, reason::UNINSTALL_SUCCEEDED, &message);
                let event = Event::new(Severity::Normal, reason::UNINSTALL_SUCCEEDED, message);
                self.tell(told::about(event, &current));
                Ok(())
            }
            // There is none, or none any more.
            Err(error) if error.reason == Reason::Missing && error.release.is_none() => {
                self.status.inventory = None;
                let message = format!(
                    "Release {} was not found, assuming it is uninstalled",
                    history::release_name(&current)
                );
                self.set(RELEASED, Status::False, reason::UNINSTALL_SUCCEEDED, &message);
                Ok(())
            }
            Err(error) => {
                let message = told::failed("uninstall", &current, &error.to_string());
                self.status.failures += 1;
                self.set(RELEASED, Status::False, reason::UNINSTALL_FAILED, &message);
                let text = told::with_log(&message, &log);
                let event = Event::new(Severity::Warning, reason::UNINSTALL_FAILED, text);
                self.tell(told::about(event, &current));
                self.draft.told = true;
                Err(Failure::retry(reason::UNINSTALL_FAILED, message))
            }
        }
    }

    /// What must not be seen of a release that goes. The Secrets that its values came from may have gone before it, so its
    /// records are asked too.
    async fn secrets_of(&self, spec: &Spec, storage: &Storage, release: &str) -> Mask {
        let gathered = values::gather(&self.house.deps.client, &spec.own).await;
        let mut gathered = gathered.unwrap_or_else(|_| Values {
            table: values::inline(&spec.own),
            ..Values::default()
        });
        let records = storage.history(release).await.unwrap_or_default();
        for earlier in records.iter().filter_map(|record| record.config.as_ref()) {
            values::hide_earlier(&spec.own, &gathered.table, earlier, &mut gathered.secrets);
        }
        hide_secrets(records.last(), &mut gathered.secrets);
        gathered.secrets
    }

    /// Puts back what has drifted. What fails is told; the next look at the release finds it again.
    async fn correct(&mut self, work: &Work, differences: Differences) {
        let message = "correcting cluster drift";
        self.set(READY, Status::Unknown, reason::PROGRESSING, message);
        let corrected = drift::correct(&work.client, differences).await;
        let Some(current) = history::latest(&self.status.history).cloned() else {
            return;
        };
        let release = history::release_name(&current);
        let event = if corrected.failed.is_empty() {
            let message = format!(
                "Cluster state of release {release} has been corrected:\n{}",
                corrected.done.join("\n")
            );
            Event::new(Severity::Normal, reason::DRIFT_CORRECTED, message)
        } else {
            let (partially, rest) = if corrected.done.is_empty() {
                ("", String::new())
            } else {
                let done = corrected.done.join("\n");
                ("partially ", format!("\n\nSuccessful corrections:\n{done}"))
            };
            let message = format!(
                "Failed to {partially}correct cluster state of release {release}:\n{}{rest}",
                corrected.failed.join("\n")
            );
            let message = work.secrets.apply(&message).into_owned();
            Event::new(Severity::Warning, reason::DRIFT_CORRECTION_FAILED, message)
        };
        self.tell(told::about(event, &current));
    }
}

/// Remembers what the Secrets of a revision hold.
fn hide_secrets(record: Option<&Release>, secrets: &mut Mask) {
    let manifest = record.map(|record| record.manifest.as_str());
    for object in action::from_manifest(manifest.unwrap_or_default()).unwrap_or_default() {
        weir_plan::add_secret_values(&object, secrets);
    }
}

fn failed_reason(attempt: Attempt) -> &'static str {
    match attempt {
        Attempt::Install => reason::INSTALL_FAILED,
        Attempt::Upgrade => reason::UPGRADE_FAILED,
    }
}

/// The record that an action wrote, well or not.
fn written(done: &Result<Done, ActionError>) -> Option<&Release> {
    match done {
        Ok(done) => Some(&done.release),
        Err(error) => error.release.as_deref(),
    }
}

fn newest(history: &mut [Snapshot]) -> Option<&mut Snapshot> {
    history.iter_mut().max_by_key(|snapshot| snapshot.version)
}
