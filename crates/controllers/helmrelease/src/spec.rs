//! The spec as the later steps use it: names and durations read, defaults filled in, what can't be done refused
//! (flux-controllers.md §4.1).

use std::time::Duration;

use weir_apis::kind::helm_release::ChartRef;
use weir_apis::kind::{ExternalArtifact, HelmChart, HelmRelease, OciRepository};
use weir_apis::reason;
use weir_helm::flux_name;
use weir_plan::{CompiledSelector, HealthRules, IgnoreRule, IgnoreRules, Selector};
use weir_runtime::sources::{Source, allows_kind};
use weir_runtime::verdict::{chain, duration};
use weir_runtime::{Failure, Settings};

use crate::choice::Next;
use crate::strategy::Strategies;
use crate::template;

/// `spec.timeout`
const TIMEOUT: Duration = Duration::from_mins(5);
/// `spec.maxHistory`
const HISTORY: i64 = 5;

/// What the spec means.
#[derive(Debug)]
pub(crate) struct Spec {
    pub(crate) own: HelmRelease,
    pub(crate) interval: Duration,
    pub(crate) names: Names,
    pub(crate) timeouts: Timeouts,
    /// How many revisions are kept; 0 for all.
    pub(crate) max_history: usize,
    pub(crate) strategies: Strategies,
    pub(crate) health: HealthRules,
    pub(crate) drift: Drift,
    /// How hooks go through the post-renderers.
    pub(crate) post_render: weir_helm::Strategy,
}

/// Which release, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names {
    /// As the spec has it, before it is cut to what Helm takes.
    pub(crate) full: String,
    pub(crate) release: String,
    pub(crate) namespace: String,
    pub(crate) storage: String,
}

impl Names {
    pub(crate) fn of(own: &HelmRelease) -> Self {
        let (spec, metadata) = (&own.spec, &own.metadata);
        let full = match (&spec.release_name, &spec.target_namespace) {
            (Some(name), _) => name.clone(),
            (None, Some(target)) => format!("{target}-{}", metadata.name),
            (None, None) => metadata.name.clone(),
        };
        let or_own = |namespace: &Option<String>| namespace.as_ref().unwrap_or(&metadata.namespace).clone();
        Self {
            release: flux_name(&full),
            full,
            namespace: or_own(&spec.target_namespace),
            storage: or_own(&spec.storage_namespace),
        }
    }
}

/// How long actions may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timeouts {
    all: Duration,
    install: Duration,
    upgrade: Duration,
    test: Duration,
    rollback: Duration,
    uninstall: Duration,
}

impl Timeouts {
    fn read(own: &HelmRelease) -> Result<Self, Failure> {
        let spec = &own.spec;
        let or = |field: &str, text: Option<&String>, other| match text {
            Some(text) => duration(field, text),
            None => Ok(other),
        };
        let all = or("spec.timeout", spec.timeout.as_ref(), TIMEOUT)?;
        let of = |field: &str, text: Option<&String>| or(field, text, all);
        Ok(Self {
            all,
            install: of(
                "spec.install.timeout",
                spec.install.as_ref().and_then(|a| a.timeout.as_ref()),
            )?,
            upgrade: of(
                "spec.upgrade.timeout",
                spec.upgrade.as_ref().and_then(|a| a.timeout.as_ref()),
            )?,
            test: of(
                "spec.test.timeout",
                spec.test.as_ref().and_then(|a| a.timeout.as_ref()),
            )?,
            rollback: of(
                "spec.rollback.timeout",
                spec.rollback.as_ref().and_then(|a| a.timeout.as_ref()),
            )?,
            uninstall: of(
                "spec.uninstall.timeout",
                spec.uninstall.as_ref().and_then(|a| a.timeout.as_ref()),
            )?,
        })
    }

    /// How long an action may take.
    pub(crate) fn of(&self, next: Next) -> Duration {
        match next {
            Next::Install => self.install,
            Next::Upgrade => self.upgrade,
            Next::Test => self.test,
            Next::Rollback(_) => self.rollback,
            Next::Uninstall => self.uninstall,
            _ => self.all,
        }
    }
}

/// What is done about drift.
#[derive(Debug, Clone, Default)]
pub(crate) struct Drift {
    pub(crate) mode: DriftMode,
    /// Fields that others may change.
    pub(crate) ignore: IgnoreRules,
    /// Objects that others may change as a whole; `None` for all.
    pub(crate) whole: Vec<Option<CompiledSelector>>,
}

/// What is done about drift.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum DriftMode {
    #[default]
    Disabled,
    Warn,
    Enabled,
}

impl Drift {
    fn read(own: &HelmRelease) -> Result<Self, Failure> {
        let Some(spec) = &own.spec.drift_detection else {
            return Ok(Self::default());
        };
        let invalid = |e: &(dyn std::error::Error + 'static)| {
            Failure::stalled(
                reason::INVALID_SPEC,
                format!("spec.driftDetection.ignore: {}", chain(e)),
            )
        };
        let mut rules = Vec::new();
        let mut whole = Vec::new();
        for rule in &spec.ignore {
            let mut rule = IgnoreRule::from(rule);
            // The empty path is the object itself.
            if rule.paths.iter().any(String::is_empty) {
                let target = rule.target.as_ref().map(Selector::compile).transpose();
                whole.push(target.map_err(|e| invalid(&e))?);
            }
            rule.paths.retain(|path| !path.is_empty());
            rules.push(rule);
        }
        let mode = match spec.mode.as_deref() {
            Some("enabled") => DriftMode::Enabled,
            Some("warn") => DriftMode::Warn,
            _ => DriftMode::Disabled,
        };
        Ok(Self {
            mode,
            ignore: IgnoreRules::compile(&rules).map_err(|e| invalid(&e))?,
            whole,
        })
    }
}

