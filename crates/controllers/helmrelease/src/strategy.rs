//! How failures are answered: by remediation, or by trying again (flux-controllers.md §4.5).

use std::time::Duration;

use weir_apis::kind::HelmReleaseSpec;
use weir_apis::kind::helm_release::{HelmReleaseStatus, InstallRemediation, UpgradeRemediation};
use weir_runtime::Failure;
use weir_runtime::verdict::duration;

/// When to try again where `RetryOnFailure` does not say (flux-controllers.md §4.1).
const RETRY: Duration = Duration::from_mins(5);

/// An action that makes a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    Install,
    Upgrade,
}

impl Attempt {
    /// As the status writes it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Upgrade => "upgrade",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        match word {
            "install" => Some(Self::Install),
            "upgrade" => Some(Self::Upgrade),
            _ => None,
        }
    }
}

/// What to do when an action has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Remediation {
    /// Negative: without end.
    pub(crate) retries: i64,
    /// Failed tests do not count.
    pub(crate) ignore_tests: bool,
    /// Also remediates when no retries are left.
    pub(crate) last_too: bool,
    /// Uninstalls; else rolls back.
    pub(crate) uninstalls: bool,
    /// The action that it belongs to, whose failures count.
    pub(crate) of: Attempt,
}

impl Remediation {
    fn of_install(remediation: Option<&InstallRemediation>, ignore_tests: bool) -> Self {
        let remediation = remediation.cloned().unwrap_or_default();
        Self {
            retries: remediation.retries.unwrap_or_default(),
            ignore_tests: remediation.ignore_test_failures.unwrap_or(ignore_tests),
            last_too: remediation.remediate_last_failure.unwrap_or_default(),
            uninstalls: true,
            of: Attempt::Install,
        }
    }

    fn of_upgrade(remediation: Option<&UpgradeRemediation>, ignore_tests: bool) -> Self {
        let remediation = remediation.cloned().unwrap_or_default();
        let retries = remediation.retries.unwrap_or_default();
        Self {
            retries,
            ignore_tests: remediation.ignore_test_failures.unwrap_or(ignore_tests),
            last_too: remediation.remediate_last_failure.unwrap_or(retries > 0),
            uninstalls: remediation.strategy.as_deref() == Some("uninstall"),
            of: Attempt::Upgrade,
        }
    }

    /// Failures since the last success or change.
    pub(crate) fn failures(&self, status: &HelmReleaseStatus) -> i64 {
        match self.of {
            Attempt::Install => status.install_failures,
            Attempt::Upgrade => status.upgrade_failures,
        }
    }

    /// Counts one more.
    pub(crate) fn count(&self, status: &mut HelmReleaseStatus) {
        match self.of {
            Attempt::Install => status.install_failures += 1,
            Attempt::Upgrade => status.upgrade_failures += 1,
        }
    }

    /// There were more failures than may be tried again.
    pub(crate) fn is_exhausted(&self, status: &HelmReleaseStatus) -> bool {
        self.retries >= 0 && self.failures(status) > self.retries
    }

    /// An upgrade that is answered by uninstalling: what follows is an installation, which has retries of its own.
    pub(crate) fn uninstalls_upgrade(&self) -> bool {
        self.uninstalls && self.of == Attempt::Upgrade
    }
}

/// How failures of one action are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Strategy {
    /// `RetryOnFailure`: when the next attempt, an upgrade, follows.
    pub(crate) retry: Option<Duration>,
    pub(crate) remediation: Remediation,
}

/// How failures are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Strategies {
    pub(crate) install: Strategy,
    pub(crate) upgrade: Strategy,
}

impl Strategies {
    /// Reads a spec; an unreadable interval stalls.
    pub(crate) fn read(spec: &HelmReleaseSpec) -> Result<Self, Failure> {
        let install = spec.install.as_ref();
        let upgrade = spec.upgrade.as_ref();
        let ignore_tests = spec.test.as_ref().is_some_and(|test| test.ignore_failures);
        let retry = |field: &str, name: &str, interval: Option<&String>| match interval {
            _ if name != "RetryOnFailure" => Ok(None),
            None => Ok(Some(RETRY)),
            Some(text) => duration(field, text).map(Some),
        };
        let of_install = install.and_then(|i| i.strategy.as_ref());
        let of_upgrade = upgrade.and_then(|u| u.strategy.as_ref());
        Ok(Self {
            install: Strategy {
                retry: match of_install {
                    Some(s) => retry(
                        "spec.install.strategy.retryInterval",
                        &s.name,
                        s.retry_interval.as_ref(),
                    )?,
                    None => None,
                },
                remediation: Remediation::of_install(
                    install.and_then(|i| i.remediation.as_ref()),
                    ignore_tests,
                ),
            },
            upgrade: Strategy {
                retry: match of_upgrade {
                    Some(s) => retry(
                        "spec.upgrade.strategy.retryInterval",
                        &s.name,
                        s.retry_interval.as_ref(),
                    )?,
                    None => None,
                },
                remediation: Remediation::of_upgrade(
                    upgrade.and_then(|u| u.remediation.as_ref()),
                    ignore_tests,
                ),
            },
        })
    }

