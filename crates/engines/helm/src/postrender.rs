//! Post-rendering: what a chart rendered goes through something else before it is put in order.

use std::collections::BTreeMap;
use std::sync::Arc;

use weir_yaml::{Document, Duplicates, Node, ParseOptions, emit, parse_all_with};

use crate::manifest::{self, Order};
use crate::render::{RenderError, is_partial};

/// The annotation that carries a document's file through the post-renderer.
const FILE: &str = "postrenderer.helm.sh/postrender-filename";

/// Changes rendered documents.
pub trait PostRender {
    /// Gets a stream of documents, gives one back. An annotation that it does not know must survive.
    fn run(&mut self, documents: &str) -> Result<String, String>;
}

/// How hooks go through it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// Together with the rest: Helm 4.
    #[default]
    Combined,
    /// In a run of their own, so that an object may be both.
    Separate,
    /// Not at all: Helm 3.
    NoHooks,
}

impl Strategy {
    /// Reads the name that Helm and Flux use.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "combined" | "" => Self::Combined,
            "separate" => Self::Separate,
            "nohooks" => Self::NoHooks,
            _ => return None,
        })
    }
}

/// Rendered files by path.
pub(crate) type Files = BTreeMap<String, Arc<String>>;

/// Sends files through, and gives files of the same names back; what has lost its annotation gets a name of its own.
pub(crate) fn run(
    files: Files,
    post: &mut (dyn PostRender + Send),
    strategy: Strategy,
) -> Result<Files, RenderError> {
    if strategy == Strategy::Combined {
        return through(&files, post, "").map_err(RenderError::PostRender);
    }
    let sorted = match manifest::sort_shared(&files, Order::Install) {
        Ok(sorted) => sorted,
        Err(error) => return Err(RenderError::Manifest { error, files }),
    };
    let mut hooks = Files::new();
    for hook in sorted.hooks {
        append(&mut hooks, hook.path, &hook.manifest);
    }
    let mut manifests = Files::new();
    for manifest in sorted.manifests {
        append(&mut manifests, manifest.name, &manifest.content);
    }
    let mut files = Files::new();
    for (name, group) in [("hooks", hooks), ("manifests", manifests)] {
        if group.is_empty() {
            continue;
        }
        let group = if name == "hooks" && strategy == Strategy::NoHooks {
            group
        } else {
            through(&group, post, name)
                .map_err(|error| RenderError::PostRender(format!("{error} (on {name})")))?
        };
        for (path, text) in group {
            append(&mut files, path, &text);
        }
    }
    Ok(files)
}

fn append(files: &mut Files, path: String, text: &str) {
    files
        .entry(path)
        .and_modify(|known| {
            let known = Arc::make_mut(known);
            known.push_str("\n---\n");
            known.push_str(text);
        })
        .or_insert_with(|| Arc::new(text.to_owned()));
}

fn through(files: &Files, post: &mut (dyn PostRender + Send), group: &str) -> Result<Files, String> {
    let merged = merge(files).map_err(|error| format!("error merging manifests: {error}"))?;
    let changed = post
        .run(&merged)
        .map_err(|error| format!("error while running post render on files: {error}"))?;
    take_apart(&changed, group).map_err(|error| format!("error while parsing post rendered output: {error}"))
}

fn documents(text: &str) -> Result<Vec<Document>, String> {
    let options = ParseOptions {
        duplicates: Duplicates::Keep,
        ..ParseOptions::default()
    };
    parse_all_with(text, options).map_err(|error| error.to_string())
}

/// One stream, each document annotated with its file.
fn merge(files: &Files) -> Result<String, String> {
    let mut out = Vec::new();
    for (path, content) in files {
        if is_partial(path) || content.trim().is_empty() {
            continue;
        }
        for text in manifest::split(content) {
            for document in documents(text).map_err(|error| format!("parsing {path}: {error}"))? {
                let Some(mut root) = document.root.filter(|root| !root.is_null_or_empty()) else {
                    continue;
                };
                annotate(&mut root, path).map_err(|error| format!("annotating {path}: {error}"))?;
                out.push(emit::kyaml(&root));
            }
        }
    }
    Ok(out.join("---\n"))
}

/// Sets the annotation.
fn annotate(root: &mut Node, path: &str) -> Result<(), String> {
    let mut at = root;
    for key in ["metadata", "annotations"] {
        if at.entries().is_none() {
            return Err("wrong node kind: expected MappingNode".to_owned());
        }
        if at.get(key).is_none_or(Node::is_null) {
            at.set(key, Node::mapping(Vec::new()));
        }
        at = at.get_mut(key).ok_or("no such field")?;
    }
    if at.entries().is_none() {
        return Err("wrong node kind: expected MappingNode".to_owned());
    }
    at.set(FILE, Node::string(path));
    Ok(())
}

/// Files again, without the annotation.
fn take_apart(text: &str, group: &str) -> Result<Files, String> {
    let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut number = 0;
    for document in documents(text)? {
        let Some(mut root) = document.root.filter(|root| !root.is_null_or_empty()) else {
            continue;
        };
        let path = root
            .at(&["metadata", "annotations", FILE])
            .and_then(Node::as_str)
            .filter(|path| !path.is_empty())
            .map_or_else(
                || {
                    let group = if group.is_empty() {
                        String::new()
                    } else {
                        format!("{group}-")
                    };
                    format!("generated-by-postrender-{group}{number}.yaml")
                },
                ToOwned::to_owned,
            );
        number += 1;
        if let Some(metadata) = root.get_mut("metadata") {
            if let Some(annotations) = metadata.get_mut("annotations") {
                annotations.remove(FILE);
            }
            if metadata.get("annotations").is_some_and(Node::is_null_or_empty) {
                metadata.remove("annotations");
            }
        }
        files.entry(path).or_default().push(emit::kyaml(&root));
    }
    Ok(files
        .into_iter()
        .map(|(path, documents)| (path, Arc::new(documents.join("---\n"))))
        .collect())
}