impl Spec {
    /// Reads a spec; what is wrong with it stalls, since only a change of the object can help.
    pub(crate) fn read(own: HelmRelease, settings: &Settings) -> Result<Self, Failure> {
        let stalled = |message: String| Failure::stalled(reason::INVALID_SPEC, message);
        if own.spec.chart.is_some() == own.spec.chart_ref.is_some() {
            let message = "exactly one of spec.chart and spec.chartRef must be set";
            return Err(stalled(message.to_owned()));
        }
        let health = HealthRules::of(&own.spec.health_check_exprs)
            .map_err(|e| Failure::stalled(reason::INVALID_CEL_EXPRESSION, chain(&e)))?;
        let max_history = usize::try_from(own.spec.max_history.unwrap_or(HISTORY))
            .map_err(|_| stalled("spec.maxHistory: must not be negative".to_owned()))?;
        let strategy = own.spec.post_render_strategy.as_deref().unwrap_or_default();
        let post_render = weir_helm::Strategy::parse(strategy)
            .ok_or_else(|| stalled(format!("spec.postRenderStrategy: '{strategy}' is not known")))?;
        let spec = Self {
            interval: duration("spec.interval", &own.spec.interval)?,
            names: Names::of(&own),
            timeouts: Timeouts::read(&own)?,
            max_history,
            strategies: Strategies::read(&own.spec)?,
            health,
            drift: Drift::read(&own)?,
            post_render,
            own,
        };
        if let Some(reference) = &spec.own.spec.chart_ref {
            may_be_used(reference)?;
        }
        let (kind, namespace, name) = spec.source();
        allows(&spec.own, settings, &kind, &namespace, &name)?;
        allows_kind(settings, &kind, &namespace, &name)?;
        Ok(spec)
    }

    /// The spec of an object that is being deleted. Only what removing the release needs is read, and what is wrong with
    /// it falls back to a default: a mistake elsewhere must not keep the object for ever.
    pub(crate) fn of_deleted(own: HelmRelease) -> Self {
        let all = Timeouts {
            all: TIMEOUT,
            install: TIMEOUT,
            upgrade: TIMEOUT,
            test: TIMEOUT,
            rollback: TIMEOUT,
            uninstall: TIMEOUT,
        };
        let plain = HelmRelease {
            spec: weir_apis::kind::HelmReleaseSpec {
                install: None,
                upgrade: None,
                ..own.spec.clone()
            },
            ..own.clone()
        };
        Self {
            interval: duration("", &own.spec.interval).unwrap_or(TIMEOUT),
            names: Names::of(&own),
            timeouts: Timeouts::read(&plain).unwrap_or(all),
            max_history: own
                .spec
                .max_history
                .and_then(|n| usize::try_from(n).ok())
                .unwrap_or_default(),
            strategies: Strategies::none(),
            health: HealthRules::of(&own.spec.health_check_exprs).unwrap_or_default(),
            drift: Drift::default(),
            post_render: weir_helm::Strategy::default(),
            own,
        }
    }

    /// Where the chart is: what `chartRef` names, else the HelmChart that is made of the template.
    pub(crate) fn source(&self) -> Source {
        source_of(&self.own)
    }

    /// `spec.test.enable`
    pub(crate) fn tests(&self) -> bool {
        self.own.spec.test.as_ref().is_some_and(|test| test.enable)
    }

    /// `spec.test.ignoreFailures`
    pub(crate) fn ignores_tests(&self) -> bool {
        self.own
            .spec
            .test
            .as_ref()
            .is_some_and(|test| test.ignore_failures)
    }
}

/// Where the chart of an object is.
pub(crate) fn source_of(own: &HelmRelease) -> Source {
    let spec = &own.spec;
    if let Some(reference) = &spec.chart_ref {
        let namespace = reference.namespace.as_ref().unwrap_or(&own.metadata.namespace);
        return (reference.kind.clone(), namespace.clone(), reference.name.clone());
    }
    let chart = spec.chart.as_ref().map(|chart| template::of_template(own, chart));
    let (namespace, name) = chart.map(|c| (c.namespace, c.name)).unwrap_or_default();
    (HelmChart::KIND.to_owned(), namespace, name)
}

fn may_be_used(reference: &ChartRef) -> Result<(), Failure> {
    if [OciRepository::KIND, HelmChart::KIND, ExternalArtifact::KIND].contains(&reference.kind.as_str()) {
        return Ok(());
    }
    let message = format!(
        "spec.chartRef: sources of kind {} are not built yet; use an OCIRepository or a HelmChart",
        reference.kind
    );
    Err(Failure::stalled(reason::FEATURE_GATE_DISABLED, message))
}

/// Refuses what lies in another namespace, where that is not allowed.
pub(crate) fn allows(
    own: &HelmRelease,
    settings: &Settings,
    kind: &str,
    namespace: &str,
    name: &str,
) -> Result<(), Failure> {
    if settings.no_cross_namespace_refs && namespace != own.metadata.namespace {
        let message =
            format!("can't access '{kind}/{namespace}/{name}', cross-namespace references have been blocked");
        return Err(Failure::stalled(reason::ACCESS_DENIED, message));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
