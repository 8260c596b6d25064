//! `spec.postBuild`: where the variables come from (flux-controllers.md §3.4).

use serde_json::Value;
use weir_apis::{GroupVersionKind, Object, ObjectRef, reason, secret};
use weir_cluster::Client;
use weir_redact::Mask;
use weir_runtime::Failure;
use weir_runtime::verdict::chain;
use weir_subst::Variables;

use crate::spec::Spec;

/// The variables of a Kustomization, and the values among them that came from Secrets.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) variables: Variables,
    pub(crate) secrets: Mask,
}

/// Reads `substituteFrom` in order, then `substitute`; later ones win. `None` without `spec.postBuild`.
/// ConfigMaps and Secrets are read with the controller's own rights, from the object's own namespace only.
pub(crate) async fn gather(client: &Client, spec: &Spec) -> Result<Option<Known>, Failure> {
    let own = &spec.own;
    let Some(post_build) = &own.spec.post_build else {
        return Ok(None);
    };
    let mut known = Known::default();
    for source in &post_build.substitute_from {
        let reference = ObjectRef::new(
            GroupVersionKind::new("", "v1", &*source.kind),
            &*own.metadata.namespace,
            &*source.name,
        );
        let failed = |message: String| Failure::retry_after(reason::BUILD_FAILED, spec.retry, message);
        let what = format!("{} '{}/{}'", source.kind, own.metadata.namespace, source.name);
        match client.get(&reference).await {
            Ok(Some(object)) => take(&mut known, &object, &what).map_err(failed)?,
            Ok(None) if source.optional => {}
            Ok(None) => return Err(failed(format!("substitute from {what} error: not found"))),
            Err(error) => return Err(failed(format!("substitute from {what} error: {}", chain(&error)))),
        }
    }
    for (name, value) in &post_build.substitute {
        let failed = |e| {
            Failure::retry_after(
                reason::BUILD_FAILED,
                spec.retry,
                format!("spec.postBuild.substitute: {}", chain(&e)),
            )
        };
        known.variables.set(name.clone(), value).map_err(failed)?;
    }
    Ok(Some(known))
}

fn take(known: &mut Known, object: &Object, what: &str) -> Result<(), String> {
    if object.kind() == "Secret" {
        for (name, value) in secret::values(object) {
            let value = value.ok_or_else(|| format!("key '{name}' of {what} is not base64"))?;
            let text = std::str::from_utf8(value.expose())
                .map_err(|_| format!("key '{name}' of {what} is not text"))?;
            known.secrets.add(text);
            known
                .variables
                .set(name, text)
                .map_err(|e| format!("{what}: {}", chain(&e)))?;
        }
        return Ok(());
    }
    let data = object
        .get(&["data"])
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    for (name, value) in data {
        if let Some(text) = value.as_str() {
            known
                .variables
                .set(name, text)
                .map_err(|e| format!("{what}: {}", chain(&e)))?;
        }
    }
    Ok(())
}