    /// No retries: for what is not to be tried again.
    pub(crate) fn none() -> Self {
        Self {
            install: Strategy {
                retry: None,
                remediation: Remediation::of_install(None, false),
            },
            upgrade: Strategy {
                retry: None,
                remediation: Remediation::of_upgrade(None, false),
            },
        }
    }

    pub(crate) fn of(&self, attempt: Attempt) -> &Strategy {
        match attempt {
            Attempt::Install => &self.install,
            Attempt::Upgrade => &self.upgrade,
        }
    }

    /// That of the action that was last tried; none before the first.
    pub(crate) fn active(&self, status: &HelmReleaseStatus) -> Option<&Strategy> {
        let word = status.last_attempted_release_action.as_deref()?;
        Attempt::parse(word).map(|attempt| self.of(attempt))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(fields: Value) -> Strategies {
        let mut spec = json!({"interval": "1m"});
        for (field, value) in fields.as_object().unwrap() {
            spec[field] = value.clone();
        }
        Strategies::read(&serde_json::from_value(spec).unwrap()).unwrap()
    }

    #[test]
    fn defaults_are_those_of_flux() {
        let plain = read(json!({}));
        assert_eq!((plain.install.retry, plain.upgrade.retry), (None, None));
        let install = plain.install.remediation;
        assert_eq!(
            (install.retries, install.last_too, install.uninstalls),
            (0, false, true)
        );
        let upgrade = plain.upgrade.remediation;
        assert_eq!(
            (upgrade.retries, upgrade.last_too, upgrade.uninstalls),
            (0, false, false)
        );
        // Another try after an upgrade's last failure starts from what worked.
        let retries = read(json!({"upgrade": {"remediation": {"retries": 1}}}));
        assert!(retries.upgrade.remediation.last_too);
        let tests = read(
            json!({"test": {"ignoreFailures": true}, "upgrade": {"remediation": {"ignoreTestFailures": false}}}),
        );
        assert!(tests.install.remediation.ignore_tests);
        assert!(!tests.upgrade.remediation.ignore_tests);
    }

    #[test]
    fn retry_on_failure_has_an_interval() {
        for (strategy, wanted) in [
            (json!({"name": "RemediateOnFailure"}), None),
            (json!({"name": "RetryOnFailure"}), Some(Duration::from_mins(5))),
            (
                json!({"name": "RetryOnFailure", "retryInterval": "7s"}),
                Some(Duration::from_secs(7)),
            ),
        ] {
            let found = read(json!({"install": {"strategy": strategy}, "upgrade": {"strategy": strategy}}));
            assert_eq!((found.install.retry, found.upgrade.retry), (wanted, wanted));
        }
        let broken = json!({"interval": "1m", "install": {"strategy": {"name": "RetryOnFailure", "retryInterval": "x"}}});
        assert!(Strategies::read(&serde_json::from_value(broken).unwrap()).is_err());
    }

    #[test]
    fn retries_run_out_and_negative_ones_do_not() {
        for (retries, failures, exhausted) in [
            (0, 0, false),
            (0, 1, true),
            (2, 2, false),
            (2, 3, true),
            (-1, 99, false),
        ] {
            let strategies = read(json!({"upgrade": {"remediation": {"retries": retries}}}));
            let status = HelmReleaseStatus {
                upgrade_failures: failures,
                install_failures: 99,
                ..HelmReleaseStatus::default()
            };
            assert_eq!(
                strategies.upgrade.remediation.is_exhausted(&status),
                exhausted,
                "{retries} {failures}"
            );
        }
    }

    #[test]
    fn what_was_last_tried_decides() {
        let strategies = read(json!({"install": {"strategy": {"name": "RetryOnFailure"}}}));
        let tried = |word: Option<&str>| HelmReleaseStatus {
            last_attempted_release_action: word.map(str::to_owned),
            ..HelmReleaseStatus::default()
        };
        assert!(strategies.active(&tried(None)).is_none());
        assert!(
            strategies
                .active(&tried(Some("install")))
                .unwrap()
                .retry
                .is_some()
        );
        assert!(
            strategies
                .active(&tried(Some("upgrade")))
                .unwrap()
                .retry
                .is_none()
        );
    }
}
