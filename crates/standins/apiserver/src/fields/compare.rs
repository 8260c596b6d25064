//! What changed between two objects.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use weir_schema::ListType;

use super::path::PathElement;
use super::set::FieldSet;
use super::types::{FieldType, Shape};

/// Fields by what happened to them. No field is in two of the sets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Comparison {
    pub(crate) removed: FieldSet,
    pub(crate) modified: FieldSet,
    pub(crate) added: FieldSet,
}

impl Comparison {
    /// Without `ignored` and all below it.
    pub(crate) fn without(self, ignored: &FieldSet) -> Self {
        Self {
            removed: self.removed.recursive_difference(ignored),
            modified: self.modified.recursive_difference(ignored),
            added: self.added.recursive_difference(ignored),
        }
    }
}

/// Compares two objects of one type.
pub(crate) fn compare(old: &Value, new: &Value, ty: FieldType<'_>) -> Comparison {
    let mut walk = Walk {
        path: Vec::new(),
        out: Comparison::default(),
    };
    walk.visit(Some(old), Some(new), ty);
    walk.out
}

struct Walk {
    path: Vec<PathElement>,
    out: Comparison,
}

impl Walk {
    fn visit(&mut self, old: Option<&Value>, new: Option<&Value>, ty: FieldType<'_>) {
        let (old_shape, new_shape) = (ty.shape(old), ty.shape(new));
        let is_leaf = match (old, new) {
            (Some(_), None) => self.descend(old, None, ty, old_shape),
            (None, _) => self.descend(None, new, ty, new_shape),
            _ if old_shape == new_shape => self.descend(old, new, ty, new_shape),
            _ => {
                self.leaf(old, new);
                true
            }
        };
        if !is_leaf {
            match (old, new) {
                (None, _) => self.out.added.insert(&self.path),
                (_, None) => self.out.removed.insert(&self.path),
                _ => {}
            }
        }
    }

    /// Says whether the place was a leaf.
    fn descend(
        &mut self,
        old: Option<&Value>,
        new: Option<&Value>,
        ty: FieldType<'_>,
        shape: Shape<'_>,
    ) -> bool {
        match shape {
            Shape::Leaf => {
                self.leaf(old, new);
                true
            }
            Shape::Map => {
                let old_fields = old.and_then(Value::as_object);
                let new_fields = new.and_then(Value::as_object);
                if old_fields.is_none_or(Map::is_empty) && new_fields.is_none_or(Map::is_empty) {
                    self.leaf(old, new);
                    return true;
                }
                let mut names: Vec<&String> = old_fields.into_iter().flat_map(Map::keys).collect();
                names.extend(new_fields.into_iter().flat_map(Map::keys));
                names.sort();
                names.dedup();
                for name in names {
                    self.path.push(PathElement::Field(name.clone()));
                    self.visit(
                        old_fields.and_then(|fields| fields.get(name)),
                        new_fields.and_then(|fields| fields.get(name)),
                        ty.field(name).unwrap_or(FieldType::Deduced),
                    );
                    self.path.pop();
                }
                false
            }
            Shape::List(list) => {
                let old_items = old.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                let new_items = new.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                if old_items.is_empty() && new_items.is_empty() {
                    self.leaf(old, new);
                    return true;
                }
                self.list(old_items, new_items, ty, list);
                false
            }
        }
    }

    fn leaf(&mut self, old: Option<&Value>, new: Option<&Value>) {
        match (old, new) {
            (None, _) => self.out.added.insert(&self.path),
            (_, None) => self.out.removed.insert(&self.path),
            (Some(old), Some(new)) if !same(old, new) => self.out.modified.insert(&self.path),
            _ => {}
        }
    }

    fn list(&mut self, old: &[Value], new: &[Value], ty: FieldType<'_>, list: ListType<'_>) {
        let mut by_element: BTreeMap<PathElement, (Vec<&Value>, Vec<&Value>)> = BTreeMap::new();
        for item in old {
            if let Ok(element) = ty.item_path(list, item) {
                by_element.entry(element).or_default().0.push(item);
            }
        }
        for item in new {
            if let Ok(element) = ty.item_path(list, item) {
                by_element.entry(element).or_default().1.push(item);
            }
        }
        for (element, (olds, news)) in by_element {
            self.path.push(element);
            match (olds.as_slice(), news.as_slice()) {
                ([], [_]) | ([_], [] | [_]) => {
                    self.visit(olds.first().copied(), news.first().copied(), ty.item());
                }
                ([_, _, ..], [_, _, ..]) => {
                    if olds != news {
                        self.out.modified.insert(&self.path);
                    }
                }
                ([_, _, ..], rest) => {
                    if let Some(item) = rest.first() {
                        self.visit(None, Some(item), ty.item());
                    }
                    self.out.removed.insert(&self.path);
                }
                (rest, [_, _, ..]) => {
                    if let Some(item) = rest.first() {
                        self.visit(Some(item), None, ty.item());
                    }
                    self.out.added.insert(&self.path);
                }
                ([], []) => {}
            }
            self.path.pop();
        }
    }
}

/// Equality as Go sees decoded JSON: `1` and `1.0` are one number.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        _ => a == b,
    }
}
