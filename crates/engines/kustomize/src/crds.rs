//! `crds`: OpenAPI definitions of custom types, which say where names, labels and references are.

use serde_json::{Map, Value};

use crate::config::{Config, NameReference};
use crate::decode;
use crate::error::{Error, Result, Within};
use crate::fieldspec::{FieldSpec, merge_one};
use crate::id::Gvk;
use crate::loader::Loader;

/// Reads the files and makes a configuration of what they say.
pub(crate) fn load(paths: &[String], loader: &Loader<'_>) -> Result<Config> {
    let mut config = Config::default();
    for path in paths {
        let definitions = loader
            .load_text(path)
            .and_then(|text| decode::yaml(&text))
            .within(|| format!("unable to parse open API definition from '{path}'"))?;
        let Value::Object(definitions) = definitions else {
            return Err(Error::invalid(format!(
                "unable to parse open API definition from '{path}': expected an object"
            )));
        };
        let mut names: Vec<&String> = definitions.keys().collect();
        names.sort();
        for name in names {
            if properties(&definitions, name).is_some_and(is_object) {
                let kind = name.rsplit('.').next().unwrap_or(name);
                let mut reader = Reader {
                    definitions: &definitions,
                    gvk: Gvk {
                        kind: kind.to_owned(),
                        ..Gvk::default()
                    },
                    config: Config::default(),
                };
                reader.read(name, &mut Vec::new())?;
                config.merge(&reader.config)?;
            }
        }
    }
    Ok(config)
}

fn properties<'a>(definitions: &'a Map<String, Value>, name: &str) -> Option<&'a Map<String, Value>> {
    let definition = definitions.get(name)?;
    let schema = definition.get("Schema").or_else(|| definition.get("schema"))?;
    schema.get("properties")?.as_object()
}

/// Whether these are the fields of a Kubernetes object.
fn is_object(properties: &Map<String, Value>) -> bool {
    ["kind", "apiVersion", "metadata"]
        .iter()
        .all(|field| properties.contains_key(*field))
}

/// References within each other; deeper than any real type.
const DEPTH: usize = 64;

struct Reader<'a> {
    definitions: &'a Map<String, Value>,
    gvk: Gvk,
    config: Config,
}

impl Reader<'_> {
    fn read(&mut self, name: &str, path: &mut Vec<String>) -> Result<()> {
        if path.len() > DEPTH {
            return Err(Error::invalid(format!("definition '{name}' refers to itself")));
        }
        let Some(fields) = properties(self.definitions, name) else {
            return Ok(());
        };
        let mut names: Vec<&String> = fields.keys().collect();
        names.sort();
        for field in names {
            let Some(property) = fields.get(field) else {
                continue;
            };
            path.push(field.clone());
            self.field(property, path)?;
            if let Some(reference) = property.get("$ref").and_then(Value::as_str) {
                self.read(reference, path)?;
            }
            path.pop();
        }
        Ok(())
    }

    fn field(&mut self, property: &Value, path: &[String]) -> Result<()> {
        let text = |key: &str| property.get(key).and_then(Value::as_str);
        let spec = self.spec(path, None);
        if text("x-kubernetes-annotation").is_some() {
            merge_one(&mut self.config.common_annotations, &spec)?;
        }
        if text("x-kubernetes-label-selector").is_some() {
            merge_one(&mut self.config.common_labels, &spec)?;
        }
        if text("x-kubernetes-identity").is_some() {
            merge_one(&mut self.config.name_prefix, &spec)?;
        }
        if let (Some(version), Some(kind)) = (
            text("x-kubernetes-object-ref-api-version"),
            text("x-kubernetes-object-ref-kind"),
        ) {
            let key = text("x-kubernetes-object-ref-name-key").unwrap_or("name");
            let reference = NameReference {
                gvk: Gvk {
                    group: String::new(),
                    version: version.to_owned(),
                    kind: kind.to_owned(),
                },
                referrers: vec![self.spec(path, Some(key))],
            };
            self.config.add_name_reference(&reference)?;
        }
        Ok(())
    }

    fn spec(&self, path: &[String], last: Option<&str>) -> FieldSpec {
        let mut path = path.join("/");
        if let Some(last) = last {
            path.push('/');
            path.push_str(last);
        }
        FieldSpec {
            gvk: self.gvk.clone(),
            path,
            create: false,
        }
    }
}
