//! Reading an index piece by piece.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use weir_yaml::{Data, Dialect, Node, ParseError, ParseOptions, Style, parse_all_with, parse_pieces};

use super::index::{Index, IndexEntry};
use crate::chart::decode::{self, Fields};
use crate::chart::fields::{DEPENDENCY, MAINTAINER, METADATA};
use crate::chart::{API_V1, Metadata};
use crate::gojson::{self, Object};
use crate::time::Time;

/// Why a text is no index.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// There is nothing in it.
    #[error("empty index.yaml file")]
    Empty,
    /// It does not say which format it has.
    #[error("no API version specified")]
    NoApiVersion,
    /// It is no UTF-8, YAML or JSON, or has a field that an index cannot have.
    #[error("{0}")]
    Malformed(String),
}

impl From<ParseError> for IndexError {
    fn from(error: ParseError) -> Self {
        Self::Malformed(format!("error converting YAML to JSON: {error}"))
    }
}

/// How much of an index is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// What finding a chart needs.
    Chosen,
    /// Everything, as text.
    Everything,
}

/// What Go writes where there is no time.
const ZERO_TIME: &str = "0001-01-01T00:00:00Z";
/// Fields of an index.
const TOP: [&str; 6] = [
    "serverInfo",
    "apiVersion",
    "generated",
    "entries",
    "publicKeys",
    "annotations",
];
/// Fields of an entry beside those of Chart.yaml.
const OWN: [&str; 8] = [
    "urls",
    "created",
    "removed",
    "digest",
    "checksum",
    "engine",
    "tillerVersion",
    "url",
];
/// Fields of an entry that are texts; JSON may not have numbers there, YAML may.
const TEXTS: [&str; 16] = [
    "name",
    "home",
    "version",
    "description",
    "icon",
    "apiVersion",
    "condition",
    "tags",
    "appVersion",
    "kubeVersion",
    "type",
    "created",
    "digest",
    "checksum",
    "engine",
    "tillerVersion",
];

/// The entries of an index lie in three collections: the index, its `entries`, the list of a chart.
const DEPTH: usize = 3;

/// Largest text, in bytes, that is read as a whole because it has aliases.
const MOST_WITH_ALIASES: usize = 8 << 20;

pub(super) fn read(content: &[u8], keep: Keep) -> Result<Index, IndexError> {
    if content.is_empty() {
        return Err(IndexError::Empty);
    }
    let mut reader = Reader {
        index: Index::default(),
        keep,
        has_aliases: false,
    };
    let is_json =
        content.trim_ascii_start().starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(content).is_ok();
    let top = if is_json {
        let mut json = serde_json::Deserializer::from_slice(content);
        let top = json.deserialize_map(Top(&mut reader)).map_err(|error| {
            let text = error.to_string();
            let what = "error unmarshaling JSON: while decoding JSON: ";
            IndexError::Malformed(format!("{what}{}", text.strip_prefix(what).unwrap_or(&text)))
        })?;
        Some(from_json(Value::Object(top)))
    } else {
        let text = std::str::from_utf8(content).map_err(|error| {
            IndexError::Malformed(format!(
                "error converting YAML to JSON: yaml: invalid UTF-8: {error}"
            ))
        })?;
        yaml(text, &mut reader)?
    };
    reader.finish(top.as_ref(), is_json)
}

