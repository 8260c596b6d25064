//! Renders of charts in use elsewhere, kept by their projects.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use weir_helm::{Chart, KubeVersion, Options, Rendered, parse, render};

use crate::support::{Fixed, chart, shared};
use weir_conformance::judge;

#[test]
fn chart_cases_are_met_or_listed() {
    let Some(root) = shared("WEIR_CONFORMANCE", "conformance") else {
        return;
    };
    let root = root.join("charts");
    let index: Vec<Value> = serde_json::from_slice(&std::fs::read(root.join("index.json")).unwrap()).unwrap();
    let only = std::env::var("WEIR_CASE").ok();
    let mut charts: BTreeMap<String, Chart> = BTreeMap::new();
    let mut outcomes = Vec::new();
    for case in &index {
        let id = case["id"].as_str().unwrap().to_owned();
        if only.as_ref().is_some_and(|only| !id.contains(only.as_str())) {
            continue;
        }
        let path = case["chart"].as_str().unwrap();
        let chart = charts
            .entry(path.to_owned())
            .or_insert_with(|| chart(&root.join(path)));
        let outcome = run(&root.join("cases").join(&id), case, chart);
        outcomes.push((id, outcome));
    }
    if only.is_some() {
        for (id, outcome) in outcomes {
            eprintln!("{id}: {outcome:?}");
        }
        return;
    }
    judge("charts", outcomes);
}

fn run(folder: &Path, case: &Value, chart: &Chart) -> Result<(), String> {
    let text = |key: &str| case[key].as_str().unwrap();
    let list = |key: &str| -> Vec<String> {
        let items = case[key].as_array().into_iter().flatten();
        items.map(|item| item.as_str().unwrap().to_owned()).collect()
    };
    let mut values = weir_helm::Table::new();
    for file in list("values") {
        let layer = parse(&std::fs::read_to_string(folder.join(file)).unwrap()).unwrap();
        weir_helm::overlay(&mut values, layer);
    }
    let mut options = Options::new(text("release"), text("namespace"));
    if let Some(version) = case["kube_version"]
        .as_str()
        .filter(|version| !version.is_empty())
    {
        options.capabilities.kube_version = KubeVersion::parse(version).unwrap();
    }
    options.capabilities.api_versions.extend(list("api_versions"));
    let rendered =
        render(chart, &values, &options, &mut Fixed::default(), None).map_err(|error| error.to_string())?;
    let expected = std::fs::read_to_string(folder.join("expected.yaml")).unwrap();
    let out = text_of(&rendered);
    if let Some(keep) = std::env::var_os("WEIR_KEEP") {
        let name = text("id").replace('/', "--");
        std::fs::write(Path::new(&keep).join(name), &out).unwrap();
    }
    let (ignore, kinds) = (list("ignore"), list("ignore_kinds"));
    let trim = text("id").starts_with("k8s-monitoring/");
    let found = documents(&out, &ignore, &kinds, trim)?;
    let expected = documents(&expected, &ignore, &kinds, trim)?;
    compare(found, expected)
}

/// What `helm template` prints.
fn text_of(rendered: &Rendered) -> String {
    let mut out = rendered.manifest();
    for hook in &rendered.hooks {
        out.push_str(&format!("---\n# Source: {}\n{}\n", hook.path, hook.manifest));
    }
    out
}

fn documents(text: &str, ignore: &[String], kinds: &[String], trim: bool) -> Result<Vec<Value>, String> {
    let mut found = Vec::new();
    // A chart may well set a label twice; Kubernetes takes the last one.
    let options = weir_yaml::ParseOptions {
        duplicates: weir_yaml::Duplicates::Keep,
        ..weir_yaml::ParseOptions::default()
    };
    for document in weir_yaml::parse_all_with(text, options).map_err(|error| error.to_string())? {
        let Some(root) = document.root else { continue };
        let mut value =
            weir_yaml::to_json(&root, weir_yaml::Dialect::Sigs).map_err(|error| error.to_string())?;
        if value.is_null() || kinds.iter().any(|kind| value["kind"] == **kind) {
            continue;
        }
        blank(&mut value, ignore, trim);
        found.push(value);
    }
    found.sort_by_cached_key(ToString::to_string);
    Ok(found)
}

/// Takes out what is not compared.
fn blank(value: &mut Value, ignore: &[String], trim: bool) {
    match value {
        Value::Object(table) => {
            for (key, value) in table.iter_mut() {
                if ignore.contains(key) {
                    *value = Value::Null;
                }
                blank(value, ignore, trim);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| blank(item, ignore, trim)),
        Value::String(text) if trim => text.truncate(text.trim_end().len()),
        _ => {}
    }
}

fn compare(mut found: Vec<Value>, mut expected: Vec<Value>) -> Result<(), String> {
    let both: Vec<Value> = found
        .iter()
        .filter(|one| expected.contains(one))
        .cloned()
        .collect();
    for one in &both {
        for side in [&mut found, &mut expected] {
            if let Some(at) = side.iter().position(|other| other == one) {
                side.remove(at);
            }
        }
    }
    if found.is_empty() && expected.is_empty() {
        return Ok(());
    }
    let name = |value: &Value| format!("{} {}", value["kind"], value["metadata"]["name"]);
    let mut message = format!("{} documents differ from {}:", found.len(), expected.len());
    for one in &expected {
        message.push_str(&format!("\n    {}", name(one)));
        match found.iter().find(|other| name(other) == name(one)) {
            Some(other) => message.push_str(&first_difference(other, one, String::new()).unwrap_or_default()),
            None => message.push_str(": missing"),
        }
    }
    for one in found
        .iter()
        .filter(|one| expected.iter().all(|other| name(other) != name(one)))
    {
        message.push_str(&format!("\n    {}: unexpected", name(one)));
    }
    Err(message)
}

fn first_difference(found: &Value, expected: &Value, path: String) -> Option<String> {
    match (found, expected) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            keys.into_iter().find_map(|key| match (a.get(key), b.get(key)) {
                (Some(a), Some(b)) => first_difference(a, b, format!("{path}/{key}")),
                (None, _) => Some(format!(": {path}/{key} is missing")),
                (_, None) => Some(format!(": {path}/{key} should not be there")),
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(at, (a, b))| first_difference(a, b, format!("{path}/{at}"))),
        (a, b) if a == b => None,
        (Value::String(a), Value::String(b)) => {
            let at = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
            let show = |text: &str| {
                text.chars()
                    .skip(at.saturating_sub(40))
                    .take(120)
                    .collect::<String>()
            };
            Some(format!(
                ": {path} at byte {at}: {:?} instead of {:?}",
                show(a),
                show(b)
            ))
        }
        (a, b) => Some(format!(": {path}: {a} instead of {b}")),
    }
}
