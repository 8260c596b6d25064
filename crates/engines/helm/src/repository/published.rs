//! What Helm writes about a chart when it pushes it to a registry.

use std::collections::BTreeMap;

use crate::chart::Metadata;
use crate::gojson::{self, Object};

/// Annotations that a chart cannot set, since its own name and version are meant.
const FIXED: [&str; 2] = [
    "org.opencontainers.image.version",
    "org.opencontainers.image.title",
];

/// A blob as a manifest names it: media type, digest, bytes.
pub type Blob<'b> = (&'b str, &'b str, u64);

impl Metadata {
    /// The metadata as the configuration of a chart in a registry holds it: JSON as Go writes it.
    pub fn to_json(&self) -> String {
        let mut json = String::new();
        crate::release::metadata(self, &mut json);
        json
    }

    /// The annotations of the chart's manifest; `created` is a time in RFC 3339.
    pub fn oci_annotations(&self, created: &str) -> BTreeMap<String, String> {
        let authors: Vec<String> = self
            .maintainers
            .iter()
            .flatten()
            .map(|person| match person.email.as_str() {
                "" => person.name.clone(),
                email => format!("{} ({email})", person.name),
            })
            .collect();
        let authors = authors.join(", ");
        let mut annotations = BTreeMap::new();
        for (name, value) in [
            ("description", self.description.as_str()),
            ("title", &self.name),
            ("version", &self.version),
            ("url", &self.home),
            ("created", created),
            ("source", self.sources.first().map_or("", String::as_str)),
            ("authors", &authors),
        ] {
            if !value.trim().is_empty() {
                annotations.insert(format!("org.opencontainers.image.{name}"), value.to_owned());
            }
        }
        let own = self
            .annotations
            .iter()
            .filter(|(key, _)| !FIXED.contains(&key.as_str()));
        annotations.extend(own.map(|(key, value)| (key.clone(), value.clone())));
        annotations
    }
}

/// A chart's manifest, byte for byte as Helm writes it. Layers go by digest.
pub fn chart_manifest(
    config: Blob<'_>,
    mut layers: Vec<Blob<'_>>,
    annotations: &BTreeMap<String, String>,
) -> String {
    layers.sort_by_key(|(_, digest, _)| *digest);
    let mut out = String::new();
    let mut object = Object::new(&mut out);
    object.key("schemaVersion").push('2');
    blob(&config, object.key("config"));
    gojson::list(&layers, object.key("layers"), blob);
    if !annotations.is_empty() {
        let mut map = Object::new(object.key("annotations"));
        for (key, value) in annotations {
            map.text(key, value);
        }
        map.end();
    }
    object.end();
    out
}

fn blob((media_type, digest, size): &Blob<'_>, out: &mut String) {
    let mut object = Object::new(out);
    object.text("mediaType", media_type);
    object.text("digest", digest);
    object.key("size").push_str(&size.to_string());
    object.end();
}
