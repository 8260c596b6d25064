//! `vars`: `$(NAME)` in fields.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};

use weir_yaml::{Data, Node, Style, Tag, go_float};

use crate::error::{Error, Result};
use crate::fieldspec::{FieldSpec, Specs};
use crate::id::ResId;
use crate::kustomization::Var;
use crate::near;
use crate::ops;
use crate::path;
use crate::resmap::ResMap;
use crate::resource::Resource;

/// Replaces the vars in the fields of the specs. Returns the names of those that no field refers to.
pub(crate) fn resolve(
    vars: &BTreeMap<String, Var>,
    specs: &[FieldSpec],
    map: &mut ResMap,
) -> Result<Vec<String>> {
    if vars.is_empty() {
        return Ok(Vec::new());
    }
    let mut sources: HashMap<&str, &Resource> = HashMap::new();
    for resource in map.iter() {
        for name in &resource.vars {
            sources.entry(name).or_insert(resource);
        }
    }
    let mut values = BTreeMap::new();
    for (name, var) in vars {
        values.insert(
            name.as_str(),
            value(var, sources.get(var.name.as_str()).copied()).map_err(|error| {
                let is_there = sources.contains_key(var.name.as_str());
                let help = if is_there { None } else { near(var, map) };
                match help {
                    Some(help) => error.helped(Some(help)),
                    None => error,
                }
            })?,
        );
    }
    let mut specs = Specs::new(specs);
    for node in map.nodes_mut() {
        specs.apply_all(node, None, &mut |node| replace(node, &values))?;
    }
    let idle = values
        .into_iter()
        .filter(|(_, value)| value.as_ref().is_some_and(|value| !value.is_used.get()));
    Ok(idle.map(|(name, _)| name.to_owned()).collect())
}

/// What the object of a var may have been meant to be.
fn near(var: &Var, map: &ResMap) -> Option<String> {
    let wanted = ResId {
        gvk: var.objref.gvk(),
        name: var.objref.name.clone(),
        namespace: var.objref.namespace.clone(),
        cluster_scoped: false,
    };
    near::exact(map.list(), &wanted.as_ref())
}

/// What a var stands for.
struct Value {
    text: String,
    tag: Tag,
    is_used: Cell<bool>,
}

/// The value of a var; `None` if it is no scalar, which leaves the reference as it is.
fn value(var: &Var, source: Option<&Resource>) -> Result<Option<Value>> {
    let Some(resource) = source else {
        return Err(Error::invalid(format!(
            "var '{}' cannot be mapped to a field in the set of known resources",
            describe(var)
        )));
    };
    let path = field_path(var);
    let missing = || {
        Error::invalid(format!(
            "field specified in var '{}' not found in corresponding resource",
            describe(var)
        ))
    };
    let parts = indexed(path::split_dotted(path));
    let node = ops::lookup(resource.node(), &parts)
        .ok()
        .flatten()
        .ok_or_else(|| missing().helped(near::field(resource.node(), &parts)))?;
    let Some(text) = node.as_str() else {
        return Ok(None);
    };
    let (text, tag) = match node.tag() {
        // Decimal digits only: kustomize reads no other spelling here.
        Tag::Int => match text.parse::<i64>() {
            Ok(value) => (value.to_string(), Tag::Int),
            Err(_) => return Err(missing()),
        },
        Tag::Bool => (text.to_lowercase(), Tag::Bool),
        Tag::Float => match text.parse::<f64>() {
            Ok(value) => (go_float(value), Tag::Float),
            Err(_) => return Err(missing()),
        },
        _ => (text.to_owned(), Tag::Str),
    };
    let is_used = Cell::new(false);
    Ok(Some(Value { text, tag, is_used }))
}

fn field_path(var: &Var) -> &str {
    match var.fieldref.field_path.as_str() {
        "" => "metadata.name",
        path => path,
    }
}

fn describe(var: &Var) -> String {
    format!(
        "{} ({}/{}:{})",
        var.name,
        var.objref.gvk(),
        var.objref.name,
        field_path(var)
    )
}

/// Turns `ports[0]` into `ports`, `0`.
pub(crate) fn indexed(parts: Vec<String>) -> Vec<String> {
    let mut result = Vec::new();
    for part in parts {
        let split = part
            .strip_suffix(']')
            .and_then(|inner| inner.rsplit_once('['))
            .filter(|(_, index)| !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit()))
            .map(|(name, index)| (name.to_owned(), index.to_owned()));
        match split {
            Some((name, index)) => {
                if !name.is_empty() {
                    result.push(name);
                }
                result.push(index);
            }
            None => result.push(part),
        }
    }
    result
}

type Values<'a> = BTreeMap<&'a str, Option<Value>>;

fn replace(node: &mut Node, values: &Values<'_>) -> Result<()> {
    if node.is_null() {
        return Ok(());
    }
    match node.data_mut() {
        Data::Sequence(items) => {
            for item in items {
                if !is_string(item) {
                    return Err(Error::invalid("invalid value type expect a string"));
                }
                expand(item, values);
            }
        }
        Data::Mapping(entries) => {
            for (key, value) in entries {
                if !is_string(key) {
                    return Err(Error::invalid(format!(
                        "invalid map key: value='{}', tag='{}'",
                        ops::text(key),
                        key.tag_text()
                    )));
                }
                expand(value, values);
            }
        }
        _ => expand(node, values),
    }
    Ok(())
}

fn is_string(node: &Node) -> bool {
    node.as_str().is_some() && matches!(node.tag(), Tag::Str | Tag::None)
}

/// Replaces the references in a string; one that is the whole string keeps its value's type.
fn expand(node: &mut Node, values: &Values<'_>) {
    if !is_string(node) {
        return;
    }
    let text = node.as_str().unwrap_or_default();
    let whole = text.strip_prefix("$(").and_then(|rest| rest.strip_suffix(')'));
    let (text, tag) = match whole.and_then(|name| values.get(name)) {
        Some(Some(value)) => {
            value.is_used.set(true);
            (value.text.clone(), value.tag)
        }
        _ => (expand_text(text, values), Tag::Str),
    };
    node.set_data(Data::Scalar(text.into()));
    node.set_tag(tag);
    node.set_tag_is_explicit(false);
    node.set_style(Style::Plain);
}

fn expand_text(text: &str, values: &Values<'_>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(before);
        let after = from.strip_prefix('$').unwrap_or(from);
        if after.is_empty() {
            out.push('$');
            return out;
        }
        if let Some(escaped) = after.strip_prefix('$') {
            out.push('$');
            rest = escaped;
        } else if let Some((name, behind)) = after.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
            if let Some(Some(value)) = values.get(name) {
                value.is_used.set(true);
                out.push_str(&value.text);
            } else {
                out.push_str("$(");
                out.push_str(name);
                out.push(')');
            }
            rest = behind;
        } else {
            // No reference: the dollar and what follows stay.
            out.push('$');
            let mut chars = after.chars();
            out.extend(chars.next());
            rest = chars.as_str();
        }
    }
    out.push_str(rest);
    out
}
