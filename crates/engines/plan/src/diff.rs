//! The difference between two versions of an object, for people to read.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value};
use weir_apis::Object;
use weir_redact::Mask;

use crate::change::same;
use crate::normalize::is_secret;
use crate::secret::{add_secret_values, mask_secret_pair};

/// Fields of `metadata` that people set.
const METADATA: [&str; 5] = ["name", "namespace", "labels", "annotations", "finalizers"];

/// Shows what differs between two versions of an object, a path and its values at a time. `None` where
/// nothing does; an absent side is an object that is created or deleted, shown whole.
///
/// ```text
/// spec.template.spec.containers[web].image
///   - nginx:1
///   + nginx:2
/// ```
///
/// Items of lists are matched by their `name` where all have one. Bookkeeping (`status` and most of
/// `metadata`) is left out. A Secret's values are hidden, and every value that `mask` knows, wherever it
/// stands; that a hidden value has changed is still shown.
pub fn diff(old: Option<&Object>, new: Option<&Object>, mask: &Mask) -> Option<String> {
    let mut mask = mask.clone();
    for object in [old, new].into_iter().flatten() {
        add_secret_values(object, &mut mask);
    }
    let (mut old, mut new) = (old.map(readable), new.map(readable));
    if [&old, &new].into_iter().flatten().any(|o| is_secret(&o.gvk())) {
        mask_secret_pair(old.as_mut(), new.as_mut());
    }
    let mut printer = Printer {
        out: String::new(),
        mask,
    };
    match (old, new) {
        (Some(old), Some(new)) => printer.maps("", old.as_map(), new.as_map()),
        (Some(old), None) => printer.lines('-', "", &old.into_value()),
        (None, Some(new)) => printer.lines('+', "", &new.into_value()),
        (None, None) => {}
    }
    (!printer.out.is_empty()).then(|| printer.mask.apply(&printer.out).into_owned())
}

/// The parts of an object that people write.
fn readable(object: &Object) -> Object {
    let mut copy = object.clone();
    copy.as_map_mut().remove("status");
    let metadata = copy.metadata_mut();
    let kept: Map<String, Value> = METADATA
        .iter()
        .filter_map(|key| metadata.remove_entry(*key))
        .collect();
    *metadata = kept;
    copy
}

struct Printer {
    out: String,
    mask: Mask,
}

impl Printer {
    fn maps(&mut self, path: &str, old: &Map<String, Value>, new: &Map<String, Value>) {
        let mut keys: Vec<&String> = old
            .keys()
            .chain(new.keys().filter(|k| !old.contains_key(*k)))
            .collect();
        keys.sort_unstable();
        for key in keys {
            self.values(&below(path, key), old.get(key), new.get(key));
        }
    }

    fn values(&mut self, path: &str, old: Option<&Value>, new: Option<&Value>) {
        match (old, new) {
            (Some(Value::Object(old)), Some(Value::Object(new))) => self.maps(path, old, new),
            (Some(Value::Array(old)), Some(Value::Array(new))) => self.lists(path, old, new),
            (Some(old), Some(new)) if same(old, new) => {}
            (None, None) => {}
            _ => {
                self.out.push_str(&self.mask.apply(path));
                self.out.push('\n');
                if let Some(old) = old {
                    self.lines('-', "  ", old);
                }
                if let Some(new) = new {
                    self.lines('+', "  ", new);
                }
            }
        }
    }

    fn lists(&mut self, path: &str, old: &[Value], new: &[Value]) {
        if let (Some(before), Some(after)) = (by_name(old), by_name(new)) {
            let gone = before.keys().filter(|name| !after.contains_key(*name));
            let names: Vec<&str> = gone.chain(after.keys()).copied().collect();
            for name in names {
                self.values(
                    &format!("{path}[{name}]"),
                    before.get(name).copied(),
                    after.get(name).copied(),
                );
            }
            let order = |list: &[Value]| -> Vec<String> {
                list.iter().filter_map(name_of).map(str::to_owned).collect()
            };
            let (from, to) = (order(old), order(new));
            if from != to && from.len() == to.len() && from.iter().all(|name| to.contains(name)) {
                let _written = writeln!(self.out, "{}\n  ~ order", self.mask.apply(path));
            }
            return;
        }
        for at in 0..old.len().max(new.len()) {
            self.values(&format!("{path}[{at}]"), old.get(at), new.get(at));
        }
    }

    /// A value as YAML, every line behind a sign. Texts are masked before they are quoted and folded.
    fn lines(&mut self, sign: char, indent: &str, value: &Value) {
        let text = weir_yaml::emit::sigs(&self.masked(value));
        for line in text.lines() {
            let _written = writeln!(self.out, "{indent}{sign} {line}");
        }
    }

    fn masked(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.mask.apply(text).into_owned().into(),
            Value::Array(list) => list.iter().map(|v| self.masked(v)).collect(),
            Value::Object(map) => map
                .iter()
                .map(|(key, v)| (self.mask.apply(key).into_owned(), self.masked(v)))
                .collect(),
            other => other.clone(),
        }
    }
}

/// `path.key`, with the key in brackets where it is no simple word.
fn below(path: &str, key: &str) -> String {
    let simple = !key.is_empty()
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    match (path.is_empty(), simple) {
        (true, true) => key.to_owned(),
        (false, true) => format!("{path}.{key}"),
        (_, false) => format!("{path}[{key}]"),
    }
}

fn name_of(item: &Value) -> Option<&str> {
    item.get("name").and_then(Value::as_str)
}

/// The items of a list by name, where all have one and no two the same.
fn by_name(list: &[Value]) -> Option<BTreeMap<&str, &Value>> {
    let map: BTreeMap<&str, &Value> = list
        .iter()
        .map(|item| Some((name_of(item)?, item)))
        .collect::<Option<_>>()?;
    (map.len() == list.len()).then_some(map)
}
