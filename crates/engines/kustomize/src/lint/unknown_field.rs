//! `unknown-field`: fields that kustomize does not know.

use weir_yaml::Node;

use super::context::Context;
use super::finding::{Finding, Severity};
use super::source::Source;
use crate::near::{nearest, question};
use crate::shape::{KUSTOMIZATION, Shape};

pub(super) fn check(context: &Context<'_>, out: &mut Vec<Finding>) {
    for source in context.tree {
        walk(source, &source.node, &KUSTOMIZATION, "", out);
    }
}

fn walk(source: &Source, node: &Node, shape: &Shape, path: &str, out: &mut Vec<Finding>) {
    match shape {
        Shape::List(item) => {
            for node in node.items().unwrap_or_default() {
                walk(source, node, item, path, out);
            }
        }
        Shape::Struct(fields) => {
            for (key, value) in node.entries().unwrap_or_default() {
                let Some(name) = key.as_str().filter(|name| *name != "<<") else {
                    continue;
                };
                match fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
                    Some((known, shape)) => walk(source, value, shape, known, out),
                    None => out.push(unknown(source, key, name, fields, path)),
                }
            }
        }
        Shape::Any | Shape::Text | Shape::Bool | Shape::Int | Shape::Map(_) => {}
    }
}

fn unknown(source: &Source, key: &Node, name: &str, fields: &[(&'static str, Shape)], path: &str) -> Finding {
    let within = if path.is_empty() {
        String::new()
    } else {
        format!(" in {path}")
    };
    let near = nearest(name, fields.iter().map(|(name, _)| *name));
    Finding::new(
        "unknown-field",
        Severity::Error,
        &source.path,
        format!("unknown field \"{name}\"{within}"),
    )
    .at(key.span())
    .because("kustomize refuses a kustomization with fields that it does not know")
    .help(question(&near))
}
