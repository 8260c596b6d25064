//! `unused-file`: manifests in a kustomization's folder that nothing refers to.

use std::collections::BTreeSet;

use weir_yaml::{Node, parse_all};

use super::context::Context;
use super::finding::{Finding, Severity};
use super::reference;
use super::source::Source;
use crate::files::{FileKind, join, parent};
use crate::kustomization::FILE_NAMES;
use crate::resource::{LOCAL_CONFIG, meta_map};

/// Folders within each other; deeper is a loop of links or malice.
const DEPTH: usize = 64;

/// API groups of files for tools on this machine; no cluster ever gets them.
const LOCAL_GROUPS: [&str; 12] = [
    "skaffold",
    "kind.x-k8s.io",
    "k3d.io",
    "ctlptl.dev",
    "kpt.dev",
    "kubeadm.k8s.io",
    "kubelet.config.k8s.io",
    "apiserver.config.k8s.io",
    "audit.k8s.io",
    "backstage.io",
    "kustomize.config.k8s.io",
    "builtin",
];

pub(super) fn check(context: &Context<'_>, out: &mut Vec<Finding>) {
    // A build that ended early has not read everything.
    if context.trace.is_none() {
        return;
    }
    let mut walk = Walk {
        context,
        roots: context.tree.iter().map(|source| source.root.as_str()).collect(),
        used: context.read.clone(),
        found: Vec::new(),
    };
    for source in context.tree {
        walk.take(source);
        // Kustomizations above may refer to files of this folder; below, `folder` meets them.
        let mut above = source.root.as_str();
        while above != "/" {
            above = parent(above);
            if let Some(source) = Source::read(context.files, above) {
                walk.take(&source);
            }
        }
    }
    for source in context.tree {
        walk.folder(&source.root, 0, true);
    }
    for path in &walk.found {
        if !walk.used.contains(path) {
            out.extend(judge(context, path));
        }
    }
}

struct Walk<'a> {
    context: &'a Context<'a>,
    roots: BTreeSet<&'a str>,
    used: BTreeSet<String>,
    /// Files that ought to be used.
    found: Vec<String>,
}

impl Walk<'_> {
    /// Takes the files that a kustomization names as used, whether it is reached or not.
    fn take(&mut self, source: &Source) {
        self.used.insert(source.real.clone());
        for reference in reference::all(source) {
            if let Ok(Some(found)) = self.context.files.find(&join(&source.root, reference.path)) {
                self.used.insert(found.path);
            }
        }
    }

    /// Looks through a folder; those of other kustomizations are their own business.
    fn folder(&mut self, folder: &str, depth: usize, is_reached: bool) {
        let Ok(mut entries) = self.context.files.list(folder) else {
            return;
        };
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        // A chart has rules of its own.
        if depth > DEPTH || entries.iter().any(|entry| entry.name == "Chart.yaml") {
            return;
        }
        for entry in entries {
            let path = join(folder, &entry.name);
            let is_here = matches!(self.context.files.find(&path), Ok(Some(found)) if found.path == path);
            if entry.name.starts_with('.') || !is_here || (self.context.options.is_ignored)(&path, entry.kind)
            {
                continue;
            }
            match entry.kind {
                FileKind::Directory => match Source::read(self.context.files, &path) {
                    Some(_) if self.roots.contains(path.as_str()) => {}
                    // What it uses of the folders around it is used.
                    Some(source) => {
                        self.take(&source);
                        self.folder(&path, depth + 1, false);
                    }
                    None => self.folder(&path, depth + 1, is_reached),
                },
                FileKind::File if is_reached && !FILE_NAMES.contains(&entry.name.as_str()) => {
                    self.found.push(path);
                }
                FileKind::File => {}
            }
        }
    }
}

/// Whether an unused file looks as if it was meant to be used.
fn judge(context: &Context<'_>, path: &str) -> Option<Finding> {
    let (_, ending) = path.rsplit_once('.')?;
    if !matches!(ending, "yaml" | "yml" | "json") {
        return None;
    }
    let bytes = context.files.read(path).ok()?;
    let documents = parse_all(std::str::from_utf8(&bytes).ok()?).ok()?;
    let roots: Vec<Node> = documents
        .into_iter()
        .filter_map(|document| document.root)
        .collect();
    let is_manifest = !roots.is_empty() && roots.iter().all(is_object);
    let is_patch = matches!(roots.as_slice(), [root] if is_json_patch(root));
    if !is_manifest && !is_patch {
        return None;
    }
    let (what, field) = if is_patch {
        ("patch", "patches")
    } else {
        ("manifest", "resources")
    };
    Some(
        Finding::new(
            "unused-file",
            Severity::Warning,
            path,
            format!("no kustomization refers to this {what}"),
        )
        .because("it is in the tree, but not in what is built")
        .help(format!(
            "list it under {field}, remove it, or name it in .sourceignore"
        )),
    )
}

/// Whether it is an object for a cluster.
fn is_object(node: &Node) -> bool {
    let api_version = crate::resource::api_version(node);
    let group = api_version.split('/').next().unwrap_or_default();
    let is_local = meta_map(node, "annotations")
        .get(LOCAL_CONFIG)
        .is_some_and(|value| value != "false");
    !api_version.is_empty()
        && !crate::resource::kind(node).is_empty()
        && node.get("metadata").is_some()
        && !LOCAL_GROUPS.contains(&group)
        && !is_local
}

/// Whether it is a list of operations, each with a path.
fn is_json_patch(node: &Node) -> bool {
    let items = node.items().unwrap_or_default();
    !items.is_empty()
        && items
            .iter()
            .all(|item| item.get("op").is_some() && item.get("path").is_some())
}
