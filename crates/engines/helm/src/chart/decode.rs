//! YAML into typed fields, as sigs.k8s.io/yaml decodes into a Go struct: names match whatever their case, numbers
//! and booleans become text where text is wanted, null is nothing, unknown fields are passed over.

use std::collections::BTreeMap;

use weir_yaml::{
    Data, Dialect, Duplicates, Node, ParseOptions, Resolved, collection_as_key, expand_aliases, go_float,
    parse_first_with, resolve_tagged,
};

/// The first document of a text, aliases expanded; `None` if it holds nothing or null.
pub(crate) fn document(text: &str) -> Result<Option<Node>, String> {
    document_at(text, 0)
}

/// The same for a text that stands behind some lines of a larger one, which messages count too.
pub(crate) fn document_at(text: &str, lines: u32) -> Result<Option<Node>, String> {
    let options = ParseOptions {
        duplicates: Duplicates::Keep,
        without_comments: true,
        ..ParseOptions::default()
    };
    let document = parse_first_with(text, options).map_err(|mut error| {
        error.span.line += lines;
        format!("error converting YAML to JSON: {error}")
    })?;
    let Some(mut root) = document.and_then(|document| document.root) else {
        return Ok(None);
    };
    expand_aliases(&mut root, Dialect::Sigs)
        .map_err(|error| format!("error converting YAML to JSON: {error}"))?;
    if let Some(key) = collection_as_key(&root) {
        let what = match key.data() {
            Data::Sequence(_) => "[]interface {}",
            _ => "map[interface {}]interface {}",
        };
        return Err(format!(
            "error converting YAML to JSON: yaml: invalid map key: {what}{{...}} (line {})",
            key.span().line + lines
        ));
    }
    Ok((!is_null(&root)).then_some(root))
}

/// What Go makes of a node where anything may be, as `%T` prints it.
pub(crate) fn go_type(node: &Node) -> &'static str {
    match (node.data(), scalar(node)) {
        (Data::Sequence(_), _) => "[]interface {}",
        (Data::Mapping(_), _) => "map[string]interface {}",
        (_, Some(Ok(Resolved::Bool(_)))) => "bool",
        (_, Some(Ok(Resolved::Int(_) | Resolved::Float(_)))) => "float64",
        (_, Some(Ok(Resolved::Null))) => "<nil>",
        _ => "string",
    }
}

/// Whether a node is null to Go.
pub(crate) fn is_null(node: &Node) -> bool {
    matches!(scalar(node), Some(Ok(Resolved::Null)))
}

/// Whether a node is a text to Go.
pub(crate) fn is_text(node: &Node) -> bool {
    matches!(scalar(node), Some(Ok(Resolved::Str | Resolved::Timestamp(_))))
}

fn scalar(node: &Node) -> Option<Result<Resolved, String>> {
    let text = node.as_str()?;
    Some(resolve_tagged(
        text,
        node.tag(),
        node.tag_is_explicit(),
        node.style(),
        Dialect::Sigs,
    ))
}

/// A mapping that is read field by field.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    entries: &'a [(Node, Node)],
    /// The Go type and the way to it, for messages: `Metadata`, `Metadata.dependencies`.
    place: &'a str,
}

impl<'a> Fields<'a> {
    /// The fields of a node that must be a mapping.
    pub(crate) fn of(node: &'a Node, place: &'a str, go_type: &str) -> Result<Self, String> {
        match node.data() {
            Data::Mapping(entries) => Ok(Self { entries, place }),
            _ => Err(mismatch(node, place, go_type)),
        }
    }

    /// The values of a field, nulls too, as Go reads them one over the other: of several spellings in the order of JSON text, in
    /// which its maps are sorted, so that `kind` comes behind `KIND`.
    fn values(&self, name: &str) -> impl DoubleEndedIterator<Item = &'a Node> + use<'a> {
        let spelling = |key: &'a Node| key.as_str().filter(|key| key.eq_ignore_ascii_case(name));
        let entries = self.entries.iter();
        // Of entries of one spelling the last one is all that is left, null or not.
        let found: BTreeMap<&str, &Node> = entries
            .filter_map(|(key, value)| Some((spelling(key)?, value)))
            .collect();
        found.into_values()
    }

