//! A record as Helm writes it.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::{ChartRecord, Info, Release};
use crate::chart::{Dependency, File, Import, Lock, Metadata};
use crate::gojson::{self, Object};
use crate::manifest::{Hook, Policy};

/// Go's zero time, which it writes where a field may not be left out.
const ZERO_TIME: &str = "0001-01-01T00:00:00Z";

impl Release {
    /// The record as the Secret's `release` key holds it, before Kubernetes' own base64: JSON, gzipped as small as it
    /// gets, in base64.
    pub fn encode(&self) -> String {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        // Writing to memory does not fail.
        let written = gzip.write_all(self.to_json().as_bytes());
        debug_assert!(written.is_ok(), "memory takes everything");
        STANDARD.encode(gzip.finish().unwrap_or_default())
    }

    /// The record's JSON, byte for byte as Go writes it.
    pub fn to_json(&self) -> String {
        let mut out = String::with_capacity(self.manifest.len() * 2);
        let mut object = Object::new(&mut out);
        object.some_text("name", &self.name);
        if let Some(value) = &self.info {
            info(value, object.key("info"));
        }
        if let Some(value) = &self.chart {
            chart(value, object.key("chart"));
        }
        if let Some(value) = self.config.as_ref().filter(|config| !config.is_empty()) {
            gojson::table(value, object.key("config"));
        }
        object.some_text("manifest", &self.manifest);
        if !self.hooks.is_empty() {
            gojson::list(&self.hooks, object.key("hooks"), hook);
        }
        if self.version != 0 {
            object.key("version").push_str(&self.version.to_string());
        }
        object.some_text("namespace", &self.namespace);
        object.some_text("apply_method", &self.apply_method);
        object.end();
        out
    }
}

pub(super) fn info(info: &Info, out: &mut String) {
    let mut object = Object::new(out);
    object.some("first_deployed", info.first_deployed);
    object.some("last_deployed", info.last_deployed);
    object.some("deleted", info.deleted);
    object.some_text("description", &info.description);
    object.some_text("status", info.status.as_str());
    object.some_text("notes", &info.notes);
    object.end();
}

fn chart(chart: &ChartRecord, out: &mut String) {
    let mut object = Object::new(out);
    match &chart.metadata {
        Some(value) => metadata(value, object.key("metadata")),
        None => object.key("metadata").push_str("null"),
    }
    match &chart.lock {
        Some(value) => lock(value, object.key("lock")),
        None => object.key("lock").push_str("null"),
    }
    files(&chart.templates, object.key("templates"));
    match &chart.values {
        Some(values) => gojson::table(values, object.key("values")),
        None => object.key("values").push_str("null"),
    }
    match &chart.schema {
        Some(schema) => object.text("schema", &STANDARD.encode(schema)),
        None => object.key("schema").push_str("null"),
    }
    let modified = chart
        .schema_modified
        .map_or_else(|| ZERO_TIME.to_owned(), |time| time.to_string());
    object.text("schemamodtime", &modified);
    files(&chart.files, object.key("files"));
    object.some("modtime", chart.modified);
    object.end();
}

/// An empty list of files is a nil slice in Go.
fn files(files: &[File], out: &mut String) {
    if files.is_empty() {
        out.push_str("null");
        return;
    }
    gojson::list(files, out, |file, out| {
        let mut object = Object::new(out);
        object.text("name", &file.name);
        object.text("data", &STANDARD.encode(&file.data));
        object.some("modtime", file.modified);
        object.end();
    });
}

