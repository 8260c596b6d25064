//! Rendered files into hooks and the manifest.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::head::Head;
use super::hook::{Event, Hook, HookRun, Policy};
use super::kinds::Order;
use super::split::places;
use super::text::Text;

const HOOK: &str = "helm.sh/hook";
const WEIGHT: &str = "helm.sh/hook-weight";
const DELETE_POLICY: &str = "helm.sh/hook-delete-policy";
const OUTPUT_LOG_POLICY: &str = "helm.sh/hook-output-log-policy";

/// An object of the manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The template that it comes from, with the chart's name before it.
    pub name: String,
    /// The document.
    pub content: Text,
    /// Its head.
    pub head: Head,
}

/// A rendered document that is no YAML, or no object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("YAML parse error on {path}: {message}")]
pub struct ManifestError {
    /// The template.
    pub path: String,
    /// The document's place among those that the template rendered, from 0.
    pub document: usize,
    /// What is wrong; lines are those of the document.
    pub message: String,
}

/// What a chart rendered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sorted {
    /// Objects with a hook annotation.
    pub hooks: Vec<Hook>,
    /// The others.
    pub manifests: Vec<Manifest>,
}

/// Splits rendered files, given with their paths, into documents, takes the hooks out, and puts both in order.
///
/// Partials, whose names start with `_`, and blank files are passed over. A document with a hook annotation that names
/// no known event is dropped, as Helm does.
pub fn sort<'a>(
    files: impl IntoIterator<Item = (&'a str, &'a str)>,
    order: Order,
) -> Result<Sorted, ManifestError> {
    let read = files
        .into_iter()
        .map(|(path, content)| (path.to_owned(), read(path, &Arc::new(content.to_owned()))));
    put_in_order(read.collect(), order)
}

/// The same for files that are shared already, which are not copied.
pub(crate) fn sort_shared(
    files: &BTreeMap<String, Arc<String>>,
    order: Order,
) -> Result<Sorted, ManifestError> {
    let read = files
        .iter()
        .map(|(path, content)| (path.clone(), read(path, content)));
    put_in_order(read.collect(), order)
}

/// What a file holds, not yet in order.
pub(crate) fn read(path: &str, content: &Arc<String>) -> Result<Sorted, ManifestError> {
    let mut found = Sorted::default();
    if crate::is_partial(path) {
        return Ok(found);
    }
    for (document, place) in places(content).into_iter().enumerate() {
        let text = Text::of(content, place);
        let head = Head::parse(&text).map_err(|message| ManifestError {
            path: path.to_owned(),
            document,
            message,
        })?;
        let Some(events) = head.annotations.get(HOOK) else {
            found.manifests.push(Manifest {
                name: path.to_owned(),
                content: text,
                head,
            });
            continue;
        };
        let events: Option<Vec<Event>> = events
            .split(',')
            .map(|event| Event::parse(&word(event)))
            .collect();
        let Some(events) = events else { continue };
        let policies = |annotation: &str| {
            head.annotations
                .get(annotation)
                .map(|policies| {
                    policies
                        .split(',')
                        .map(|policy| Policy::parse(&word(policy)))
                        .collect()
                })
                .unwrap_or_default()
        };
        found.hooks.push(Hook {
            events,
            last_run: HookRun::default(),
            weight: head.annotations.get(WEIGHT).map_or(0, |weight| go_atoi(weight)),
            delete_policies: policies(DELETE_POLICY),
            output_log_policies: policies(OUTPUT_LOG_POLICY),
            path: path.to_owned(),
            manifest: text.to_string(),
            name: head.name,
            kind: head.kind,
        });
    }
    Ok(found)
}

/// Files that have been read, by kind and then by path. Of several that are no YAML the first by path is the error.
pub(crate) fn put_in_order(
    mut files: Vec<(String, Result<Sorted, ManifestError>)>,
    order: Order,
) -> Result<Sorted, ManifestError> {
    files.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut sorted = Sorted::default();
    for (_, found) in files {
        let mut found = found?;
        sorted.hooks.append(&mut found.hooks);
        sorted.manifests.append(&mut found.manifests);
    }
    order.sort(&mut sorted.hooks, |hook| &hook.kind);
    order.sort(&mut sorted.manifests, |manifest| &manifest.head.kind);
    Ok(sorted)
}

fn word(text: &str) -> String {
    text.trim().to_lowercase()
}

/// A number as `strconv.Atoi` reads it, 0 for anything else.
fn go_atoi(text: &str) -> i64 {
    text.parse().unwrap_or(0)
}
