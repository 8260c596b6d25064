//! What each chart's templates see.

use std::collections::BTreeMap;
use std::sync::Arc;

use weir_gotmpl::{Kind, List, Map, TypeInfo, Value, ty};

use crate::chart::{Import, Metadata};
use crate::files::Files;
use crate::tree::Node;

/// The type of `.` and of `.Values`.
pub(super) static VALUES: TypeInfo = TypeInfo::declared("common.Values", Kind::Map, Some(&ty::ANY));

/// A template of the tree, and what it is rendered with.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) text: Arc<String>,
    pub(super) data: Map,
    pub(super) base: String,
}

/// The templates of a chart and its subcharts by path.
pub(super) fn templates(chart: &Node, top: &Map) -> BTreeMap<String, Template> {
    let mut templates = BTreeMap::new();
    add(chart, chart.name().to_owned(), top, true, &mut templates);
    templates
}

fn add(
    chart: &Node,
    path: String,
    above: &Map,
    is_root: bool,
    templates: &mut BTreeMap<String, Template>,
) -> Map {
    let subcharts = Map::new();
    let data = Map::of(&VALUES);
    let about = metadata(&chart.metadata);
    about.insert("IsRoot", is_root);
    data.insert("Chart", about);
    data.insert("Files", Value::object(Files::new(&chart.files)));
    for name in ["Release", "Capabilities"] {
        data.insert(name, above.get(name).unwrap_or_default());
    }
    let values = if is_root {
        above.get("Values").unwrap_or_default()
    } else {
        // A name with dots is taken for a path, as in Helm.
        let path = format!("Values.{}", chart.name());
        let found = crate::tree::table(above, &path);
        found
            .map_or_else(|_| Map::of(&VALUES), |found| found.retyped(&VALUES))
            .into()
    };
    data.insert("Values", values);
    data.insert("Subcharts", subcharts.clone());
    for child in &chart.dependencies {
        let of_child = add(
            child,
            format!("{path}/charts/{}", child.name()),
            &data,
            false,
            templates,
        );
        subcharts.insert(child.name(), of_child);
    }
    let base = format!("{path}/templates");
    for file in chart.templates.iter() {
        // A library lends partials only.
        if chart.metadata.is_library() && !super::is_partial(&file.name) {
            continue;
        }
        templates.insert(
            format!("{path}/{}", clean(&file.name)),
            Template {
                text: file.shared_text(),
                data: data.clone(),
                base: base.clone(),
            },
        );
    }
    data
}

/// Go's `path.Clean` for paths that are clean but for repeated slashes.
fn clean(path: &str) -> std::borrow::Cow<'_, str> {
    if !path.contains("//") {
        return path.into();
    }
    path.split('/')
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("/")
        .into()
}

fn texts(list: &[String]) -> Value {
    list.iter()
        .map(|text| text.as_str().into())
        .collect::<List>()
        .into()
}

/// Chart.yaml with the names of Go's fields.
fn metadata(from: &Metadata) -> Map {
    let map = Map::new();
    for (name, text) in [
        ("Name", &from.name),
        ("Home", &from.home),
        ("Version", &from.version),
        ("Description", &from.description),
        ("Icon", &from.icon),
        ("APIVersion", &from.api_version),
        ("Condition", &from.condition),
        ("Tags", &from.tags),
        ("AppVersion", &from.app_version),
        ("KubeVersion", &from.kube_version),
        ("Type", &from.kind),
    ] {
        map.insert(name, text.as_str());
    }
    map.insert("Sources", texts(&from.sources));
    map.insert("Keywords", texts(&from.keywords));
    map.insert("Deprecated", from.deprecated);
    let annotations = from
        .annotations
        .iter()
        .map(|(key, value)| (key.as_str().into(), value.as_str().into()));
    // A map that nobody made is no map: encoders say null.
    let annotations = if from.annotations.is_empty() {
        Value::TypedNil(&ty::MAP_STRING)
    } else {
        Map::with(&ty::MAP_STRING, annotations).into()
    };
    map.insert("Annotations", annotations);
    let maintainers: List = from
        .maintainers
        .iter()
        .flatten()
        .map(|person| {
            let map = Map::new();
            map.insert("Name", person.name.as_str());
            map.insert("Email", person.email.as_str());
            map.insert("URL", person.url.as_str());
            map.into()
        })
        .collect();
    map.insert("Maintainers", maintainers);
    let dependencies: List = from
        .dependencies
        .iter()
        .flatten()
        .map(|dependency| {
            let map = Map::new();
            for (name, text) in [
                ("Name", &dependency.name),
                ("Version", &dependency.version),
                ("Repository", &dependency.repository),
                ("Condition", &dependency.condition),
                ("Alias", &dependency.alias),
            ] {
                map.insert(name, text.as_str());
            }
            map.insert("Tags", texts(&dependency.tags));
            map.insert("Enabled", dependency.enabled);
            map.insert(
                "ImportValues",
                dependency.import_values.iter().map(import).collect::<List>(),
            );
            map.into()
        })
        .collect();
    map.insert("Dependencies", dependencies);
    map
}

fn import(import: &Import) -> Value {
    match import {
        Import::Table { child, parent } => {
            let entries = [("child", child), ("parent", parent)];
            let entries = entries.map(|(key, value)| (key.into(), value.as_str().into()));
            Map::with(&ty::MAP_STRING, entries).into()
        }
        Import::Export(name) => name.as_str().into(),
        Import::Other => Value::Nil,
    }
}