fn yaml(text: &str, reader: &mut Reader) -> Result<Option<Node>, IndexError> {
    let options = ParseOptions::default();
    let top = parse_pieces(text, options, DEPTH, |path, node| {
        let [entries, chart] = path else {
            // Of `serverInfo`, which is of no use, and of what is refused later.
            return Ok(());
        };
        if !entries.eq_ignore_ascii_case("entries") || reader.has_aliases {
            return Ok(());
        }
        if has_aliases(&node) {
            reader.has_aliases = true;
            return Ok(());
        }
        reader.entry(chart, &node, false)
    })?;
    if !reader.has_aliases && !top.as_ref().is_some_and(has_aliases) {
        return Ok(top);
    }
    // What an alias means may stand anywhere: this takes the whole tree.
    if text.len() > MOST_WITH_ALIASES {
        return Err(IndexError::Malformed(format!(
            "an index of more than {MOST_WITH_ALIASES} bytes must not use YAML aliases"
        )));
    }
    reader.index = Index::default();
    let documents = parse_all_with(text, options)?;
    let Some(mut root) = documents.into_iter().next().and_then(|document| document.root) else {
        return Ok(None);
    };
    weir_yaml::expand_aliases(&mut root, Dialect::Sigs)
        .map_err(|error| IndexError::Malformed(format!("error converting YAML to JSON: {error}")))?;
    if let Data::Mapping(fields) = root.data() {
        let entries = fields.iter().filter(|(key, _)| is(key, "entries"));
        for (chart, list) in entries.filter_map(|(_, node)| node.entries()).flatten() {
            let Data::Sequence(items) = list.data() else {
                continue;
            };
            for item in items {
                reader.entry(chart.as_str().unwrap_or_default(), item, false)?;
            }
        }
    }
    Ok(Some(root))
}

fn is(key: &Node, name: &str) -> bool {
    key.as_str().is_some_and(|key| key.eq_ignore_ascii_case(name))
}

fn has_aliases(node: &Node) -> bool {
    match node.data() {
        Data::Alias(_) => true,
        Data::Scalar(_) => false,
        Data::Sequence(items) => items.iter().any(has_aliases),
        Data::Mapping(entries) => entries
            .iter()
            .any(|(key, value)| has_aliases(key) || has_aliases(value)),
    }
}

/// JSON as a tree in which texts stay texts, whatever they look like.
fn from_json(value: Value) -> Node {
    match value {
        Value::String(text) => {
            let mut node = Node::string(text);
            node.set_style(Style::DoubleQuoted);
            node
        }
        Value::Array(items) => Node::sequence(items.into_iter().map(from_json).collect()),
        Value::Object(map) => {
            let entry = |(key, value)| (Node::string(key), from_json(value));
            Node::mapping(map.into_iter().map(entry).collect())
        }
        other => weir_yaml::from_json(&other),
    }
}

/// The index while it is read.
struct Reader {
    index: Index,
    keep: Keep,
    has_aliases: bool,
}

impl Reader {
    /// Takes in one version of a chart.
    fn entry(&mut self, chart: &str, node: &Node, is_json: bool) -> Result<(), IndexError> {
        let versions = self.index.entries.entry(chart.into()).or_default();
        if decode::is_null(node) {
            self.index.skip(chart, "", "it is empty");
            return Ok(());
        }
        let (mut metadata, mut entry) = parse(node, is_json).map_err(IndexError::Malformed)?;
        if metadata.api_version.is_empty() {
            API_V1.clone_into(&mut metadata.api_version);
        }
        // Cleaned texts are what Helm keeps, so that the JSON is made afterwards.
        match metadata.validate() {
            // Some servers lose the aliases of dependencies.
            Err(why) if !why.starts_with("more than one dependency with name or alias") => {
                self.index.skip(chart, &metadata.version, &why);
                return Ok(());
            }
            _ => {}
        }
        entry.name = metadata.name.as_str().into();
        entry.version = metadata.version.as_str().into();
        entry.app_version = metadata.app_version.as_str().into();
        entry.deprecated = metadata.deprecated;
        if self.keep == Keep::Everything {
            entry.json = whole(&metadata, &entry, node)
                .map_err(IndexError::Malformed)?
                .into();
        }
        versions.push(entry);
        Ok(())
    }

