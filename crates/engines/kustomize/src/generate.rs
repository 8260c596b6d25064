//! Generators: what `configMapGenerator` and `secretGenerator` make.

mod config_map;
mod helm_chart;
mod iam_policy;
mod pairs;
mod secret;

use std::collections::BTreeMap;

use weir_yaml::{Node, Style, Tag};

pub(crate) use config_map::config_map;
pub(crate) use helm_chart::{helm_chart, modern};
pub(crate) use iam_policy::iam_policy;
pub(crate) use secret::secret;

use crate::error::{Error, Result};
use crate::kustomization::{GeneratorArgs, GeneratorOptions};
use crate::ops;
use crate::resource::{Behavior, Resource, meta_map, set_meta_map};

/// Options of the whole file below a generator's own.
pub(crate) fn with_global(mut args: GeneratorArgs, global: Option<&GeneratorOptions>) -> GeneratorArgs {
    if let Some(global) = global {
        let options = args.options.get_or_insert_default();
        for (own, global) in [
            (&mut options.labels, &global.labels),
            (&mut options.annotations, &global.annotations),
        ] {
            for (key, value) in global {
                own.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        options.disable_name_suffix_hash |= global.disable_name_suffix_hash;
        options.immutable |= global.immutable;
    }
    args
}

/// An object of a kind without content.
fn base(kind: &str, args: &GeneratorArgs) -> Result<Node> {
    if args.name.is_empty() {
        return Err(Error::invalid("a configmap must have a name"));
    }
    let mut metadata = Node::mapping(Vec::new());
    ops::set_field(&mut metadata, "name", Node::plain(args.name.clone()))?;
    if !args.namespace.is_empty() {
        ops::set_field(&mut metadata, "namespace", Node::plain(args.namespace.clone()))?;
    }
    Ok(Node::mapping(vec![
        (Node::plain("apiVersion"), Node::string("v1")),
        (Node::plain("kind"), Node::string(kind)),
        (Node::plain("metadata"), metadata),
    ]))
}

/// Puts the options on an object and makes a resource of it.
fn finish(mut node: Node, args: &GeneratorArgs) -> Result<Resource> {
    let default = GeneratorOptions::default();
    let options = args.options.as_ref().unwrap_or(&default);
    for (field, map) in [("labels", &options.labels), ("annotations", &options.annotations)] {
        if !map.is_empty() {
            let mut all = meta_map(&node, field);
            all.extend(map.clone());
            set_meta_map(&mut node, field, &all)?;
        }
    }
    if options.immutable {
        ops::set_field(&mut node, "immutable", Node::scalar("true", Tag::Bool))?;
    }
    let mut resource = Resource::new(node);
    resource.needs_hash = !options.disable_name_suffix_hash;
    resource.generated = true;
    resource.behavior = Behavior::parse(&args.behavior);
    Ok(resource)
}

/// A string value; several lines are written as a block.
pub(crate) fn value_node(text: String) -> Node {
    let mut node = Node::string(text);
    if node.as_str().is_some_and(|text| text.contains('\n')) {
        node.set_style(Style::Literal);
    }
    node
}

/// Base64 in lines of 70 characters, as kustomize writes binary data.
fn base64_lines(bytes: &[u8]) -> String {
    use base64::Engine;
    const LINE: usize = 70;
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    if text.len() < LINE {
        return text;
    }
    let mut lines = String::with_capacity(text.len() + text.len() / LINE + 1);
    for (at, c) in text.chars().enumerate() {
        if at > 0 && at.is_multiple_of(LINE) {
            lines.push('\n');
        }
        lines.push(c);
    }
    lines.push('\n');
    lines
}

/// The data of a generator as a map; a repeated key is an error.
fn data(args: &GeneratorArgs, loader: &crate::loader::Loader<'_>) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut map = BTreeMap::new();
    for (key, value) in pairs::load(args, loader).map_err(|error| error.within("loading KV pairs"))? {
        if map.insert(key.clone(), value).is_some() {
            return Err(Error::invalid(format!(
                "configmap {} illegally repeats the key `{key}`",
                args.name
            )));
        }
    }
    Ok(map)
}
