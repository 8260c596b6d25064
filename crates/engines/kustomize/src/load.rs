//! Files of objects to objects.

use weir_yaml::{
    Data, Dialect, Duplicates, Node, ParseOptions, Texts, expand_aliases, from_json_text, parse_all_shared,
};

use crate::decode::NEXT_LINE;
use crate::error::{Error, Result};
use crate::marshal::marshal_item;
use crate::resource::{self, Resource};

/// Reads all objects of a text; lists are taken apart.
pub(crate) fn resources(bytes: &[u8]) -> Result<Vec<Resource>> {
    resources_shared(bytes, &mut Texts::default())
}

/// As [`resources`], with texts that are shared with other files.
pub(crate) fn resources_shared(bytes: &[u8], texts: &mut Texts) -> Result<Vec<Resource>> {
    let nodes = objects_shared(bytes, texts)?;
    Ok(nodes.into_iter().map(Resource::new).collect())
}

/// Reads the strategic merge patches of a text. Keys may repeat in them as long as nothing of that gets into an object:
/// kustomize looks for repeated keys only where it makes a map of an object.
pub(crate) fn patches(bytes: &[u8]) -> Result<Vec<Resource>> {
    let nodes = objects_with(bytes, Duplicates::Keep, &mut Texts::default())?;
    Ok(nodes.into_iter().map(Resource::new).collect())
}

fn malformed(message: impl std::fmt::Display) -> Error {
    Error::invalid(format!("MalformedYAMLError: {message}"))
}

/// Whether a failure is about YAML syntax, so that the path surely was meant as a file.
pub(crate) fn is_malformed(error: &Error) -> bool {
    error.chain().contains("MalformedYAMLError")
}

/// Reads the trees of all objects of a text; no key may repeat.
pub(crate) fn objects(bytes: &[u8]) -> Result<Vec<Node>> {
    objects_shared(bytes, &mut Texts::default())
}

/// As [`objects`], with texts that are shared with other files.
pub(crate) fn objects_shared(bytes: &[u8], texts: &mut Texts) -> Result<Vec<Node>> {
    objects_with(bytes, Duplicates::Refuse, texts)
}

fn objects_with(bytes: &[u8], duplicates: Duplicates, texts: &mut Texts) -> Result<Vec<Node>> {
    let text = std::str::from_utf8(bytes).map_err(|_| malformed("yaml: invalid leading UTF-8 octet"))?;
    let unix;
    let text = if text.contains("\r\n") || text.contains(NEXT_LINE) {
        // To the Go libraries the second is a line break like any other.
        unix = text.replace("\r\n", "\n").replace(NEXT_LINE, "\n");
        unix.as_str()
    } else {
        text
    };
    check_separators(text)?;
    let options = ParseOptions {
        duplicates,
        ..ParseOptions::default()
    };
    let documents = parse_all_shared(text, options, texts).map_err(malformed)?;
    let single = documents.len() == 1;
    let mut nodes = Vec::new();
    for document in documents {
        // A foot comment shows in what the last text of an object becomes.
        let root = match duplicates {
            Duplicates::Refuse => document.into_root(),
            Duplicates::Keep => document.root,
        };
        let Some(mut root) = root.filter(|root| !root.is_null()) else {
            continue;
        };
        expand_aliases(&mut root, Dialect::Kyaml).map_err(malformed)?;
        let is_list = matches!(resource::kind(&root), "List" | "ResourceList");
        if single && is_list && root.get("items").is_some() {
            if let Some(Data::Sequence(items)) = root.remove("items").map(Node::into_data) {
                nodes.extend(items);
            }
        } else {
            nodes.push(root);
        }
    }
    flatten(nodes)
}

/// kustomize cuts the text at lines that start with `---`, and wants nothing else on them.
fn check_separators(text: &str) -> Result<()> {
    for line in text.split('\n').skip(1) {
        if let Some(rest) = line.strip_prefix("---") {
            let rest = rest.trim();
            if !rest.is_empty() && !rest.starts_with('#') {
                return Err(Error::invalid(format!("invalid document separator: {line}")));
            }
        }
    }
    Ok(())
}

/// Takes lists apart, in the order in which kustomize does: their items come last.
fn flatten(nodes: Vec<Node>) -> Result<Vec<Node>> {
    let mut queue: std::collections::VecDeque<Node> = nodes.into();
    let mut result = Vec::new();
    while let Some(mut node) = queue.pop_front() {
        if node.is_null_or_empty() {
            continue;
        }
        validate(&node)?;
        if !resource::kind(&node).ends_with("List") || node.get("items").is_none() {
            result.push(node);
            continue;
        }
        let kind = resource::kind(&node).to_owned();
        match node
            .remove("items")
            .map(|items| (items.is_null(), items.into_data()))
        {
            Some((true, _)) | None => {}
            // These go by way of JSON text, and have its styles.
            Some((false, Data::Sequence(items))) => {
                for item in items {
                    queue.push_back(from_json_text(&marshal_item(item)?));
                }
            }
            Some(_) => {
                return Err(Error::invalid(format!("expected array in {kind}/items")));
            }
        }
    }
    Ok(result)
}

/// An object needs a kind and, unless it is a list, a name.
pub(crate) fn validate(node: &Node) -> Result<()> {
    if node.entries().is_none() {
        return Err(Error::invalid("missing Resource metadata"));
    }
    let kind = resource::kind(node);
    if kind.is_empty() || node.get("kind").is_some_and(Node::is_null) {
        return Err(Error::invalid(format!(
            "missing kind in object {}",
            describe(node)
        )));
    }
    let name = node.at(&["metadata", "name"]);
    if !kind.ends_with("List")
        && name.is_none_or(|name| name.is_null() || name.as_str().is_none_or(str::is_empty))
    {
        return Err(Error::invalid(format!(
            "missing metadata.name in object {}",
            describe(node)
        )));
    }
    Ok(())
}

fn describe(node: &Node) -> String {
    let line = match node.span().line {
        0 => String::new(),
        line => format!(" at line {line}"),
    };
    format!("{}{line}", resource::loose_id(node))
}
