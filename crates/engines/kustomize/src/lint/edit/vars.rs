//! `vars` become `replacements`, as far as `$(NAME)` stands alone or between delimiters.
//!
//! What refers to a var is left as it is: a replacement puts the value over it. Vars see what all transformers have done,
//! replacements only what those before them have; where that makes a difference the edit is not made.

use weir_yaml::{Data, Node, emit};

use super::text::{At, Edits, Lines, indented_item};
use crate::files::{Files, join};
use crate::id::Gvk;
use crate::lint::reference;
use crate::lint::source::{Source, text, tree, value};
use crate::load;
use crate::path;
use crate::resource::{api_version, kind, name, namespace};
use crate::transform::indexed;

pub(super) fn edit(source: &Source, lines: &Lines<'_>, files: &dyn Files) -> Option<Edits> {
    let old = lines.section(source, "vars")?;
    let objects = objects(source, files);
    let mut items = Vec::new();
    for var in old.value.items()? {
        let made = replacement(var, &objects)?;
        items.push(indented_item(&emit::kyaml(&made), lines.end));
    }
    let mut kept = Vec::new();
    comments(old.value, &mut kept);
    let kept: Vec<String> = kept
        .iter()
        .flat_map(|comment| comment.lines())
        .map(|line| format!("{line}{}", lines.end))
        .collect();
    let mut edits = Edits::default();
    if source.field("replacements").is_none() {
        let comment = lines.key_comment(&old);
        let body = [kept, items].concat().concat();
        edits.replace(
            old.key..old.stop,
            format!("replacements:{comment}{}{body}", lines.end),
        );
        return Some(edits);
    }
    let new = lines.section(source, "replacements")?;
    let moved = [lines.leftovers(&old), kept, items].concat();
    lines.add(&new, moved, At::End, &mut edits)?;
    lines.remove(&old, &mut edits);
    Some(edits)
}

/// The objects, and patches without a target, of a kustomization and all that it reaches.
fn objects(source: &Source, files: &dyn Files) -> Vec<Node> {
    let mut objects = Vec::new();
    for source in tree(files, &source.root).unwrap_or_default() {
        let has_target = |path: &str| {
            source
                .items("patches")
                .iter()
                .any(|patch| text(patch, "path") == path && value(patch, "target").is_some())
        };
        for reference in reference::all(&source) {
            let is_patch = reference.field == "patches" && !has_target(reference.path);
            if !(reference.is_manifest || is_patch || reference.field == "patchesStrategicMerge") {
                continue;
            }
            if let Ok(bytes) = files.read(&join(&source.root, reference.path)) {
                objects.extend(load::objects(&bytes).unwrap_or_default());
            }
        }
    }
    objects
}

/// A var as a replacement; nothing if no field refers to it, or one does so in a way that cannot be said.
fn replacement(var: &Node, objects: &[Node]) -> Option<Node> {
    let object = value(var, "objref")?;
    let path = value(var, "fieldref").map_or("", |field| text(field, "fieldpath"));
    // Replacements have no brackets for numbers.
    let parts = indexed(path::split_dotted(path));
    let path: Vec<String> = parts.iter().map(|part| written(part)).collect();
    let path = path.join(".");
    let mut gvk = Gvk::new(text(object, "apiVersion"), text(object, "kind"));
    for (own, part) in [(&mut gvk.group, "group"), (&mut gvk.version, "version")] {
        if own.is_empty() {
            text(object, part).clone_into(own);
        }
    }
    let source = mapping(&[
        ("group", &gvk.group),
        ("version", &gvk.version),
        ("kind", &gvk.kind),
        ("name", text(object, "name")),
        ("namespace", text(object, "namespace")),
        ("fieldPath", &path),
    ]);
    let reference = format!("$({})", text(var, "name"));
    let mut targets = Vec::new();
    for object in objects {
        let mut found = Vec::new();
        find(object, &reference, &mut Vec::new(), &mut found);
        let gvk = Gvk::new(api_version(object), kind(object));
        let select = mapping(&[
            ("group", &gvk.group),
            ("version", &gvk.version),
            ("kind", &gvk.kind),
            ("name", name(object)),
            ("namespace", namespace(object)),
        ]);
        for (path, whole) in found {
            let paths = Node::sequence(vec![Node::string(path)]);
            let mut target = vec![
                (Node::plain("select"), select.clone()),
                (Node::plain("fieldPaths"), paths),
            ];
            if whole != reference {
                let (delimiter, index) = delimited(&whole, &reference)?;
                let options = Node::mapping(vec![
                    (Node::plain("delimiter"), Node::string(delimiter.to_string())),
                    (Node::plain("index"), Node::plain(index.to_string())),
                ]);
                target.push((Node::plain("options"), options));
            }
            targets.push(Node::mapping(target));
        }
    }
    if targets.is_empty() {
        return None;
    }
    Some(Node::mapping(vec![
        (Node::plain("source"), source),
        (Node::plain("targets"), Node::sequence(targets)),
    ]))
}

/// A field's name as a part of a path.
fn written(name: &str) -> String {
    if name.contains('.') && !name.starts_with('[') {
        format!("[{name}]")
    } else {
        name.to_owned()
    }
}

/// Fields with a value.
fn mapping(fields: &[(&str, &str)]) -> Node {
    let given = fields.iter().filter(|(_, text)| !text.is_empty());
    Node::mapping(
        given
            .map(|(name, text)| (Node::plain(*name), Node::string(*text)))
            .collect(),
    )
}

/// The paths and texts of all fields that hold a reference.
fn find(node: &Node, reference: &str, path: &mut Vec<String>, found: &mut Vec<(String, String)>) {
    match node.data() {
        Data::Mapping(entries) => {
            for (key, value) in entries {
                let key = key.as_str().unwrap_or_default();
                path.push(written(key));
                find(value, reference, path, found);
                path.pop();
            }
        }
        Data::Sequence(items) => {
            for (number, item) in items.iter().enumerate() {
                path.push(number.to_string());
                find(item, reference, path, found);
                path.pop();
            }
        }
        Data::Scalar(text) if text.contains(reference) => found.push((path.join("."), text.to_string())),
        Data::Scalar(_) | Data::Alias(_) => {}
    }
}

/// The delimiter around a reference and the number of its part, if one says where it stands.
fn delimited(text: &str, reference: &str) -> Option<(char, usize)> {
    let (before, behind) = text.split_once(reference)?;
    let delimiter = match (before.chars().next_back(), behind.chars().next()) {
        (Some(a), Some(b)) if a != b => return None,
        (None, Some(one)) | (Some(one), _) => one,
        (None, None) => return None,
    };
    let mut parts = text.split(delimiter);
    let index = parts.position(|part| part == reference)?;
    // A second time it would have to be said twice.
    (!behind.contains(reference)).then_some((delimiter, index))
}

/// All comments of a tree, in order.
fn comments(node: &Node, out: &mut Vec<String>) {
    let own = node.comments();
    let mut add = |text: Option<&String>| out.extend(text.filter(|text| !text.is_empty()).cloned());
    add(own.map(|comments| &comments.head));
    add(own.map(|comments| &comments.line));
    match node.data() {
        Data::Mapping(entries) => entries.iter().for_each(|(key, value)| {
            comments(key, out);
            comments(value, out);
        }),
        Data::Sequence(items) => items.iter().for_each(|item| comments(item, out)),
        Data::Scalar(_) | Data::Alias(_) => {}
    }
    out.extend(
        own.map(|comments| comments.foot.clone())
            .filter(|text| !text.is_empty()),
    );
}