pub(crate) fn metadata(metadata: &Metadata, out: &mut String) {
    let mut object = Object::new(out);
    object.some_text("name", &metadata.name);
    object.some_text("home", &metadata.home);
    object.some_texts("sources", &metadata.sources);
    object.some_text("version", &metadata.version);
    object.some_text("description", &metadata.description);
    object.some_texts("keywords", &metadata.keywords);
    if !metadata.maintainers.is_empty() {
        gojson::list(&metadata.maintainers, object.key("maintainers"), |person, out| {
            let Some(person) = person else {
                out.push_str("null");
                return;
            };
            let mut object = Object::new(out);
            object.some_text("name", &person.name);
            object.some_text("email", &person.email);
            object.some_text("url", &person.url);
            object.end();
        });
    }
    object.some_text("icon", &metadata.icon);
    object.some_text("apiVersion", &metadata.api_version);
    object.some_text("condition", &metadata.condition);
    object.some_text("tags", &metadata.tags);
    object.some_text("appVersion", &metadata.app_version);
    if metadata.deprecated {
        object.key("deprecated").push_str("true");
    }
    if !metadata.annotations.is_empty() {
        let mut annotations = Object::new(object.key("annotations"));
        for (key, value) in &metadata.annotations {
            annotations.text(key, value);
        }
        annotations.end();
    }
    object.some_text("kubeVersion", &metadata.kube_version);
    if !metadata.dependencies.is_empty() {
        dependencies(&metadata.dependencies, object.key("dependencies"));
    }
    object.some_text("type", &metadata.kind);
    object.end();
}

pub(crate) fn dependencies(dependencies: &[Option<Dependency>], out: &mut String) {
    gojson::list(dependencies, out, |dependency, out| {
        let Some(dependency) = dependency else {
            out.push_str("null");
            return;
        };
        let mut object = Object::new(out);
        object.text("name", &dependency.name);
        object.some_text("version", &dependency.version);
        object.text("repository", &dependency.repository);
        object.some_text("condition", &dependency.condition);
        object.some_texts("tags", &dependency.tags);
        if dependency.enabled {
            object.key("enabled").push_str("true");
        }
        if !dependency.import_values.is_empty() {
            gojson::list(
                &dependency.import_values,
                object.key("import-values"),
                |import, out| match import {
                    Import::Export(name) => gojson::string(name, out),
                    Import::Table { child, parent } => {
                        let mut object = Object::new(out);
                        object.text("child", child);
                        object.text("parent", parent);
                        object.end();
                    }
                    Import::Other => out.push_str("null"),
                },
            );
        }
        object.some_text("alias", &dependency.alias);
        object.end();
    });
}

pub(crate) fn lock(lock: &Lock, out: &mut String) {
    let mut object = Object::new(out);
    let generated = if lock.generated.is_empty() {
        ZERO_TIME
    } else {
        &lock.generated
    };
    let generated =
        crate::time::Time::parse(generated).map_or_else(|| generated.to_owned(), |time| time.to_string());
    object.text("generated", &generated);
    object.text("digest", &lock.digest);
    if lock.dependencies.is_empty() {
        object.key("dependencies").push_str("null");
    } else {
        dependencies(&lock.dependencies, object.key("dependencies"));
    }
    object.end();
}

pub(super) fn hook(hook: &Hook, out: &mut String) {
    let mut object = Object::new(out);
    object.some_text("name", &hook.name);
    object.some_text("kind", &hook.kind);
    object.some_text("path", &hook.path);
    object.some_text("manifest", &hook.manifest);
    let events: Vec<&str> = hook.events.iter().map(|event| event.as_str()).collect();
    object.some_texts("events", &events);
    let mut run = Object::new(object.key("last_run"));
    run.some("started_at", hook.last_run.started_at);
    run.some("completed_at", hook.last_run.completed_at);
    run.text("phase", hook.last_run.phase.as_str());
    run.end();
    if hook.weight != 0 {
        object.key("weight").push_str(&hook.weight.to_string());
    }
    for (name, policies) in [
        ("delete_policies", &hook.delete_policies),
        ("output_log_policies", &hook.output_log_policies),
    ] {
        let policies: Vec<&str> = policies.iter().map(Policy::as_str).collect();
        object.some_texts(name, &policies);
    }
    object.end();
}
