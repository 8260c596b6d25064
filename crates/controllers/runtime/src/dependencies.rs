//! `spec.dependsOn`: what must be ready first (flux-controllers.md §3.1 step 6, §4.2 step 4), and who waits for whom, so
//! that one that becomes ready wakes those behind it.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock, Weak};

use weir_apis::condition::{Conditions, READY, Status};
use weir_apis::kind::Dependency;
use weir_apis::{Object, ObjectRef, reason};
use weir_cluster::mirror::Change;
use weir_cluster::{Client, Lookup, Mirror};
use weir_plan::Expr;

use crate::verdict::chain;
use crate::{Failure, Index, Key, Settings, Waker};

/// Reads every dependency, which is of the object's own kind, and fails with what is not ready yet: its `readyExpr`
/// decides, else it must be Ready for its newest generation, and `also` must find nothing against it.
pub async fn check(
    client: &Client,
    settings: &Settings,
    object: &Object,
    depends_on: &[Dependency],
    also: impl Fn(&Object) -> Result<(), String>,
) -> Result<(), Failure> {
    for dependency in depends_on {
        let namespace = dependency.namespace.as_deref().unwrap_or(object.namespace());
        let reference = ObjectRef::new(object.gvk(), namespace, &*dependency.name);
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
        } else if let Err(why) = is_ready(&found).and_then(|()| also(&found)) {
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

/// Ready, for its newest generation.
fn is_ready(found: &Object) -> Result<(), String> {
    let observed = found
        .get(&["status", "observedGeneration"])
        .and_then(serde_json::Value::as_i64);
    if observed != Some(found.generation()) {
        return Err("its newest generation is not reconciled yet".into());
    }
    if !Conditions::of(found).is(READY, Status::True) {
        return Err("its Ready condition is not True".into());
    }
    Ok(())
}

/// The objects of its own kind that an object depends on.
pub fn of(object: &Object) -> BTreeSet<Key> {
    let list = object
        .get(&["spec", "dependsOn"])
        .and_then(|v| v.as_array())
        .into_iter()
        .flatten();
    list.filter_map(|entry| {
        let namespace = entry
            .get("namespace")
            .and_then(|v| v.as_str())
            .unwrap_or(object.namespace());
        Some((namespace.to_owned(), entry.get("name")?.as_str()?.to_owned()))
    })
    .collect()
}

/// Wakes those that wait for an object whose status says something else than before: a dependent need not wait for its
/// next look at the clock.
pub fn wake_dependents(
    change: &Change,
    dependents: &Index<Key>,
    own: &Weak<Mirror>,
    waker: &OnceLock<Waker>,
) {
    let (true, Some(new), Some(waker)) = (has_new_status(change), &change.new, waker.get()) else {
        return;
    };
    let own: Option<Arc<Mirror>> = own.upgrade();
    let waits = |key: &Key| match own.as_ref().map(|m| m.get(&key.0, &key.1)) {
        Some(Lookup::Known(dependent)) => !Conditions::of(&dependent).is(READY, Status::True),
        _ => false,
    };
    let key = (new.namespace().to_owned(), new.name().to_owned());
    for key in dependents.users(&key).into_iter().filter(waits) {
        waker.wake(&key.0, &key.1);
    }
}

/// Whether an object came, or its status says something else than before: what a dependent may wait for.
fn has_new_status(change: &Change) -> bool {
    let status = |object: &Object| object.get(&["status"]).cloned();
    match (&change.old, &change.new) {
        (None, Some(_)) => true,
        (Some(old), Some(new)) => status(old) != status(new),
        _ => false,
    }
}
