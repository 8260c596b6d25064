//! What a Kustomization refers to: its source, and ConfigMaps and Secrets.

use std::collections::BTreeSet;

use weir_apis::Object;
use weir_apis::kind::{Kustomization, SourceRef};
use weir_runtime::configs::{Config, named};
use weir_runtime::sources::Source;

/// The source that an object builds from.
pub(crate) fn source_of(object: &Object) -> BTreeSet<Source> {
    let field = |name: &str| object.get(&["spec", "sourceRef", name]).and_then(|v| v.as_str());
    let namespace = field("namespace").unwrap_or(object.namespace());
    field("kind")
        .zip(field("name"))
        .map(|(kind, name)| (kind.to_owned(), namespace.to_owned(), name.to_owned()))
        .into_iter()
        .collect()
}

/// The ConfigMaps and Secrets that an object's spec names: for substitution, for another cluster, for decryption.
pub(crate) fn configs_of(object: &Object) -> BTreeSet<Config> {
    let decryption: &[&str] = &["spec", "decryption", "secretRef", "name"];
    named(
        object,
        &[("Secret", decryption)],
        &["spec", "postBuild", "substituteFrom"],
    )
}

/// Whether a dependency has applied the revision that this object is about to apply, if both build from one source: that
/// orders a rollout through the chain.
pub(crate) fn has_applied(dependency: &Object, own: &Kustomization, revision: &str) -> Result<(), String> {
    let Ok(other) = dependency.parse::<Kustomization>() else {
        return Err("it is malformed".into());
    };
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
