//! Which objects a rule is about.

use regex::{Regex, RegexBuilder};
use weir_apis::Object;

use crate::labels::{InvalidLabelSelector, LabelSelector};

/// Largest compiled pattern, in bytes: patterns come from users, and a few characters can ask for gigabytes
/// (security case N16). Matching itself takes linear time.
const MAX_PATTERN: usize = 1 << 20;

/// Which objects a rule is about; an empty field matches all. Texts are anchored regular expressions, the two
/// last ones label selectors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector {
    /// API group.
    pub group: String,
    /// API version.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Namespace.
    pub namespace: String,
    /// Label selector, applied to annotations.
    pub annotation_selector: String,
    /// Label selector.
    pub label_selector: String,
}

impl From<&weir_apis::kind::Selector> for Selector {
    fn from(selector: &weir_apis::kind::Selector) -> Self {
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        Self {
            group: text(&selector.group),
            version: text(&selector.version),
            kind: text(&selector.kind),
            name: text(&selector.name),
            namespace: text(&selector.namespace),
            annotation_selector: text(&selector.annotation_selector),
            label_selector: text(&selector.label_selector),
        }
    }
}

/// A selector that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSelector {
    /// A pattern does not compile, or is too large.
    #[error("{field} `{pattern}` is no usable regular expression")]
    Pattern {
        /// Which field.
        field: &'static str,
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        #[source]
        source: Box<regex::Error>,
    },
    /// A label selector can't be read.
    #[error("{field} can't be read")]
    Labels {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        #[source]
        source: InvalidLabelSelector,
    },
}

/// A selector, compiled.
#[derive(Debug, Clone, Default)]
pub struct CompiledSelector {
    group: Option<Regex>,
    version: Option<Regex>,
    kind: Option<Regex>,
    name: Option<Regex>,
    namespace: Option<Regex>,
    annotations: Option<LabelSelector>,
    labels: Option<LabelSelector>,
}

impl Selector {
    /// Compiles the patterns.
    pub fn compile(&self) -> Result<CompiledSelector, InvalidSelector> {
        Ok(CompiledSelector {
            group: pattern("group", &self.group)?,
            version: pattern("version", &self.version)?,
            kind: pattern("kind", &self.kind)?,
            name: pattern("name", &self.name)?,
            namespace: pattern("namespace", &self.namespace)?,
            annotations: labels("annotationSelector", &self.annotation_selector)?,
            labels: labels("labelSelector", &self.label_selector)?,
        })
    }
}

fn pattern(field: &'static str, text: &str) -> Result<Option<Regex>, InvalidSelector> {
    if text.is_empty() {
        return Ok(None);
    }
    RegexBuilder::new(&format!("^(?:{text})$"))
        .size_limit(MAX_PATTERN)
        .dfa_size_limit(MAX_PATTERN)
        .build()
        .map(Some)
        .map_err(|source| InvalidSelector::Pattern {
            field,
            pattern: text.to_owned(),
            source: Box::new(source),
        })
}

fn labels(field: &'static str, text: &str) -> Result<Option<LabelSelector>, InvalidSelector> {
    if text.is_empty() {
        return Ok(None);
    }
    LabelSelector::parse(text)
        .map(Some)
        .map_err(|source| InvalidSelector::Labels { field, source })
}

impl CompiledSelector {
    /// Whether every field matches.
    pub fn matches(&self, object: &Object) -> bool {
        let gvk = object.gvk();
        let texts = [
            (&self.group, gvk.group.as_str()),
            (&self.version, gvk.version.as_str()),
            (&self.kind, gvk.kind.as_str()),
            (&self.name, object.name()),
            (&self.namespace, object.namespace()),
        ];
        texts
            .into_iter()
            .all(|(pattern, text)| pattern.as_ref().is_none_or(|p| p.is_match(text)))
            && self
                .labels
                .as_ref()
                .is_none_or(|s| s.matches(|key| object.label(key)))
            && self
                .annotations
                .as_ref()
                .is_none_or(|s| s.matches(|key| object.annotation(key)))
    }
}
