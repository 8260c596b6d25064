//! How actions are run, as the spec has it (flux-controllers.md §4.6).

use weir_cluster::Propagation;
use weir_helm::action::{Filter, Method};
use weir_releases::{
    Crds, CrdsPolicy, InstallOptions, RollbackOptions, Run, TestOptions, UninstallOptions, UpgradeOptions,
    WaitStrategy,
};

use crate::choice::Next;
use crate::postrender::origin;
use crate::spec::Spec;

impl Spec {
    fn run(&self, next: Next, disable_wait: bool, disable_jobs: bool, disable_hooks: bool) -> Run {
        let legacy = self
            .own
            .spec
            .wait_strategy
            .as_ref()
            .is_some_and(|s| s.name == "legacy");
        Run {
            timeout: self.timeouts.of(next),
            wait: match (disable_wait, legacy) {
                (true, _) => WaitStrategy::HooksOnly,
                (false, true) => WaitStrategy::Legacy,
                (false, false) => WaitStrategy::Poller,
            },
            wait_for_jobs: !disable_jobs,
            disable_hooks,
        }
    }

    fn crds(&self, policy: Option<&String>, skip: bool) -> Crds {
        let policy = if skip {
            CrdsPolicy::Skip
        } else {
            // The API server lets no other words through.
            policy
                .and_then(|word| CrdsPolicy::parse(word))
                .unwrap_or_default()
        };
        Crds {
            policy,
            labels: origin(&self.own),
        }
    }

    pub(crate) fn install_options(&self) -> InstallOptions {
        let install = self.own.spec.install.clone().unwrap_or_default();
        InstallOptions {
            run: self.run(
                Next::Install,
                install.disable_wait,
                install.disable_wait_for_jobs,
                install.disable_hooks,
            ),
            client_side: install.server_side_apply == Some(false),
            take_ownership: !install.disable_take_ownership,
            replace: install.replace,
            create_namespace: install.create_namespace && self.own.spec.target_namespace.is_some(),
            crds: self.crds(install.crds.as_ref(), install.skip_crds),
            ..InstallOptions::default()
        }
    }

    pub(crate) fn upgrade_options(&self) -> UpgradeOptions {
        let upgrade = self.own.spec.upgrade.clone().unwrap_or_default();
        UpgradeOptions {
            run: self.run(
                Next::Upgrade,
                upgrade.disable_wait,
                upgrade.disable_wait_for_jobs,
                upgrade.disable_hooks,
            ),
            method: method(upgrade.server_side_apply.as_ref()),
            force: upgrade.force,
            take_ownership: !upgrade.disable_take_ownership,
            cleanup_on_fail: upgrade.cleanup_on_fail,
            reuse_values: upgrade.preserve_values,
            max_history: self.max_history,
            crds: self.crds(upgrade.crds.as_ref(), false),
            ..UpgradeOptions::default()
        }
    }

    pub(crate) fn rollback_options(&self, version: i64) -> RollbackOptions {
        let rollback = self.own.spec.rollback.clone().unwrap_or_default();
        RollbackOptions {
            run: self.run(
                Next::Rollback(version),
                rollback.disable_wait,
                rollback.disable_wait_for_jobs,
                rollback.disable_hooks,
            ),
            version,
            method: method(rollback.server_side_apply.as_ref()),
            force: rollback.force,
            cleanup_on_fail: rollback.cleanup_on_fail,
            max_history: self.max_history,
        }
    }

    pub(crate) fn uninstall_options(&self) -> UninstallOptions {
        let uninstall = self.own.spec.uninstall.clone().unwrap_or_default();
        UninstallOptions {
            run: self.run(
                Next::Uninstall,
                uninstall.disable_wait,
                false,
                uninstall.disable_hooks,
            ),
            keep_history: uninstall.keep_history,
            propagation: match uninstall.deletion_propagation.as_deref() {
                Some("foreground") => Propagation::Foreground,
                Some("orphan") => Propagation::Orphan,
                _ => Propagation::Background,
            },
        }
    }

