//! Built-in generators and transformers configured by objects of their own, as `generators` and
//! `transformers` list them. Nothing outside the engine is ever run (N17).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use weir_yaml::{Dialect, to_json};

use crate::charts::Charts;
use crate::decode;
use crate::error::{Error, ErrorKind, Result, Within};
use crate::fieldspec::FieldSpec;
use crate::generate;
use crate::jsonpatch;
use crate::kustomization::{GeneratorArgs, Image, Meta, Patch, PatchOptions, Replacement, Replica};
use crate::loader::Loader;
use crate::resource::Resource;
use crate::selector::Selector;
use crate::shape::{ADD_TARGETS, PLUGIN};
use crate::transform::{
    AddTarget, PatchTransformer, SubjectMode, Transformer, load_replacements, load_strategic_merge_patches,
};

/// The Google service account of `IAMPolicyGenerator`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ServiceAccount {
    name: String,
    project_id: String,
}

/// The configuration of any of them.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Plugin {
    metadata: Meta,
    annotations: BTreeMap<String, String>,
    labels: BTreeMap<String, String>,
    field_specs: Option<Vec<FieldSpec>>,
    image_tag: Image,
    unset_only: bool,
    set_role_binding_subjects: String,
    target: Option<Selector>,
    path: String,
    json_op: String,
    paths: Vec<String>,
    patches: String,
    patch: String,
    options: Option<Value>,
    prefix: String,
    suffix: String,
    replacements: Vec<Replacement>,
    replica: Replica,
    value: String,
    targets: Vec<AddTarget>,
    target_file_path: String,
    cloud: String,
    kubernetes_service: Meta,
    service_account: ServiceAccount,
}

fn config(resource: &Resource) -> Result<Value> {
    let value = to_json(resource.node(), Dialect::Kyaml)?;
    decode::checked(value, &PLUGIN, false)
}

fn plugin(resource: &Resource) -> Result<Plugin> {
    serde_json::from_value(config(resource)?)
        .map_err(|error| Error::invalid(format!("error unmarshaling JSON: {error}")))
}

fn builtin_only(resource: &Resource) -> Result<()> {
    if resource.api_version() == "builtin" {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Plugin,
        format!(
            "external plugins disabled; unable to load external plugin '{}' of '{}': \
             no program, container or function is ever run during a build",
            resource.kind(),
            resource.api_version()
        ),
    ))
}

fn unknown(resource: &Resource) -> Error {
    Error::new(
        ErrorKind::Plugin,
        format!("unable to load builtin {}", resource.gvk()),
    )
}

fn configuring(resource: &Resource) -> String {
    format!("plugin {} fails configuration", resource.gvk())
}

/// Runs a generator.
pub(crate) fn generate(
    resource: &Resource,
    loader: &Loader<'_>,
    charts: Option<&dyn Charts>,
) -> Result<Vec<Resource>> {
    builtin_only(resource)?;
    let made = match resource.kind() {
        kind @ ("ConfigMapGenerator" | "SecretGenerator") => {
            let config = config(resource)?;
            let meta: Meta = config
                .get("metadata")
                .cloned()
                .map(serde_json::from_value)
                .transpose()
                .map_err(|error| Error::invalid(error.to_string()))?
                .unwrap_or_default();
            let mut args: GeneratorArgs = serde_json::from_value(config)
                .map_err(|error| Error::invalid(format!("error unmarshaling JSON: {error}")))
                .within(|| configuring(resource))?;
            if args.name.is_empty() {
                args.name = meta.name;
            }
            if args.namespace.is_empty() {
                args.namespace = meta.namespace;
            }
            // Only kustomization files have this old spelling of `envs`.
            args.env.clear();
            if kind == "ConfigMapGenerator" {
                generate::config_map(&args, loader)?
            } else {
                generate::secret(&args, loader)?
            }
        }
        "IAMPolicyGenerator" => {
            let plugin = plugin(resource).within(|| configuring(resource))?;
            generate::iam_policy(
                &plugin.cloud,
                &plugin.kubernetes_service,
                &plugin.service_account.name,
                &plugin.service_account.project_id,
                &plugin.kubernetes_service.namespace,
            )?
        }
        "HelmChartInflationGenerator" => {
            let config = to_json(resource.node(), Dialect::Kyaml)?;
            return generate::helm_chart(&config, &config, "", loader, charts)
                .within(|| configuring(resource));
        }
        _ => return Err(unknown(resource)),
    };
    Ok(vec![made])
}

