//! Writes `data/builtin.json` from the documents of a running kube-apiserver.
//!
//! Save the documents into a folder, then run the example:
//!
//! ```text
//! mkdir -p dump/openapi
//! AGGREGATED='application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
//! curl -H "Accept: $AGGREGATED" $SERVER/api  > dump/api.json
//! curl -H "Accept: $AGGREGATED" $SERVER/apis > dump/apis.json
//! kubectl get --raw /openapi/v3 | jq -r '.paths | keys[]' | while read -r path; do
//!   kubectl get --raw "/openapi/v3/$path" > "dump/openapi/${path//\//__}.json"
//! done
//! cargo run -p weir-schema --example generate -- dump "$(go env GOMODCACHE)/k8s.io" v0.34.2 \
//!   > crates/values/schema/data/builtin.json
//! ```
//!
//! The Go module cache is read for two things that OpenAPI does not tell: what a field is in Go, and so whether an
//! empty one is printed; and its number in protobuf, which some clients send.

#[path = "generate/go.rs"]
mod go;

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write as _;
use std::path::Path;

use serde_json::{Map, Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let usage = "usage: generate DUMP-DIRECTORY GO-MODULE-CACHE/k8s.io VERSION";
    let mut args = std::env::args().skip(1);
    let (Some(dir), Some(modules), Some(version)) = (args.next(), args.next(), args.next()) else {
        return Err(usage.into());
    };
    let dir = Path::new(&dir);
    let mut go = go::Types::new(Path::new(&modules), &version);
    let mut groups = read_groups(&dir.join("api.json"))?;
    groups.extend(read_groups(&dir.join("apis.json"))?);
    let mut types = BTreeMap::new();
    for entry in std::fs::read_dir(dir.join("openapi"))? {
        let document: Value = serde_json::from_slice(&std::fs::read(entry?.path())?)?;
        for (name, schema) in document
            .pointer("/components/schemas")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let mut short = shorten(schema);
            for (field, class) in go.classes(name) {
                if let Some(Value::Object(site)) =
                    short.get_mut("properties").and_then(|all| all.get_mut(&field))
                {
                    site.insert("go".to_owned(), json!(class));
                }
            }
            let declared = short
                .get("properties")
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default();
            for (field, numbers) in go.numbers(name, &|field| {
                declared
                    .keys()
                    .find(|name| name.eq_ignore_ascii_case(field))
                    .cloned()
            }) {
                if let Some(Value::Object(site)) =
                    short.get_mut("properties").and_then(|all| all.get_mut(&field))
                {
                    site.insert("pb".to_owned(), json!(numbers));
                }
            }
            types.insert(name.clone(), short);
        }
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{{\"groups\":[")?;
    let last = groups.len().saturating_sub(1);
    for (index, group) in groups.iter().enumerate() {
        writeln!(
            out,
            "{}{}",
            serde_json::to_string(group)?,
            if index == last { "" } else { "," }
        )?;
    }
    writeln!(out, "],\n\"types\":{{")?;
    let last = types.len().saturating_sub(1);
    for (index, (name, schema)) in types.iter().enumerate() {
        let comma = if index == last { "" } else { "," };
        writeln!(
            out,
            "{}:{}{comma}",
            serde_json::to_string(name)?,
            serde_json::to_string(schema)?
        )?;
    }
    writeln!(out, "}}}}")?;
    Ok(())
}

/// One entry a group and version, in discovery's order.
fn read_groups(path: &Path) -> Result<Vec<Value>, Box<dyn Error>> {
    let list: Value = serde_json::from_slice(&std::fs::read(path)?)?;
    let mut out = Vec::new();
    for group in array(&list, "items") {
        let name = group
            .pointer("/metadata/name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        for version in array(group, "versions") {
            let number = text(version, "version");
            let resources: Vec<Value> = array(version, "resources")
                .map(|entry| resource(entry, name, number))
                .collect();
            out.push(json!({"group": name, "version": number, "resources": resources}));
        }
    }
    Ok(out)
}

fn resource(entry: &Value, group: &str, version: &str) -> Value {
    let mut out = Map::new();
    out.insert("plural".into(), json!(text(entry, "resource")));
    out.insert("singular".into(), json!(text(entry, "singularResource")));
    out.insert("kind".into(), json!(entry.pointer("/responseKind/kind")));
    if text(entry, "scope") == "Namespaced" {
        out.insert("namespaced".into(), json!(true));
    }
    for (from, to) in [
        ("verbs", "verbs"),
        ("shortNames", "short_names"),
        ("categories", "categories"),
    ] {
        if let Some(list) = entry.get(from) {
            out.insert(to.into(), list.clone());
        }
    }
    let subresources: Vec<Value> = array(entry, "subresources")
        .map(|sub| {
            let mut response = sub.get("responseKind").cloned().unwrap_or_default();
            if text(&response, "group") == group && text(&response, "version") == version {
                response = json!({"kind": text(&response, "kind")});
            }
            if text(&response, "version").is_empty() {
                response = json!({"kind": text(&response, "kind")});
            }
            json!({"name": text(sub, "subresource"), "response": response, "verbs": sub.get("verbs")})
        })
        .collect();
    if !subresources.is_empty() {
        out.insert("subresources".into(), json!(subresources));
    }
    Value::Object(out)
}

/// Short references, first sentences, no bounds that only documentation uses.
fn shorten(schema: &Value) -> Value {
    let Some(fields) = schema.as_object() else {
        return schema.clone();
    };
    let mut out = Map::new();
    for (key, value) in fields {
        let (key, value) = match key.as_str() {
            "description" => match first_sentence(value.as_str().unwrap_or_default()) {
                "" => continue,
                sentence => (key.clone(), json!(sentence)),
            },
            "allOf" => ("$ref".to_owned(), short_reference(value.pointer("/0/$ref"))),
            "$ref" => ("$ref".to_owned(), short_reference(Some(value))),
            "x-kubernetes-group-version-kind" => {
                let kinds: Vec<Value> = array(schema, key)
                    .map(|kind| json!([text(kind, "group"), text(kind, "version"), text(kind, "kind")]))
                    .collect();
                ("gvk".to_owned(), json!(kinds))
            }
            "properties" => {
                let named = value.as_object().into_iter().flatten();
                (
                    key.clone(),
                    Value::Object(
                        named
                            .map(|(name, field)| (name.clone(), shorten(field)))
                            .collect(),
                    ),
                )
            }
            "items" | "additionalProperties" => (key.clone(), shorten(value)),
            "x-kubernetes-unions" => continue,
            _ => (key.clone(), value.clone()),
        };
        out.insert(key, value);
    }
    Value::Object(out)
}

fn short_reference(full: Option<&Value>) -> Value {
    let full = full.and_then(Value::as_str).unwrap_or_default();
    json!(full.rsplit('/').next().unwrap_or(full))
}

fn first_sentence(text: &str) -> &str {
    let line = text.split('\n').next().unwrap_or(text);
    line.find(". ").map_or(line, |end| &line[..=end]).trim()
}

fn array<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}
