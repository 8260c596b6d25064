//! Drift that is not ours to undo: `spec.ignore` (flux-controllers.md §3.6).

use serde_json::{Map, Value};
use weir_apis::Object;

use crate::change::same;
use crate::managed::{Operation, entries};
use crate::pointer;
use crate::selector::{CompiledSelector, InvalidSelector, Selector};

/// Paths that are left alone on the objects a selector matches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IgnoreRule {
    /// JSON pointers from the object's root.
    pub paths: Vec<String>,
    /// Which objects; `None` for all.
    pub target: Option<Selector>,
}

impl From<&weir_apis::kind::IgnoreRule> for IgnoreRule {
    fn from(rule: &weir_apis::kind::IgnoreRule) -> Self {
        Self {
            paths: rule.paths.clone(),
            target: rule.target.as_ref().map(Selector::from),
        }
    }
}

/// A rule that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidRule {
    /// A path is no JSON pointer below the root.
    #[error("`{path}` is no JSON pointer to a field: it must start with `/`")]
    Path {
        /// The path.
        path: String,
    },
    /// The target can't be used.
    #[error("target of an ignore rule can't be used")]
    Target(#[from] InvalidSelector),
}

/// The rules of one owner, compiled.
#[derive(Debug, Clone, Default)]
pub struct IgnoreRules(Vec<(Option<CompiledSelector>, Vec<Vec<String>>)>);

impl IgnoreRules {
    /// Compiles rules.
    pub fn compile(rules: &[IgnoreRule]) -> Result<Self, InvalidRule> {
        rules
            .iter()
            .map(|rule| {
                let paths = rule
                    .paths
                    .iter()
                    .map(|path| {
                        pointer::segments(path)
                            .filter(|segments| !segments.is_empty())
                            .ok_or_else(|| InvalidRule::Path { path: path.clone() })
                    })
                    .collect::<Result<_, _>>()?;
                let target = rule.target.as_ref().map(Selector::compile).transpose()?;
                Ok((target, paths))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The paths to ignore on an object.
    pub(crate) fn paths<'a>(&'a self, object: &'a Object) -> impl Iterator<Item = &'a [String]> {
        self.0
            .iter()
            .filter(|(target, _)| target.as_ref().is_none_or(|t| t.matches(object)))
            .flat_map(|(_, paths)| paths.iter().map(Vec::as_slice))
    }

    /// Takes the ignored fields off the two sides of a comparison. The dry run decides which rules match.
    pub fn strip(&self, live: &Object, dry_run: &Object) -> Option<(Object, Object)> {
        let mut paths = self.paths(dry_run).peekable();
        paths.peek()?;
        let (mut live, mut copy) = (live.clone(), dry_run.clone());
        for path in paths {
            pointer::remove(live.as_map_mut(), path);
            pointer::remove(copy.as_map_mut(), path);
        }
        Some((live, copy))
    }

    /// Changes what is about to be applied so that ignored fields stay as they are: a field that another
    /// manager applies is left out, any other gets its live value.
    pub(crate) fn adopt(&self, body: &mut Object, live: &Object, dry_run: &Object, manager: &str) {
        let mut gone: Vec<&[String]> = Vec::new();
        for path in self.paths(dry_run) {
            let (is, would_be) = (
                pointer::get(live.as_map(), path),
                pointer::get(dry_run.as_map(), path),
            );
            let drifted = match (is, would_be) {
                (Some(a), Some(b)) => !same(a, b),
                (None, None) => false,
                _ => true,
            };
            if !drifted {
                continue;
            }
            match is {
                Some(value) if !applied_by_another(live, path, manager) => {
                    pointer::set(body.as_map_mut(), path, value.clone());
                }
                // Not there, or not ours: to say nothing about it is what leaves it alone.
                _ => gone.push(path),
            }
        }
        // Later items of a list first, so that earlier removals do not move them.
        gone.sort_unstable_by(|a, b| b.cmp(a));
        for path in gone {
            pointer::remove(body.as_map_mut(), path);
        }
    }
}

/// Whether another manager's apply holds a path.
fn applied_by_another(live: &Object, path: &[String], manager: &str) -> bool {
    let applies: Vec<_> = entries(live)
        .iter()
        .filter(|e| e.operation == Operation::Apply && e.subresource.is_empty())
        .filter_map(|e| Some((e.manager.as_str(), e.fields.as_ref()?)))
        .map(|(manager, fields)| (manager.to_owned(), fields.clone()))
        .collect();
    let Some(segments) = field_segments(live, path, &applies) else {
        return false;
    };
    applies
        .iter()
        .filter(|(name, _)| name != manager)
        .any(|(_, fields)| holds(fields, &segments))
}

fn holds(fields: &Map<String, Value>, segments: &[String]) -> bool {
    let Some((first, rest)) = segments.split_first() else {
        return true;
    };
    match fields.get(first) {
        Some(_) if rest.is_empty() => true,
        Some(Value::Object(inner)) => holds(inner, rest),
        _ => false,
    }
}

/// A pointer in the language of managedFields: `f:name`, and for list items the key that some manager has
/// written down for them. `None` where an item can't be found.
fn field_segments(
    live: &Object,
    path: &[String],
    applies: &[(String, Map<String, Value>)],
) -> Option<Vec<String>> {
    let mut segments: Vec<String> = Vec::with_capacity(path.len());
    for (at, segment) in path.iter().enumerate() {
        let parent = pointer::get(live.as_map(), path.get(..at)?);
        let Some(Value::Array(list)) = parent else {
            segments.push(format!("f:{segment}"));
            continue;
        };
        let item = list.get(segment.parse::<usize>().ok()?)?.as_object()?;
        let key = applies
            .iter()
            .filter_map(|(_, fields)| walk(fields, &segments))
            .flat_map(Map::keys)
            .find(|key| names(key, item))?;
        segments.push(key.clone());
    }
    Some(segments)
}

fn walk<'a>(fields: &'a Map<String, Value>, segments: &[String]) -> Option<&'a Map<String, Value>> {
    segments.iter().try_fold(fields, |at, s| at.get(s)?.as_object())
}

/// Whether a `k:{…}` key names a list item.
fn names(key: &str, item: &Map<String, Value>) -> bool {
    let Some(text) = key.strip_prefix("k:") else {
        return false;
    };
    let Ok(Value::Object(fields)) = serde_json::from_str::<Value>(text) else {
        return false;
    };
    fields
        .iter()
        .all(|(name, value)| item.get(name).is_some_and(|v| same(v, value)))
}