    pub(crate) fn test_options(&self) -> TestOptions {
        let test = self.own.spec.test.clone().unwrap_or_default();
        let names = |exclude: bool| {
            let filters = test.filters.iter().filter(|filter| filter.exclude == exclude);
            filters.map(|filter| filter.name.clone()).collect()
        };
        TestOptions {
            timeout: self.timeouts.of(Next::Test),
            filter: Filter {
                only: names(false),
                not: names(true),
            },
        }
    }
}

/// The API server lets no other words through.
fn method(word: Option<&String>) -> Method {
    word.and_then(|word| Method::parse(word)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use weir_apis::kind::HelmRelease;
    use weir_runtime::{Failure, Settings};

    use super::*;

    fn spec(fields: Value) -> Result<Spec, Failure> {
        let mut spec = json!({"interval": "10m", "chartRef": {"kind": "OCIRepository", "name": "podinfo"}});
        for (field, value) in fields.as_object().unwrap() {
            spec[field] = value.clone();
        }
        let own: HelmRelease =
            serde_json::from_value(json!({"metadata": {"name": "web", "namespace": "apps"}, "spec": spec}))
                .unwrap();
        Spec::read(own, &Settings::default())
    }

    #[test]
    fn defaults_are_those_of_flux() {
        let spec = spec(json!({})).unwrap();
        let install = spec.install_options();
        assert!(install.take_ownership && !install.client_side && !install.create_namespace);
        assert_eq!(install.crds.policy, CrdsPolicy::Create);
        assert_eq!(install.run.wait, WaitStrategy::Poller);
        assert!(install.run.wait_for_jobs && !install.run.disable_hooks);
        assert_eq!(install.crds.labels.len(), 2);
        let upgrade = spec.upgrade_options();
        assert_eq!((upgrade.method, upgrade.max_history), (Method::Auto, 5));
        assert_eq!(upgrade.crds.policy, CrdsPolicy::Create);
        assert_eq!(spec.rollback_options(3).version, 3);
        assert_eq!(spec.uninstall_options().propagation, Propagation::Background);
    }

    #[test]
    fn fields_become_options() {
        let spec = spec(json!({
            "targetNamespace": "prod", "waitStrategy": {"name": "legacy"}, "maxHistory": 0,
            "install": {"createNamespace": true, "skipCRDs": true, "disableTakeOwnership": true, "serverSideApply": false, "replace": true},
            "upgrade": {"disableWait": true, "disableWaitForJobs": true, "disableHooks": true, "crds": "CreateReplace",
                "serverSideApply": "disabled", "force": true, "cleanupOnFail": true},
            "rollback": {"serverSideApply": "enabled", "disableWait": true},
            "uninstall": {"keepHistory": true, "deletionPropagation": "orphan"},
            "test": {"enable": true, "filters": [{"name": "a"}, {"name": "b", "exclude": true}]},
        }))
        .unwrap();
        let install = spec.install_options();
        assert!(
            install.create_namespace && install.client_side && install.replace && !install.take_ownership
        );
        assert_eq!(
            (install.crds.policy, install.run.wait),
            (CrdsPolicy::Skip, WaitStrategy::Legacy)
        );
        let upgrade = spec.upgrade_options();
        assert_eq!(
            (
                upgrade.run.wait,
                upgrade.run.wait_for_jobs,
                upgrade.run.disable_hooks
            ),
            (WaitStrategy::HooksOnly, false, true)
        );
        assert_eq!(
            (upgrade.method, upgrade.crds.policy),
            (Method::Disabled, CrdsPolicy::CreateReplace)
        );
        assert!(upgrade.force && upgrade.cleanup_on_fail && upgrade.max_history == 0);
        let rollback = spec.rollback_options(1);
        assert_eq!(
            (rollback.method, rollback.run.wait),
            (Method::Enabled, WaitStrategy::HooksOnly)
        );
        let uninstall = spec.uninstall_options();
        assert!(uninstall.keep_history && uninstall.propagation == Propagation::Orphan);
        let filter = spec.test_options().filter;
        assert_eq!(
            (filter.only, filter.not),
            (vec!["a".to_owned()], vec!["b".to_owned()])
        );
    }
}
