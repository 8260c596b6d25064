//! Data in the form that was asked for.

use clap::ValueEnum;
use serde_json::{Map, Value};
use weir_apis::{Object, ObjectRef};

use crate::Io;
use crate::run::Result;

/// `--output` of commands that print objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// Columns for people
    #[default]
    Table,
    /// JSON
    Json,
    /// YAML
    Yaml,
    /// `resource.group/name`, one a line
    Name,
}

/// `--output` of commands that print one result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Shape {
    /// Lines for people
    #[default]
    Text,
    /// JSON
    Json,
    /// YAML
    Yaml,
}

/// Appends to a text, which can't fail.
pub(crate) fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _written = std::fmt::Write::write_fmt(out, text);
}

/// JSON for people and programs: indented, with a newline at the end.
pub(crate) fn json(value: &Value) -> String {
    // A `Value` has string keys only, so this can't fail.
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

/// Prints `value` as JSON or YAML.
pub(crate) fn print_value(io: &mut Io, value: &Value, yaml: bool) -> Result<()> {
    if yaml {
        io.print(&weir_yaml::emit::sigs(value))
    } else {
        io.print(&json(value))
    }
}

/// What names an object, as data.
pub(crate) fn identity(object: &ObjectRef) -> Map<String, Value> {
    let field = |name: &str, value: String| (name.to_owned(), Value::String(value));
    Map::from_iter([
        field("apiVersion", object.gvk.api_version()),
        field("kind", object.gvk.kind.clone()),
        field("namespace", object.namespace.clone()),
        field("name", object.name.clone()),
    ])
}

/// Objects as one `List`, the way kubectl prints several.
pub(crate) fn list(objects: &[Object]) -> Value {
    let items: Vec<Value> = objects
        .iter()
        .map(|object| without_managed_fields(object).into_value())
        .collect();
    serde_json::json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items})
}

/// The object without the API server's bookkeeping that nobody reads.
pub(crate) fn without_managed_fields(object: &Object) -> Object {
    let mut object = object.clone();
    object.metadata_mut().remove("managedFields");
    object
}