    /// Reads what stands besides the entries.
    fn finish(mut self, top: Option<&Node>, is_json: bool) -> Result<Index, IndexError> {
        let malformed = IndexError::Malformed;
        let empty = Node::mapping(Vec::new());
        let top = top.filter(|node| !decode::is_null(node)).unwrap_or(&empty);
        let fields = Fields::of(top, "IndexFile", "repo.IndexFile").map_err(malformed)?;
        if !is_json {
            known(top, &[&TOP]).map_err(malformed)?;
        }
        // The lists of the charts are empty here: what was in them is taken in already.
        for (name, list) in fields
            .mapping("entries", "map[string]repo.ChartVersions")
            .map_err(malformed)?
        {
            match list.data() {
                Data::Sequence(_) => {}
                _ if decode::is_null(list) => {}
                _ => {
                    return Err(malformed(decode::mismatch(
                        list,
                        "IndexFile.entries",
                        "repo.ChartVersions",
                    )));
                }
            }
            let name = weir_yaml::key_to_string(name, Dialect::Sigs)
                .map_err(|error| malformed(error.to_string()))?;
            self.index.entries.entry(name.into()).or_default();
        }
        let api_version = fields.text("apiVersion").map_err(malformed)?;
        let generated = time(&fields, "generated").map_err(malformed)?;
        if self.keep == Keep::Everything {
            let frame = frame(&fields, &api_version, generated).map_err(malformed)?;
            self.index.frame = Some(frame);
        }
        self.index.sort();
        if api_version.is_empty() {
            return Err(IndexError::NoApiVersion);
        }
        Ok(self.index)
    }
}

/// Everything but what the metadata says of itself.
fn parse(node: &Node, is_json: bool) -> Result<(Metadata, IndexEntry), String> {
    let fields = Fields::of(node, "ChartVersion", "repo.ChartVersion")?;
    if is_json {
        texts(node)?;
    } else {
        known(node, &[&METADATA, &OWN])?;
        for (name, allowed) in [
            ("maintainers", &MAINTAINER[..]),
            ("dependencies", &DEPENDENCY[..]),
        ] {
            for item in fields.items(name) {
                known(item, &[allowed])?;
            }
        }
    }
    let mut metadata = Metadata::default();
    metadata.merge_node(node)?;
    let urls = fields.texts("urls")?;
    let entry = IndexEntry {
        urls: urls.into_iter().map(String::into_boxed_str).collect(),
        digest: fields.text("digest")?.into(),
        created: time(&fields, "created")?,
        ..IndexEntry::default()
    };
    Ok((metadata, entry))
}

fn time(fields: &Fields<'_>, name: &str) -> Result<Option<Time>, String> {
    let text = fields.text(name)?;
    if text.is_empty() || text == ZERO_TIME {
        return Ok(None);
    }
    match Time::parse(&text) {
        Some(time) => Ok(Some(time)),
        None => Err(format!(
            "error unmarshaling JSON: while decoding JSON: parsing time {text:?} as \"2006-01-02T15:04:05Z07:00\": cannot parse {text:?}"
        )),
    }
}

/// Refuses fields that are not among the known ones.
fn known(node: &Node, names: &[&[&str]]) -> Result<(), String> {
    for (key, _) in node.entries().unwrap_or_default() {
        if !names.iter().copied().flatten().any(|name| is(key, name)) {
            return Err(format!(
                "error unmarshaling JSON: while decoding JSON: json: unknown field {:?} (line {})",
                key.as_str().unwrap_or_default(),
                key.span().line
            ));
        }
    }
    Ok(())
}

/// Refuses numbers and booleans where JSON must have texts.
fn texts(node: &Node) -> Result<(), String> {
    for (key, value) in node.entries().unwrap_or_default() {
        let is_wrong = |name: &&str| is(key, name) && !decode::is_null(value) && !decode::is_text(value);
        if let Some(name) = TEXTS.iter().find(|name| is_wrong(name)) {
            return Err(decode::mismatch(value, &format!("ChartVersion.{name}"), "string"));
        }
    }
    Ok(())
}