/// Makes the transformers that an object configures; most make one.
pub(crate) fn transformers(resource: &Resource, loader: &Loader<'_>) -> Result<Vec<Transformer>> {
    builtin_only(resource)?;
    let plugin = plugin(resource).within(|| configuring(resource))?;
    let kind = resource.kind();
    let specs = plugin.field_specs.clone().unwrap_or_default();
    let required = || {
        plugin
            .field_specs
            .clone()
            .ok_or_else(|| Error::invalid("fieldSpecs is not expected to be nil"))
    };
    let one = match kind {
        "AnnotationsTransformer" => Transformer::Annotations {
            annotations: plugin.annotations,
            specs,
        },
        "LabelTransformer" => Transformer::Labels {
            labels: plugin.labels,
            specs,
        },
        "HashTransformer" => Transformer::Hash,
        "ImageTagTransformer" => Transformer::Images {
            images: vec![plugin.image_tag],
            specs,
        },
        "NamespaceTransformer" => Transformer::Namespace {
            namespace: plugin.metadata.namespace,
            specs,
            unset_only: plugin.unset_only,
            subjects: SubjectMode::parse(&plugin.set_role_binding_subjects)
                .within(|| configuring(resource))?,
        },
        "PatchJson6902Transformer" => {
            json6902(plugin.target, &plugin.path, &plugin.json_op, loader).within(|| configuring(resource))?
        }
        "PatchStrategicMergeTransformer" => strategic(&plugin, loader).within(|| configuring(resource))?,
        "PatchTransformer" => {
            let options: Option<PatchOptions> = plugin
                .options
                .map(serde_json::from_value)
                .transpose()
                .map_err(|error| Error::invalid(error.to_string()))?;
            let patch = Patch {
                path: plugin.path,
                patch: plugin.patch,
                target: plugin.target,
                options,
            };
            Transformer::Patch(PatchTransformer::load(&patch, loader).within(|| configuring(resource))?)
        }
        "PrefixTransformer" => Transformer::Prefix {
            prefix: plugin.prefix,
            specs: required()?,
        },
        "SuffixTransformer" => Transformer::Suffix {
            suffix: plugin.suffix,
            specs: required()?,
        },
        "PrefixSuffixTransformer" => {
            let specs = required()?;
            return Ok(vec![
                Transformer::Prefix {
                    prefix: plugin.prefix,
                    specs: specs.clone(),
                },
                Transformer::Suffix {
                    suffix: plugin.suffix,
                    specs,
                },
            ]);
        }
        "ReplacementTransformer" => {
            Transformer::Replacements(load_replacements(&plugin.replacements, loader)?)
        }
        "ReplicaCountTransformer" => Transformer::Replicas {
            replica: plugin.replica,
            specs,
        },
        "ValueAddTransformer" => value_add(plugin, loader).within(|| configuring(resource))?,
        _ => return Err(unknown(resource)),
    };
    Ok(vec![one])
}

/// A JSON patch given as a file or as text.
pub(crate) fn json6902(
    target: Option<Selector>,
    path: &str,
    text: &str,
    loader: &Loader<'_>,
) -> Result<Transformer> {
    if target.as_ref().is_none_or(|target| target.name.is_empty()) {
        return Err(Error::invalid("must specify the target name"));
    }
    let loaded;
    let text = match (path.is_empty(), text.is_empty()) {
        (true, true) => return Err(Error::invalid("empty file path and empty jsonOp")),
        (false, false) => {
            return Err(Error::invalid("must specify a file path or jsonOp, not both"));
        }
        (true, false) => text,
        (false, true) => {
            loaded = loader.load_text(path)?;
            if loaded.is_empty() {
                return Err(Error::invalid(format!(
                    "patch file '{path}' empty seems to be empty"
                )));
            }
            loaded.as_str()
        }
    };
    let operations = jsonpatch::parse(text).within(|| format!("decoding JSON patch {path}"))?;
    if operations.is_empty() {
        return Err(Error::invalid(format!(
            "patch appears to be empty; file={path}, JsonOp={text}"
        )));
    }
    Ok(Transformer::PatchJson6902 { target, operations })
}

fn strategic(plugin: &Plugin, loader: &Loader<'_>) -> Result<Transformer> {
    if plugin.paths.is_empty() && plugin.patches.is_empty() {
        return Err(Error::invalid("empty file path and empty patch content"));
    }
    let mut patches = if plugin.paths.is_empty() {
        Vec::new()
    } else {
        load_strategic_merge_patches(&plugin.paths, loader)?
    };
    if !plugin.patches.is_empty() {
        patches.extend(crate::load::patches(plugin.patches.as_bytes())?);
    }
    if patches.is_empty() {
        return Err(Error::invalid("patch appears to be empty"));
    }
    Ok(Transformer::PatchStrategicMerge(patches))
}

fn value_add(plugin: Plugin, loader: &Loader<'_>) -> Result<Transformer> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Targets {
        targets: Vec<AddTarget>,
    }
    let mut value = plugin.value.trim().to_owned();
    if value.is_empty() {
        crate::files::base_name(loader.root()).clone_into(&mut value);
    }
    let mut targets = plugin.targets;
    if !plugin.target_file_path.is_empty() {
        let text = loader.load_text(&plugin.target_file_path)?;
        let more: Targets = decode::typed(&text, &ADD_TARGETS, false)?;
        targets.extend(more.targets);
    }
    if targets.is_empty() {
        return Err(Error::invalid("must specify at least one target"));
    }
    if targets.iter().any(|target| target.field_path.is_empty()) {
        return Err(Error::invalid("fieldPath cannot be empty"));
    }
    Ok(Transformer::ValueAdd { value, targets })
}
