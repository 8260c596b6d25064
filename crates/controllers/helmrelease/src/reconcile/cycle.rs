//! Where the release stands, what to do about it, doing it, and again, until there is nothing left to do
//! (flux-controllers.md §4.5). Each class of action is done once in a reconcile at most, and a remediation ends it.

use std::collections::BTreeSet;
use std::time::Duration;

use weir_apis::condition::{DRIFTED, READY, RECONCILING, RELEASED, REMEDIATED, Status, TEST_SUCCESS};
use weir_apis::{key, reason};
use weir_helm::{Release, action, config_digest};
use weir_releases::StorageError;
use weir_runtime::{Event, Failure, Severity, Success, Verdict};

use super::announce::Announcement;
use super::run::{Run, Work};
use super::told;
use crate::choice::{Circumstances, Class, Next, choose};
use crate::digests::Digests;
use crate::drift::{self, Differences};
use crate::history::{self, release_name};
use crate::spec::DriftMode;
use crate::state::{Found, State, Wanted, determine};
use crate::strategy::Strategy;
use crate::summary::summary;
use crate::{token, values};

impl Run<'_> {
    pub(super) async fn cycle(&mut self, mut work: Work) -> Verdict {
        let mut done = BTreeSet::new();
        let mut records = self.first_records(&work).await?;
        for earlier in records.iter().filter_map(|record| record.config.as_ref()) {
            values::hide_earlier(&work.spec.own, &work.values, earlier, &mut work.secrets);
        }
        let work = &work;
        loop {
            let (found, drifted) = self.look(work, &records).await?;
            let force = token::take(
                &self.draft.object,
                key::FORCE_AT,
                &mut self.status.last_handled_force_at,
            );
            let with = Circumstances {
                strategies: &work.spec.strategies,
                ignore_tests: work.spec.ignores_tests(),
                force,
                correct: work.spec.drift.mode == DriftMode::Enabled,
                records: &records,
            };
            let next = choose(&found.state, &mut self.status, &with);
            tracing::debug!(state = ?found.state, why = found.why, ?next, "the release was looked at");
            self.notice(work, &found.state, drifted.as_ref());
            let Some(class) = next.class() else {
                return self.conclude(work, next);
            };
            if done.contains(&class) {
                return self.stop(work, false);
            }
            let announcement = self.announce(work, next);
            // An action's state is large, and most passes have none.
            let outcome = Box::pin(self.act(work, next, &records, drifted)).await;
            self.settle(announcement).await;
            if let Err(failure) = outcome {
                self.draft.told = true;
                return Err(self.broken_off(work, failure));
            }
            if class == Class::Remediate {
                return self.stop(work, true);
            }
            done.insert(class);
            if work.spec.drift.mode != DriftMode::Disabled {
                // The next look asks for every object; what was done must not be forgotten meanwhile. Without, the next
                // that is written is the status.
                self.save().await?;
            }
            records = self.records(work).await?;
        }
    }

    /// The records at the beginning of a pass. Who asks for a pass may have used helm just before.
    async fn first_records(&self, work: &Work) -> Result<Vec<Release>, Failure> {
        let asked = self.draft.object.annotation(key::REQUESTED_AT);
        if asked == self.status.last_handled_reconcile_at.as_deref() {
            return self.records(work).await;
        }
        let found = work.storage.history_now(&work.spec.names.release).await;
        found.map_err(|error| no_records(&error))
    }

    async fn records(&self, work: &Work) -> Result<Vec<Release>, Failure> {
        let found = work.storage.history(&work.spec.names.release).await;
        found.map_err(|error| no_records(&error))
    }

    /// Where the release stands, and what differs where it has drifted.
    async fn look(&self, work: &Work, records: &[Release]) -> Result<(Found, Option<Differences>), Failure> {
        let observed = Digests {
            post_renderers: self.status.observed_post_renderers_digest.clone(),
            common_metadata: self.status.observed_common_metadata_digest.clone(),
        };
        let is_new = self.status.observed_generation != Some(self.draft.generation());
        let active = work.spec.strategies.active(&self.status);
        let metadata = &work.chart.metadata;
        let kept = kept_digest(work, records);
        let wanted = Wanted {
            chart: (&metadata.name, &metadata.version),
            config_digest: kept.as_deref().unwrap_or(&work.config_digest),
            rendered_otherwise: work.digests.differs(&observed).filter(|_| is_new),
            test: work.spec.tests(),
            test_failures_count: active.is_some_and(|active| !active.remediation.ignore_tests),
        };
        let unknown = |why: String| {
            let message = format!("Could not determine release state: {why}");
            Failure::retry(reason::STATE_ERROR, message)
        };
        let found = determine(records.last(), &self.status.history, &wanted)
            .map_err(|error| unknown(error.to_string()))?;
        let Some(last) = records
            .last()
            .filter(|_| found.state == State::InSync && work.spec.drift.mode != DriftMode::Disabled)
        else {
            return Ok((found, None));
        };
        let differences = drift::find(&work.client, last, &work.spec.drift).await;
        if !differences.errors.is_empty() {
            let errors = differences.errors.join("; ");
            let errors = work
                .secrets
                .apply(&differences.secrets.apply(&errors))
                .into_owned();
            if differences.objects.is_empty() {
                return Err(unknown(format!("unable to determine cluster state: {errors}")));
            }
            tracing::warn!(errors, "some objects could not be compared with the release");
        }
        if differences.objects.is_empty() {
            return Ok((found, None));
        }
        Ok((Found::new(State::Drifted, ""), Some(differences)))
    }

    /// What conditions say of where the release stands, before anything is done about it.
    fn notice(&mut self, work: &Work, state: &State, drifted: Option<&Differences>) {
        let Some(current) = history::latest(&self.status.history).cloned() else {
            return;
        };
        match state {
            State::InSync => {
                self.replace_remediated(&current);
                self.mend_released(work, &current);
                if work.spec.drift.mode == DriftMode::Disabled {
                    self.draft.conditions.remove(DRIFTED);
                } else {
                    let message = "No drift detected against the cluster state";
                    self.set(DRIFTED, Status::False, reason::NO_DRIFT_DETECTED, message);
                }
            }
            State::Untested => self.replace_remediated(&current),
            State::Drifted => {
                let summary = drifted.map(Differences::summary).unwrap_or_default();
                let message = format!(
                    "Cluster state of release {} has drifted from the desired state:\n{summary}",
                    release_name(&current)
                );
                let is_new = self
                    .draft
                    .conditions
                    .get(DRIFTED)
                    .is_none_or(|known| known.status != Status::True || known.message != message);
                self.set(DRIFTED, Status::True, reason::DRIFT_DETECTED, &message);
                // Told once, and not at every interval that finds the same.
                if is_new {
                    self.tell(Event::new(Severity::Warning, reason::DRIFT_DETECTED, message));
                }
            }
            _ => {}
        }
    }

    /// What a rollback went back to is what the object asks for now: it needs no release to be in sync.
    fn replace_remediated(&mut self, current: &weir_apis::kind::helm_release::Snapshot) {
        if self.draft.conditions.is(REMEDIATED, Status::True) {
            self.draft.conditions.remove(REMEDIATED);
            let message = told::succeeded("upgrade", current);
            self.set(RELEASED, Status::True, reason::UPGRADE_SUCCEEDED, &message);
        }
    }

    /// A release that is in sync has not failed, whatever was said before.
    fn mend_released(&mut self, work: &Work, current: &weir_apis::kind::helm_release::Snapshot) {
        let conditions = &self.draft.conditions;
        if conditions.is(READY, Status::True) && conditions.is(RELEASED, Status::True) {
            return;
        }
        let was = conditions
            .get(RELEASED)
            .map(|c| c.reason.clone())
            .unwrap_or_default();
        let (verb, reason) = match was.as_str() {
            reason::INSTALL_FAILED => ("install", reason::INSTALL_SUCCEEDED),
            reason::UPGRADE_FAILED => ("upgrade", reason::UPGRADE_SUCCEEDED),
            _ => return,
        };
        let message = told::succeeded(verb, current);
        self.set(RELEASED, Status::True, reason, &message);
        self.summarize(work);
    }

    /// Says what is being done, while it is: actions may take long.
    fn announce(&mut self, work: &Work, next: Next) -> Announcement {
        let timeout = go_duration(work.spec.timeouts.of(next));
        let message = format!("Running '{}' action with timeout of {timeout}", next.name());
        self.set(RECONCILING, Status::True, reason::PROGRESSING, &message);
        if next.class() == Some(Class::Release) {
            self.set(READY, Status::Unknown, reason::PROGRESSING, &message);
        }
        tracing::info!("{message}");
        Announcement::of(self.filled().clone(), self.house.deps.clone())
    }

    /// Ready becomes what was done last.
    pub(super) fn summarize(&mut self, work: &Work) {
        if !work.spec.tests() {
            self.draft.conditions.remove(TEST_SUCCESS);
        }
        let found = summary(
            &self.draft.conditions,
            work.spec.tests(),
            work.spec.ignores_tests(),
        );
        if let Some(found) = found {
            self.set(READY, found.status, &found.reason, &found.message);
        }
        self.status
            .observed_post_renderers_digest
            .clone_from(&work.digests.post_renderers);
        self.status
            .observed_common_metadata_digest
            .clone_from(&work.digests.common_metadata);
    }

    /// Reason and message of Ready.
    fn ready(&self) -> (String, String) {
        let ready = self.draft.conditions.get(READY);
        ready
            .map(|c| (c.reason.clone(), c.message.clone()))
            .unwrap_or_default()
    }

    /// There is nothing to do, or nothing that may be done.
    fn conclude(&mut self, work: &Work, next: Next) -> Verdict {
        self.draft.told = true;
        match next {
            Next::Exhausted(_) => Err(self.exhausted(work)),
            Next::NoTarget => {
                let message = "Failed to perform remediation: missing target release for rollback: cannot remediate failed release";
                let (why, ready) = self.ready();
                Err(Failure::stalled(reason::MISSING_ROLLBACK_TARGET, message).ready(why, ready))
            }
            _ => self.finish(work),
        }
    }

    /// The pass is over: the release is as it should be, or all that can be done about it was done.
    fn finish(&mut self, work: &Work) -> Verdict {
        self.draft.told = true;
        self.summarize(work);
        let (why, message) = self.ready();
        let interval = work.spec.interval;
        let reason = known(&why);
        if self.draft.conditions.is(READY, Status::True) {
            return Ok(Success {
                reason,
                message,
                again: Some(interval),
                at_latest: None,
            });
        }
        Err(Failure::settled(reason, interval, message))
    }

    fn exhausted(&mut self, work: &Work) -> Failure {
        let failures = work
            .spec
            .strategies
            .active(&self.status)
            .map_or(0, |active| active.remediation.failures(&self.status));
        let message = format!(
            "Failed to {} after {failures} attempt(s)",
            self.status
                .last_attempted_release_action
                .as_deref()
                .unwrap_or("release")
        );
        let (why, ready) = self.ready();
        Failure::stalled(reason::RETRIES_EXCEEDED, message).ready(why, ready)
    }

    /// The pass ends although there is more to do: `remediated` says that it has just been remediated, else an action of
    /// the same class is wanted a second time.
    fn stop(&mut self, work: &Work, remediated: bool) -> Verdict {
        self.draft.told = true;
        let active = work.spec.strategies.active(&self.status).copied();
        if let Some(failure) = self.retrying(active) {
            return Err(failure);
        }
        let remediation = active.map(|active| active.remediation);
        let may_go_on = remediation
            .is_none_or(|r| !r.is_exhausted(&self.status) || (remediated && r.uninstalls_upgrade()));
        let (why, message) = self.ready();
        if may_go_on {
            return Err(Failure::retry(reason::PROGRESSING_WITH_RETRY, message.clone()).ready(why, message));
        }
        if remediated {
            return Err(self.exhausted(work));
        }
        self.finish(work)
    }

    /// `RetryOnFailure`: the next attempt follows after its interval.
    fn retrying(&self, active: Option<Strategy>) -> Option<Failure> {
        let after = active?.retry?;
        let (why, message) = self.ready();
        let progress = format!("retrying after {}", go_duration(after));
        let failure = Failure::retry_after(reason::PROGRESSING_WITH_RETRY, after, progress);
        Some(failure.ready(why, message).observed())
    }

    /// An action changed nothing: nothing but another try helps.
    fn broken_off(&mut self, work: &Work, failure: Failure) -> Failure {
        if let Some(retry) = self.retrying(work.spec.strategies.active(&self.status).copied()) {
            return retry;
        }
        let ready = self.draft.conditions.get(READY);
        match ready.filter(|ready| ready.status == Status::False) {
            Some(ready) => failure.ready(ready.reason.clone(), ready.message.clone()),
            None => failure,
        }
    }
}

fn no_records(error: &StorageError) -> Failure {
    let message =
        format!("Could not determine release state: failed to retrieve last release from storage: {error}");
    Failure::retry(reason::STATE_ERROR, message)
}

/// A reason as the constant that it is.
fn known(text: &str) -> &'static str {
    reason::ALL
        .iter()
        .find(|reason| **reason == text)
        .copied()
        .unwrap_or(reason::SUCCEEDED)
}

/// `5m0s`, as Go prints durations.
fn go_duration(duration: Duration) -> String {
    let nanos = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
    weir_semver::duration::Duration::from_nanos(nanos).to_string()
}

/// The digest of the values that an upgrade would be recorded with, where it keeps those of the revision before. A
/// release that has them already is in sync; helm-controller compares the object's values alone, and upgrades such
/// a release at every interval.
fn kept_digest(work: &Work, records: &[Release]) -> Option<String> {
    let upgrade = work.spec.own.spec.upgrade.as_ref()?;
    let bases = action::bases(&work.spec.names.release, records).ok()?;
    upgrade
        .preserve_values
        .then(|| config_digest(&action::reused(&work.values, bases.current)))
}
