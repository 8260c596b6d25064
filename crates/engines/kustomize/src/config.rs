//! The transformer configuration: field specs of each transformer, built in and added by
//! `configurations` and `crds`.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::error::{Error, Result, Within};
use crate::fieldspec::{FieldSpec, merge_all};
use crate::id::Gvk;

/// Objects and the fields that refer to them by name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct NameReference {
    /// The objects referred to.
    #[serde(flatten)]
    pub(crate) gvk: Gvk,
    /// The fields that do so.
    #[serde(rename = "fieldSpecs")]
    pub(crate) referrers: Vec<FieldSpec>,
}

/// All of it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Config {
    pub(crate) name_prefix: Vec<FieldSpec>,
    pub(crate) name_suffix: Vec<FieldSpec>,
    pub(crate) namespace: Vec<FieldSpec>,
    pub(crate) common_labels: Vec<FieldSpec>,
    pub(crate) labels: Vec<FieldSpec>,
    pub(crate) template_labels: Vec<FieldSpec>,
    pub(crate) common_annotations: Vec<FieldSpec>,
    pub(crate) name_reference: Vec<NameReference>,
    pub(crate) var_reference: Vec<FieldSpec>,
    pub(crate) images: Vec<FieldSpec>,
    pub(crate) replicas: Vec<FieldSpec>,
    /// It came from a merge into nothing, which would change nothing any more.
    #[serde(skip)]
    settled: bool,
}

/// kustomize's defaults.
static BUILTIN: LazyLock<Config> = LazyLock::new(|| {
    let mut config = parse_builtin(include_str!("../data/fieldspecs.txt"));
    config.sort();
    config
});

impl Config {
    /// kustomize's defaults.
    pub(crate) fn builtin() -> Self {
        BUILTIN.clone()
    }

    /// The outcome of a merge into nothing: rules that others before them cover are left out, and refused if they
    /// contradict those.
    pub(crate) fn merged(&self) -> Result<Self> {
        let mut merged = Self::default();
        merged.merge(self)?;
        merged.settled = true;
        Ok(merged)
    }

    /// Whether [`Self::merged`], and a merge with itself, would change nothing.
    pub(crate) fn is_settled(&self) -> bool {
        self.settled
    }

    fn lists(&self) -> [&Vec<FieldSpec>; 10] {
        [
            &self.name_prefix,
            &self.name_suffix,
            &self.namespace,
            &self.common_annotations,
            &self.common_labels,
            &self.labels,
            &self.template_labels,
            &self.var_reference,
            &self.images,
            &self.replicas,
        ]
    }

    fn lists_mut(&mut self) -> [(&'static str, &mut Vec<FieldSpec>); 10] {
        [
            ("NamePrefix", &mut self.name_prefix),
            ("NameSuffix", &mut self.name_suffix),
            ("NameSpace", &mut self.namespace),
            ("CommonAnnotations", &mut self.common_annotations),
            ("CommonLabels", &mut self.common_labels),
            ("Labels", &mut self.labels),
            ("TemplateLabels", &mut self.template_labels),
            ("VarReference", &mut self.var_reference),
            ("Images", &mut self.images),
            ("Replicas", &mut self.replicas),
        ]
    }

    /// Orders each list by type, as kustomize does after each merge.
    pub(crate) fn sort(&mut self) {
        for (_, list) in self.lists_mut() {
            list.sort_by_cached_key(|spec| spec.gvk.order());
        }
        self.name_reference
            .sort_by_cached_key(|reference| reference.gvk.order());
    }

    /// Adds another configuration.
    pub(crate) fn merge(&mut self, other: &Self) -> Result<()> {
        self.settled = false;
        for ((name, list), incoming) in self.lists_mut().into_iter().zip(other.lists()) {
            merge_all(list, incoming).within(|| format!("failed to merge {name} fieldSpec"))?;
        }
        for reference in &other.name_reference {
            self.add_name_reference(reference)
                .within(|| "failed to merge NameReference fieldSpec".into())?;
        }
        self.sort();
        Ok(())
    }

    /// Adds fields that refer to a type.
    pub(crate) fn add_name_reference(&mut self, reference: &NameReference) -> Result<()> {
        let known = self
            .name_reference
            .iter_mut()
            .find(|known| known.gvk == reference.gvk);
        if let Some(known) = known {
            return merge_all(&mut known.referrers, &reference.referrers);
        }
        self.name_reference.push(reference.clone());
        Ok(())
    }

    /// Reads a `configurations` file.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let value = crate::decode::yaml(text)?;
        let value = crate::decode::checked(value, &crate::shape::CONFIGURATION, true)?;
        let mut config: Self = serde_json::from_value(value)
            .map_err(|error| Error::invalid(format!("error unmarshaling JSON: {error}")))?;
        config.sort();
        Ok(config)
    }
}

/// Reads the generated table; see data/README.md.
fn parse_builtin(text: &str) -> Config {
    let mut config = Config::default();
    let mut section = "";
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
            continue;
        }
        if let Some(target) = line.strip_prefix("> ") {
            let gvk = parse_gvk(target);
            config.name_reference.push(NameReference {
                gvk,
                referrers: Vec::new(),
            });
            continue;
        }
        let mut words = line.split(' ');
        let (Some(gvk), Some(path)) = (words.next(), words.next()) else {
            continue;
        };
        let spec = FieldSpec {
            gvk: parse_gvk(gvk),
            path: path.to_owned(),
            create: words.next() == Some("create"),
        };
        let list = match section {
            "namePrefix" => &mut config.name_prefix,
            "nameSuffix" => &mut config.name_suffix,
            "namespace" => &mut config.namespace,
            "commonLabels" => &mut config.common_labels,
            "templateLabels" => &mut config.template_labels,
            "commonAnnotations" => &mut config.common_annotations,
            "varReference" => &mut config.var_reference,
            "images" => &mut config.images,
            "replicas" => &mut config.replicas,
            _ => match config.name_reference.last_mut() {
                Some(reference) => &mut reference.referrers,
                None => continue,
            },
        };
        list.push(spec);
    }
    config
}

fn parse_gvk(text: &str) -> Gvk {
    let mut parts = text.split('/');
    let mut next = || parts.next().unwrap_or_default().to_owned();
    Gvk {
        group: next(),
        version: next(),
        kind: next(),
    }
}
