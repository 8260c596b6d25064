//! `spec.dependsOn`: what must be ready first (flux-controllers.md §3.1 step 6).

use weir_apis::condition::{Conditions, READY, Status};
use weir_apis::kind::{Dependency, Kustomization, SourceRef};
use weir_apis::{GroupVersionKind, Object, ObjectRef, reason};
use weir_cluster::Client;
use weir_plan::Expr;
use weir_runtime::Failure;
use weir_runtime::verdict::chain;

use crate::Settings;

/// Reads every dependency, and fails with what is not ready yet.
pub(crate) async fn check(
    client: &Client,
    settings: &Settings,
    object: &Object,
    own: &Kustomization,
    revision: &str,
) -> Result<(), Failure> {
    for dependency in &own.spec.depends_on {
        let namespace = dependency.namespace.as_deref().unwrap_or(&own.metadata.namespace);
        let gvk = GroupVersionKind::new(Kustomization::GROUP, Kustomization::VERSION, Kustomization::KIND);
        let reference = ObjectRef::new(gvk, namespace, &*dependency.name);
        let wait = |message: String| {
            Failure::waiting(reason::DEPENDENCY_NOT_READY, settings.requeue_dependency, message)
        };
        // Read live, not from the mirror: the answer orders rollouts.
        let found = client
            .get(&reference)
            .await
            .map_err(|e| {
                wait(format!(
                    "cannot read dependency '{namespace}/{}': {}",
                    dependency.name,
                    chain(&e)
                ))
            })?
            .ok_or_else(|| wait(format!("dependency '{namespace}/{}' not found", dependency.name)))?;
        if let Some(expression) = &dependency.ready_expr {
            ask(expression, object, &found, dependency).map_err(|e| match e {
                Asked::Invalid(m) => Failure::stalled(reason::INVALID_CEL_EXPRESSION, m),
                Asked::NotReady(m) => wait(m),
            })?;
        } else if let Err(why) = is_ready(&found, own, revision) {
            return Err(wait(format!(
                "dependency '{namespace}/{}' is not ready: {why}",
                dependency.name
            )));
        }
    }
    Ok(())
}

enum Asked {
    Invalid(String),
    NotReady(String),
}

fn ask(expression: &str, own: &Object, found: &Object, dependency: &Dependency) -> Result<(), Asked> {
    let compiled = Expr::compile(expression, &["self", "dep"]).map_err(|e| {
        Asked::Invalid(format!(
            "the readyExpr of dependency '{}' is invalid: {}",
            dependency.name,
            chain(&e)
        ))
    })?;
    let data = serde_json::Map::from_iter([
        ("self".to_owned(), own.to_value()),
        ("dep".to_owned(), found.to_value()),
    ]);
    match compiled.evaluate_bool(&data) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Asked::NotReady(format!(
            "dependency '{}' is not ready according to readyExpr",
            dependency.name
        ))),
        Err(e) => Err(Asked::NotReady(format!(
            "the readyExpr of dependency '{}' cannot be evaluated: {}",
            dependency.name,
            chain(&e)
        ))),
    }
}

/// Ready, for its newest generation, and with the revision that this object is about to apply if both build from
/// one source: that orders a rollout through the chain.
fn is_ready(found: &Object, own: &Kustomization, revision: &str) -> Result<(), String> {
    let Ok(other) = found.parse::<Kustomization>() else {
        return Err("it is malformed".into());
    };
    if other.status.observed_generation != Some(found.generation()) {
        return Err("its newest generation is not reconciled yet".into());
    }
    if !Conditions::of(found).is(READY, Status::True) {
        return Err("its Ready condition is not True".into());
    }
    if same_source(
        &own.spec.source_ref,
        &own.metadata.namespace,
        &other.spec.source_ref,
        &other.metadata.namespace,
    ) && other.status.last_applied_revision.as_deref() != Some(revision)
    {
        return Err(format!("it has not applied revision {revision} yet"));
    }
    Ok(())
}

fn same_source(a: &SourceRef, a_namespace: &str, b: &SourceRef, b_namespace: &str) -> bool {
    a.kind == b.kind
        && a.name == b.name
        && a.namespace.as_deref().unwrap_or(a_namespace) == b.namespace.as_deref().unwrap_or(b_namespace)
}