    /// The value of a field, unless it is absent or null: to a text, a number or a struct null does nothing.
    pub(crate) fn get(&self, name: &str) -> Option<&'a Node> {
        self.values(name).rev().find(|value| !is_null(value))
    }

    /// Whether a field has a value.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn place(&self, name: &str) -> String {
        format!("{}.{name}", self.place)
    }

    /// Text.
    pub(crate) fn text(&self, name: &str) -> Result<String, String> {
        self.get(name)
            .map_or_else(|| Ok(String::new()), |node| text(node, &self.place(name)))
    }

    /// A mapping within, which Go reads into this type.
    pub(crate) fn fields(&self, name: &str, place: &'a str, go_type: &str) -> Result<Option<Self>, String> {
        self.get(name)
            .map(|node| Self::of(node, place, go_type))
            .transpose()
    }

    /// The entries of a mapping; none where the field is absent.
    pub(crate) fn mapping(&self, name: &str, go_type: &str) -> Result<&'a [(Node, Node)], String> {
        match self.get(name) {
            None => Ok(&[]),
            Some(node) => node
                .entries()
                .ok_or_else(|| mismatch(node, &self.place(name), go_type)),
        }
    }

    /// The items of a list; none where there is no list.
    pub(crate) fn items(&self, name: &str) -> &'a [Node] {
        let last = self.values(name).next_back();
        last.and_then(Node::items).unwrap_or_default()
    }

    /// A boolean.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, String> {
        match self.get(name) {
            None => Ok(false),
            Some(node) => match scalar(node) {
                Some(Ok(Resolved::Bool(value))) => Ok(value),
                _ => Err(mismatch(node, &self.place(name), "bool")),
            },
        }
    }

    /// A list of anything; nulls stay, as `None`.
    pub(crate) fn list<T: Default>(
        &self,
        name: &str,
        go_type: &str,
        read: impl Fn(&mut T, &'a Node, &str) -> Result<(), String>,
    ) -> Result<Vec<Option<T>>, String> {
        let mut list = Vec::new();
        self.list_over(name, go_type, &mut list, read)?;
        Ok(list)
    }

    /// The same, read over what is there already.
    pub(crate) fn list_over<T: Default>(
        &self,
        name: &str,
        go_type: &str,
        list: &mut Vec<Option<T>>,
        read: impl Fn(&mut T, &'a Node, &str) -> Result<(), String>,
    ) -> Result<(), String> {
        self.items_over(name, go_type, list, |target, item, place| {
            if is_null(item) {
                *target = None;
                return Ok(());
            }
            read(target.get_or_insert_default(), item, place)
        })
    }

    /// A list over what is there already: null empties it, else each item is read over the one in its place, as Go's
    /// encoding/json does it.
    pub(crate) fn items_over<T: Default>(
        &self,
        name: &str,
        go_type: &str,
        list: &mut Vec<T>,
        read: impl Fn(&mut T, &'a Node, &str) -> Result<(), String>,
    ) -> Result<(), String> {
        let place = self.place(name);
        for node in self.values(name) {
            if is_null(node) {
                list.clear();
                continue;
            }
            let Data::Sequence(items) = node.data() else {
                return Err(mismatch(node, &place, go_type));
            };
            list.resize_with(items.len(), T::default);
            for (item, target) in items.iter().zip(list.iter_mut()) {
                read(target, item, &place)?;
            }
        }
        Ok(())
    }

    /// A list of texts; null is the empty text.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>, String> {
        let mut texts = Vec::new();
        self.texts_over(name, &mut texts)?;
        Ok(texts)
    }

    /// The same, read over what is there already: null leaves the text in its place.
    pub(crate) fn texts_over(&self, name: &str, texts: &mut Vec<String>) -> Result<(), String> {
        self.items_over(name, "[]string", texts, |target, item, place| {
            if !is_null(item) {
                *target = text(item, place)?;
            }
            Ok(())
        })
    }

    /// A mapping of texts; of a repeated key the last value counts.
    pub(crate) fn text_map(&self, name: &str) -> Result<BTreeMap<String, String>, String> {
        let mut map = BTreeMap::new();
        self.text_map_over(name, &mut map)?;
        Ok(map)
    }

    /// The same, read over what is there already.
    pub(crate) fn text_map_over(&self, name: &str, map: &mut BTreeMap<String, String>) -> Result<(), String> {
        let place = self.place(name);
        for node in self.values(name) {
            if is_null(node) {
                map.clear();
                continue;
            }
            let Data::Mapping(entries) = node.data() else {
                return Err(mismatch(node, &place, "map[string]string"));
            };
            for (key, value) in entries {
                let key = weir_yaml::key_to_string(key, Dialect::Sigs).map_err(|error| error.to_string())?;
                let value = if is_null(value) {
                    String::new()
                } else {
                    text(value, &place)?
                };
                map.insert(key, value);
            }
        }
        Ok(())
    }
}

/// A scalar as text.
pub(crate) fn text(node: &Node, place: &str) -> Result<String, String> {
    match (scalar(node), node.as_str()) {
        (Some(Ok(Resolved::Str | Resolved::Timestamp(_))), Some(text)) => Ok(text.to_owned()),
        (Some(Ok(Resolved::Bool(value))), _) => Ok(value.to_string()),
        (Some(Ok(Resolved::Int(value))), _) => Ok(value.to_string()),
        (Some(Ok(Resolved::Float(value))), _) => Ok(go_float(value)),
        (Some(Ok(Resolved::Null)), _) => Ok(String::new()),
        _ => Err(mismatch(node, place, "string")),
    }
}

/// Go's message about a value of the wrong type, with its line.
pub(crate) fn mismatch(node: &Node, place: &str, go_type: &str) -> String {
    let found = match (node.data(), scalar(node)) {
        (Data::Sequence(_), _) => "array",
        (Data::Mapping(_), _) => "object",
        (_, Some(Ok(Resolved::Bool(_)))) => "bool",
        (_, Some(Ok(Resolved::Int(_) | Resolved::Float(_)))) => "number",
        _ => "string",
    };
    let target = if place.contains('.') {
        format!("struct field {place}")
    } else {
        "value".to_owned()
    };
    format!(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go {target} of type {go_type} (line {})",
        node.span().line
    )
}
