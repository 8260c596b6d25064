//! `healthCheckExprs`: readiness by CEL, in the place of the built-in rules (flux-controllers.md §3.9).

use jiff::Timestamp;
use weir_apis::{GroupKind, GroupVersionKind, Object};

use crate::cel::{EvaluationError, Expr, InvalidExpression};
use crate::readiness::{Readiness, Status, readiness};

/// One entry of `healthCheckExprs`, as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HealthExprs {
    /// API version of the objects it is about; only the group counts.
    pub api_version: String,
    /// Kind; empty for the whole group.
    pub kind: String,
    /// True of an object that is ready.
    pub current: String,
    /// True of an object that has failed; empty for none.
    pub failed: String,
    /// True of an object that is on its way; empty for none.
    pub in_progress: String,
}

impl From<&weir_apis::kind::HealthCheckExpr> for HealthExprs {
    fn from(expr: &weir_apis::kind::HealthCheckExpr) -> Self {
        Self {
            api_version: expr.api_version.clone(),
            kind: expr.kind.clone().unwrap_or_default(),
            current: expr.current.clone(),
            failed: expr.failed.clone().unwrap_or_default(),
            in_progress: expr.in_progress.clone().unwrap_or_default(),
        }
    }
}

/// An entry that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHealthExprs {
    /// `current` is empty.
    #[error("expression Current not specified")]
    NoCurrent,
    /// An expression can't be used.
    #[error("failed to parse the expression {name}")]
    Expression {
        /// Which of the three.
        name: &'static str,
        /// What is wrong with it.
        #[source]
        source: InvalidExpression,
    },
    /// Two entries are about the same objects.
    #[error("duplicate health check expressions for {0}")]
    Duplicate(GroupKind),
}

/// One entry, compiled.
#[derive(Debug, Clone, PartialEq)]
pub struct HealthRule {
    about: GroupKind,
    in_progress: Option<Expr>,
    failed: Option<Expr>,
    current: Expr,
}

impl HealthRule {
    /// Compiles an entry.
    pub fn compile(exprs: &HealthExprs) -> Result<Self, InvalidHealthExprs> {
        let one = |name: &'static str, source: &str| {
            Expr::parse(source).map_err(|source| InvalidHealthExprs::Expression { name, source })
        };
        let maybe =
            |name: &'static str, source: &str| (!source.is_empty()).then(|| one(name, source)).transpose();
        if exprs.current.is_empty() {
            return Err(InvalidHealthExprs::NoCurrent);
        }
        let gvk = GroupVersionKind::from_api_version(&exprs.api_version, exprs.kind.as_str());
        Ok(Self {
            about: gvk.group_kind(),
            current: one("Current", &exprs.current)?,
            failed: maybe("Failed", &exprs.failed)?,
            in_progress: maybe("InProgress", &exprs.in_progress)?,
        })
    }

    /// Whether the rule is about a kind.
    pub fn supports(&self, kind: &GroupKind) -> bool {
        self.about.group == kind.group && (self.about.kind.is_empty() || self.about.kind == kind.kind)
    }

    /// What the rule says of an object: in progress, failed and current are asked in this order, and what is
    /// none of them is in progress.
    pub fn status(&self, object: &Object) -> Result<Status, EvaluationError> {
        let number = |path: [&str; 2]| object.get(&path).and_then(serde_json::Value::as_i64);
        if let (Some(observed), Some(generation)) = (
            number(["status", "observedGeneration"]),
            number(["metadata", "generation"]),
        ) && observed != generation
        {
            return Ok(Status::InProgress);
        }
        let questions = [
            (self.in_progress.as_ref(), Status::InProgress),
            (self.failed.as_ref(), Status::Failed),
            (Some(&self.current), Status::Current),
        ];
        for (expr, status) in questions {
            if let Some(expr) = expr
                && expr.evaluate_bool(object.as_map())?
            {
                return Ok(status);
            }
        }
        Ok(Status::InProgress)
    }
}

/// The rules of one owner.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HealthRules(Vec<HealthRule>);

impl HealthRules {
    /// The rules of a spec.
    pub fn of(spec: &[weir_apis::kind::HealthCheckExpr]) -> Result<Self, InvalidHealthExprs> {
        let exprs: Vec<HealthExprs> = spec.iter().map(HealthExprs::from).collect();
        Self::compile(&exprs)
    }

    /// Compiles all entries.
    pub fn compile(exprs: &[HealthExprs]) -> Result<Self, InvalidHealthExprs> {
        let mut rules: Vec<HealthRule> = Vec::with_capacity(exprs.len());
        for entry in exprs {
            let rule = HealthRule::compile(entry)?;
            if rules.iter().any(|r| r.about == rule.about) {
                return Err(InvalidHealthExprs::Duplicate(rule.about));
            }
            rules.push(rule);
        }
        Ok(Self(rules))
    }

    /// The rule about a kind: the first that supports it.
    pub fn find(&self, kind: &GroupKind) -> Option<&HealthRule> {
        self.0.iter().find(|rule| rule.supports(kind))
    }

    /// Whether an object is ready, by its rule or, without one, by the built-in rules. An expression that
    /// can't be evaluated makes it `Unknown`: the wait goes on, since a later state may have the field.
    pub fn readiness(&self, object: &Object, now: Timestamp) -> Readiness {
        match self.find(&object.gvk().group_kind()) {
            None => readiness(object, now),
            Some(rule) => match rule.status(object) {
                Ok(status) => Readiness::new(status, "", ""),
                Err(error) => Readiness::new(Status::Unknown, "", error.to_string()),
            },
        }
    }
}
