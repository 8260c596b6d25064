//! Selectors of `patches` and `replacements`: anchored patterns for type, name and namespace, and
//! Kubernetes label selectors.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::id::{Gvk, IdRef};
use crate::near;
use crate::pattern::Whole;
use crate::resource::Resource;
use serde::{Deserialize, Serialize};

/// Which objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Selector {
    /// Patterns for group, version and kind.
    #[serde(flatten)]
    pub gvk: Gvk,
    /// Pattern for the name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Pattern for the namespace.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Selector over annotations, in the syntax of label selectors.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub annotation_selector: String,
    /// Label selector.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub label_selector: String,
}

impl Selector {
    /// What one that selects nothing may have meant.
    pub(crate) fn near(&self, objects: &[Resource]) -> Option<String> {
        let is_by_label = !(self.label_selector.is_empty() && self.annotation_selector.is_empty());
        if is_by_label || (self.name.is_empty() && self.gvk.kind.is_empty()) {
            return None;
        }
        let wanted = IdRef {
            group: &self.gvk.group,
            version: &self.gvk.version,
            kind: &self.gvk.kind,
            name: &self.name,
            namespace: &self.namespace,
            cluster_scoped: false,
        };
        near::selected(objects, &wanted)
    }
}

/// A selector made ready.
pub(crate) struct SelectorMatcher {
    group: Whole,
    version: Whole,
    kind: Whole,
    name: Whole,
    namespace: Whole,
    /// kustomize reads these two once an object satisfies everything else, and so must find one to fail.
    labels: Result<LabelSelector>,
    annotations: Result<LabelSelector>,
}

impl SelectorMatcher {
    pub(crate) fn new(selector: &Selector) -> Result<Self> {
        Ok(Self {
            group: Whole::new(&selector.gvk.group)?,
            version: Whole::new(&selector.gvk.version)?,
            kind: Whole::new(&selector.gvk.kind)?,
            name: Whole::new(&selector.name)?,
            namespace: Whole::new(&selector.namespace)?,
            labels: LabelSelector::parse(&selector.label_selector),
            annotations: LabelSelector::parse(&selector.annotation_selector),
        })
    }

    pub(crate) fn gvk(&self, id: &IdRef<'_>) -> bool {
        self.kind.matches(id.kind) && self.group.matches(id.group) && self.version.matches(id.version)
    }

    pub(crate) fn name(&self, name: &str) -> bool {
        self.name.matches(name)
    }

    /// The only name that is selected, if there is only one.
    pub(crate) fn whole_name(&self) -> Option<&str> {
        self.name.only()
    }

    pub(crate) fn namespace(&self, namespace: &str) -> bool {
        self.namespace.matches(namespace)
    }

    pub(crate) fn labels(&self, resource: &Resource) -> Result<bool> {
        let selector = read(&self.labels)?;
        Ok(selector.is_empty() || selector.matches(&resource.labels()))
    }

    pub(crate) fn annotations(&self, resource: &Resource) -> Result<bool> {
        let selector = read(&self.annotations)?;
        Ok(selector.is_empty() || selector.matches(&resource.annotations()))
    }

    /// Whether the selectors of labels and annotations can be read, so that no object makes them fail.
    pub(crate) fn is_readable(&self) -> bool {
        self.labels.is_ok() && self.annotations.is_ok()
    }

    /// Whether an id as a whole is selected; a namespace that is not set is empty here.
    pub(crate) fn id(&self, id: &IdRef<'_>) -> bool {
        self.gvk(id) && self.name(id.name) && self.namespace(id.namespace)
    }
}

fn read(selector: &Result<LabelSelector>) -> Result<&LabelSelector> {
    selector.as_ref().map_err(|error| Error::invalid(error.chain()))
}

/// A Kubernetes label selector.
#[derive(Debug, Default)]
pub(crate) struct LabelSelector {
    requirements: Vec<Requirement>,
}

#[derive(Debug)]
struct Requirement {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

#[derive(Debug, PartialEq, Eq)]
enum Operator {
    In,
    NotIn,
    Exists,
    Missing,
    Greater,
    Less,
}

impl LabelSelector {
    pub(crate) fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// Reads `a=b, c!=d, e in (f, g), h notin (i), j, !k, l>1`.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut requirements = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let end = requirement_end(rest);
            let (one, more) = rest.split_at_checked(end).unwrap_or((rest, ""));
            requirements.push(requirement(one.trim(), text)?);
            rest = more.strip_prefix(',').unwrap_or(more).trim();
        }
        Ok(Self { requirements })
    }

    pub(crate) fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.requirements
            .iter()
            .all(|requirement| requirement.matches(labels))
    }
}

/// The place of the comma that ends the first requirement.
fn requirement_end(text: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

fn requirement(text: &str, whole: &str) -> Result<Requirement> {
    let fail = || Error::invalid(format!("unable to parse label selector '{whole}' at '{text}'"));
    let valid =
        |key: &str| !key.is_empty() && !key.contains(|c: char| c.is_whitespace() || "=!<>(),".contains(c));
    let make = |key: &str, operator, values: Vec<String>| {
        let key = key.trim();
        if valid(key) {
            Ok(Requirement {
                key: key.to_owned(),
                operator,
                values,
            })
        } else {
            Err(fail())
        }
    };
    let one = |value: &str| vec![value.trim().to_owned()];
    if let Some(key) = text.strip_prefix('!') {
        return make(key, Operator::Missing, Vec::new());
    }
    if let Some((key, value)) = text.split_once("!=") {
        return make(key, Operator::NotIn, one(value));
    }
    if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return make(key, Operator::In, one(value));
    }
    if let Some((head, list)) = text.split_once('(') {
        let list = list.trim_end().strip_suffix(')').ok_or_else(fail)?;
        let values = list.split(',').map(|value| value.trim().to_owned()).collect();
        let mut words = head.split_whitespace();
        let (key, word) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let operator = match word {
            "in" => Operator::In,
            "notin" => Operator::NotIn,
            _ => return Err(fail()),
        };
        return make(key, operator, values);
    }
    if let Some((key, value)) = text.split_once('>') {
        return make(key, Operator::Greater, one(value));
    }
    if let Some((key, value)) = text.split_once('<') {
        return make(key, Operator::Less, one(value));
    }
    make(text, Operator::Exists, Vec::new())
}

impl Requirement {
    fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        let value = labels.get(&self.key);
        let compare = |less: bool| {
            let bound = self.values.first().and_then(|bound| bound.parse::<i64>().ok());
            match (value.and_then(|value| value.parse::<i64>().ok()), bound) {
                (Some(value), Some(bound)) => (less && value < bound) || (!less && value > bound),
                _ => false,
            }
        };
        match self.operator {
            Operator::In => value.is_some_and(|value| self.values.contains(value)),
            Operator::NotIn => value.is_none_or(|value| !self.values.contains(value)),
            Operator::Exists => value.is_some(),
            Operator::Missing => value.is_none(),
            Operator::Greater => compare(false),
            Operator::Less => compare(true),
        }
    }
}