/// An entry in Go's JSON.
fn whole(metadata: &Metadata, entry: &IndexEntry, node: &Node) -> Result<String, String> {
    let fields = Fields::of(node, "ChartVersion", "repo.ChartVersion")?;
    let mut out = String::new();
    crate::release::metadata(metadata, &mut out);
    // The fields of the entry follow those of its metadata, which has at least a name.
    out.pop();
    let mut own = String::new();
    let mut object = Object::new(&mut own);
    if fields.has("urls") {
        gojson::list(&entry.urls, object.key("urls"), |url, out| {
            gojson::string(url, out);
        });
    } else {
        object.key("urls").push_str("null");
    }
    object.text("created", &written(entry.created));
    if fields.flag("removed")? {
        object.key("removed").push_str("true");
    }
    for name in ["digest", "checksum", "engine", "tillerVersion", "url"] {
        object.some_text(name, &fields.text(name)?);
    }
    object.end();
    out.push(',');
    out.push_str(own.get(1..).unwrap_or_default());
    Ok(out)
}

/// What Go writes around the entries.
fn frame(
    fields: &Fields<'_>,
    api_version: &str,
    generated: Option<Time>,
) -> Result<(String, String), String> {
    let mut out = String::new();
    let mut object = Object::new(&mut out);
    let info = fields.mapping("serverInfo", "map[string]interface {}")?;
    if !info.is_empty() {
        let node = Node::mapping(info.to_vec());
        let json = weir_yaml::to_json(&node, Dialect::Sigs).map_err(|error| error.to_string())?;
        gojson::value(&json, object.key("serverInfo"));
    }
    object.text("apiVersion", api_version);
    object.text("generated", &written(generated));
    object.key("entries");
    let mut behind = String::new();
    let mut rest = Object::new(&mut behind);
    rest.some_texts("publicKeys", &fields.texts("publicKeys")?);
    let annotations = fields.text_map("annotations")?;
    if !annotations.is_empty() {
        let mut map = Object::new(rest.key("annotations"));
        for (key, value) in &annotations {
            map.text(key, value);
        }
        map.end();
    }
    rest.end();
    let behind = match behind.strip_prefix('{') {
        Some("}") | None => "}".to_owned(),
        Some(fields) => format!(",{fields}"),
    };
    Ok((out, behind))
}

/// A time as Go writes it.
fn written(time: Option<Time>) -> String {
    time.map_or_else(|| ZERO_TIME.to_owned(), |time| time.to_string())
}

/// The index as JSON has it; the entries go to the reader one by one.
struct Top<'r>(&'r mut Reader);

impl<'de> Visitor<'de> for Top<'_> {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an index")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut rest = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if key.eq_ignore_ascii_case("entries") {
                rest.insert("entries".to_owned(), map.next_value_seed(Entries(self.0))?);
            } else {
                rest.insert(key, map.next_value()?);
            }
        }
        Ok(rest)
    }
}

/// `entries`. What comes back has an empty list for each chart.
struct Entries<'r>(&'r mut Reader);

impl<'de> DeserializeSeed<'de> for Entries<'_> {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping of charts")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut charts = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            // Of a chart that is there twice, the last list counts.
            self.0.index.entries.remove(name.as_str());
            map.next_value_seed(Versions(self.0, &name))?;
            charts.insert(name, Value::Array(Vec::new()));
        }
        Ok(Value::Object(charts))
    }
}

/// The list of a chart.
struct Versions<'r, 'n>(&'r mut Reader, &'n str);

impl<'de> DeserializeSeed<'de> for Versions<'_, '_> {
    type Value = ();

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Versions<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of versions")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(entry) = list.next_element::<Value>()? {
            let entry = from_json(entry);
            self.0.entry(self.1, &entry, true).map_err(de::Error::custom)?;
        }
        Ok(())
    }
}
