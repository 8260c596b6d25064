//! From a tree to objects: kustomize, then substitution. Pure, and run off the async threads (flux-controllers.md
//! §3.2–3.4, §3.1 steps 9 and 10).

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::Value;
use weir_apis::{Object, key, reason};
use weir_kustomize::{Cache, MemoryFiles};
use weir_oci::Digest;
use weir_runtime::Failure;
use weir_runtime::verdict::chain;
use weir_subst::{Mode, Variables, substitute};
use weir_yaml::{Dialect, emit};

use crate::generate::generate;
use crate::spec::Spec;
use crate::variables::Known;

/// What the source wants in the cluster.
#[derive(Debug)]
pub(crate) struct Built {
    /// In the order of the build.
    pub(crate) objects: Vec<Object>,
    /// SHA-256 of the objects as a YAML stream, as `sha256:<hex>`: the key of the history.
    pub(crate) digest: String,
}

/// Builds what the spec asks for from a tree. Trees are shared and builds independent, so they run side by side.
pub(crate) async fn build(
    tree: Arc<MemoryFiles>,
    cache: Arc<Cache>,
    spec: &Spec,
    known: Option<Known>,
    strict: bool,
) -> Result<Built, Failure> {
    let own = spec.own.clone();
    let retry = spec.retry;
    let failed = move |message: String| Failure::retry_after(reason::BUILD_FAILED, retry, message);
    let task = tokio::task::spawn_blocking(move || {
        let mask = known.as_ref().map(|k| k.secrets.clone()).unwrap_or_default();
        build_now(&tree, &cache, &own, known.as_ref(), strict)
            .map_err(|message| mask.apply(&message).into_owned())
    });
    match task.await {
        Ok(built) => built.map_err(failed),
        Err(error) => Err(failed(format!("the build did not end: {error}"))),
    }
}

fn build_now(
    tree: &MemoryFiles,
    cache: &Cache,
    own: &weir_apis::kind::Kustomization,
    known: Option<&Known>,
    strict: bool,
) -> Result<Built, String> {
    let resources = generate(tree, cache, &own.spec).map_err(|e| e.chain())?;
    let always = own
        .spec
        .post_build
        .as_ref()
        .and_then(|p| p.substitute_strategy.as_deref())
        == Some("Always");
    let variables = known.map(|k| &k.variables).filter(|v| always || !v.is_empty());
    let mode = if strict { Mode::Strict } else { Mode::Lenient };
    let mut objects = Vec::new();
    for resource in resources.objects() {
        let value = match variables {
            Some(variables) => substituted(&resource.value, variables, mode)?,
            None => resource.value.clone(),
        };
        collect(value, &mut objects)?;
    }
    let mut stream = String::new();
    for object in &objects {
        // Writing to a String can't fail.
        let _ignored = write!(stream, "---\n{}", emit::sigs(&object.to_value()));
    }
    Ok(Built {
        objects,
        digest: Digest::of(stream.as_bytes()).to_string(),
    })
}

/// One object with its variables replaced: written as YAML, substituted as text, read again, as Flux does. So a value may
/// change its type, and keys are substituted too.
fn substituted(value: &Value, variables: &Variables, mode: Mode) -> Result<Value, String> {
    if opts_out(value) {
        return Ok(value.clone());
    }
    let text = emit::sigs(value);
    let what = name(value);
    let text = substitute(&text, variables, mode)
        .map_err(|e| format!("post build failed for '{what}': {}", chain(&e)))?;
    let documents =
        weir_yaml::parse_all(&text).map_err(|e| format!("post build failed for '{what}': {}", chain(&e)))?;
    let root = documents.first().and_then(|d| d.root.as_ref());
    let root = root.ok_or_else(|| format!("post build failed for '{what}': nothing is left of it"))?;
    weir_yaml::to_json(root, Dialect::Sigs)
        .map_err(|e| format!("post build failed for '{what}': {}", chain(&e)))
}

fn opts_out(value: &Value) -> bool {
    ["labels", "annotations"].iter().any(|field| {
        let says = value
            .get("metadata")
            .and_then(|m| m.get(field))
            .and_then(|m| m.get(key::SUBSTITUTE));
        says.and_then(Value::as_str) == Some("disabled")
    })
}

fn name(value: &Value) -> String {
    let text = |path: &str| value.pointer(path).and_then(Value::as_str).unwrap_or_default();
    format!(
        "{}/{}/{}",
        text("/apiVersion"),
        text("/kind"),
        text("/metadata/name")
    )
}

/// Adds an object; a List adds its items, and kustomize's own files are no objects.
fn collect(value: Value, objects: &mut Vec<Object>) -> Result<(), String> {
    let text = |path: &str| value.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let (version, kind) = (text("/apiVersion"), text("/kind"));
    if kind == "Kustomization" && version.starts_with("kustomize.config.k8s.io/") {
        return Ok(());
    }
    if kind.ends_with("List") && value.get("items").is_some_and(Value::is_array) {
        let items = value
            .get("items")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        return items.into_iter().try_for_each(|item| collect(item, objects));
    }
    let what = name(&value);
    let object =
        Object::from_value(value).map_err(|e| format!("'{what}' is no Kubernetes object: {}", chain(&e)))?;
    if object.name().is_empty() {
        return Err(format!("'{what}' has no metadata.name"));
    }
    objects.push(object);
    Ok(())
}
