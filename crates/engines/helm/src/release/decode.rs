//! Records of Helm 3 and Helm 4 read back.

use std::io::Read;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use serde_json::Value;

use super::{ChartRecord, Info, Release, Status};
use crate::chart::{Dependency, File, Import, Lock, Maintainer, Metadata};
use crate::manifest::{Event, Hook, HookRun, Phase, Policy};
use crate::time::Time;
use crate::values::from_json;

/// A record unpacks to at most this: Kubernetes stores 1 MiB, and JSON shrinks a hundredfold at best.
const MAX_SIZE: u64 = 128 << 20;

/// Bytes that are no release record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// They are no base64.
    #[error("the release is not base64: {0}")]
    Base64(String),
    /// They cannot be unpacked.
    #[error("the release cannot be unpacked: {0}")]
    Gzip(String),
    /// They unpack to too much.
    #[error("the release is larger than {MAX_SIZE} bytes")]
    Size,
    /// They are no JSON.
    #[error("the release is not JSON: {0}")]
    Json(String),
    /// A field holds something else than it should.
    #[error("the release's {0} is not {1}")]
    Field(String, &'static str),
}

type Found<T> = Result<T, DecodeError>;

impl Release {
    /// Reads what the Secret's `release` key holds, without Kubernetes' own base64. Records from before Helm packed
    /// them are plain JSON in base64.
    pub fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let compact: Vec<u8> = data
            .iter()
            .copied()
            .filter(|byte| !matches!(byte, b'\r' | b'\n'))
            .collect();
        let bytes = STANDARD
            .decode(compact)
            .map_err(|error| DecodeError::Base64(error.to_string()))?;
        if !crate::chart::is_gzip(&bytes) {
            return Self::from_json(&bytes);
        }
        let mut json = Vec::new();
        MultiGzDecoder::new(bytes.as_slice())
            .take(MAX_SIZE + 1)
            .read_to_end(&mut json)
            .map_err(|error| DecodeError::Gzip(error.to_string()))?;
        if json.len() as u64 > MAX_SIZE {
            return Err(DecodeError::Size);
        }
        Self::from_json(&json)
    }

    /// Reads a record's JSON. Fields that are not known are passed over.
    pub fn from_json(json: &[u8]) -> Result<Self, DecodeError> {
        let json: Value =
            serde_json::from_slice(json).map_err(|error| DecodeError::Json(error.to_string()))?;
        let of = Place {
            value: &json,
            path: String::new(),
        };
        of.object()?;
        Ok(Self {
            name: of.text("name")?,
            info: of.get("info").map(|of| info(&of)).transpose()?,
            chart: of.get("chart").map(|of| chart(&of)).transpose()?,
            config: of.get("config").map(|of| of.table()).transpose()?,
            manifest: of.text("manifest")?,
            hooks: of.list("hooks", hook)?,
            version: of.number("version")?,
            namespace: of.text("namespace")?,
            labels: std::collections::BTreeMap::new(),
            apply_method: of.text("apply_method")?,
        })
    }
}

/// A value and the way to it.
struct Place<'v> {
    value: &'v Value,
    path: String,
}

impl<'v> Place<'v> {
    fn fail<T>(&self, wanted: &'static str) -> Found<T> {
        let path = if self.path.is_empty() {
            "top".to_owned()
        } else {
            self.path.clone()
        };
        Err(DecodeError::Field(path, wanted))
    }

    fn object(&self) -> Found<&'v serde_json::Map<String, Value>> {
        self.value.as_object().map_or_else(|| self.fail("an object"), Ok)
    }

    /// A field, unless it is absent or null.
    fn get(&self, name: &str) -> Option<Self> {
        let value = self.value.get(name).filter(|value| !value.is_null())?;
        let dot = if self.path.is_empty() { "" } else { "." };
        Some(Self {
            value,
            path: format!("{}{dot}{name}", self.path),
        })
    }

    fn as_text(&self) -> Found<String> {
        self.value
            .as_str()
            .map_or_else(|| self.fail("a text"), |text| Ok(text.to_owned()))
    }

    fn text(&self, name: &str) -> Found<String> {
        self.get(name)
            .map_or_else(|| Ok(String::new()), |of| of.as_text())
    }

    fn number(&self, name: &str) -> Found<i64> {
        self.get(name).map_or(Ok(0), |of| {
            of.value.as_i64().map_or_else(|| of.fail("a whole number"), Ok)
        })
    }

    fn flag(&self, name: &str) -> Found<bool> {
        self.get(name).map_or(Ok(false), |of| {
            of.value.as_bool().map_or_else(|| of.fail("a boolean"), Ok)
        })
    }

    fn table(&self) -> Found<crate::values::Table> {
        match from_json(Value::Object(self.object()?.clone())) {
            Value::Object(table) => Ok(table),
            _ => self.fail("an object"),
        }
    }

    fn list<T>(&self, name: &str, read: impl Fn(&Self) -> Found<T>) -> Found<Vec<T>> {
        let Some(of) = self.get(name) else {
            return Ok(Vec::new());
        };
        let Some(items) = of.value.as_array() else {
            return of.fail("a list");
        };
        items
            .iter()
            .enumerate()
            .map(|(at, value)| {
                read(&Self {
                    value,
                    path: format!("{}[{at}]", of.path),
                })
            })
            .collect()
    }

    fn texts(&self, name: &str) -> Found<Vec<String>> {
        self.list(name, Self::as_text)
    }

    /// A time; Helm 3 writes the empty text for none, Go the year 1.
    fn time(&self, name: &str) -> Found<Option<Time>> {
        let Some(of) = self.get(name) else {
            return Ok(None);
        };
        let text = of.as_text()?;
        if text.is_empty() || text.starts_with("0001-01-01T00:00:00") {
            return Ok(None);
        }
        Time::parse(&text).map_or_else(|| of.fail("a time"), |time| Ok(Some(time)))
    }

    fn bytes(&self, name: &str) -> Found<Option<Bytes>> {
        let Some(of) = self.get(name) else {
            return Ok(None);
        };
        STANDARD
            .decode(of.as_text()?)
            .map_or_else(|_| of.fail("base64"), |bytes| Ok(Some(bytes.into())))
    }
}

fn info(of: &Place<'_>) -> Found<Info> {
    of.object()?;
    Ok(Info {
        first_deployed: of.time("first_deployed")?,
        last_deployed: of.time("last_deployed")?,
        deleted: of.time("deleted")?,
        description: of.text("description")?,
        status: Status::parse(&of.text("status")?),
        notes: of.text("notes")?,
    })
}

fn chart(of: &Place<'_>) -> Found<ChartRecord> {
    of.object()?;
    Ok(ChartRecord {
        metadata: of.get("metadata").map(|of| metadata(&of)).transpose()?,
        lock: of.get("lock").map(|of| lock(&of)).transpose()?,
        templates: of.list("templates", file)?.into(),
        values: of.get("values").map(|of| of.table()).transpose()?.map(Arc::new),
        schema: of.bytes("schema")?,
        schema_modified: of.time("schemamodtime")?,
        files: of.list("files", file)?.into(),
        modified: of.time("modtime")?,
    })
}

fn file(of: &Place<'_>) -> Found<File> {
    of.object()?;
    let data = of.bytes("data")?.unwrap_or_default();
    Ok(File::of(of.text("name")?, data, of.time("modtime")?))
}

fn metadata(of: &Place<'_>) -> Found<Metadata> {
    of.object()?;
    let annotations = of.get("annotations").map(|of| {
        let table = of.object()?;
        table
            .iter()
            .map(|(key, value)| {
                value
                    .as_str()
                    .map_or_else(|| of.fail("texts"), |value| Ok((key.clone(), value.to_owned())))
            })
            .collect()
    });
    Ok(Metadata {
        name: of.text("name")?,
        home: of.text("home")?,
        sources: of.texts("sources")?,
        version: of.text("version")?,
        description: of.text("description")?,
        keywords: of.texts("keywords")?,
        maintainers: of.list("maintainers", |of| {
            if of.value.is_null() {
                return Ok(None);
            }
            of.object()?;
            Ok(Some(Maintainer {
                name: of.text("name")?,
                email: of.text("email")?,
                url: of.text("url")?,
            }))
        })?,
        icon: of.text("icon")?,
        api_version: of.text("apiVersion")?,
        condition: of.text("condition")?,
        tags: of.text("tags")?,
        app_version: of.text("appVersion")?,
        deprecated: of.flag("deprecated")?,
        annotations: annotations.transpose()?.unwrap_or_default(),
        kube_version: of.text("kubeVersion")?,
        dependencies: of.list("dependencies", dependency)?,
        kind: of.text("type")?,
    })
}

fn dependency(of: &Place<'_>) -> Found<Option<Dependency>> {
    if of.value.is_null() {
        return Ok(None);
    }
    of.object()?;
    Ok(Some(Dependency {
        name: of.text("name")?,
        version: of.text("version")?,
        repository: of.text("repository")?,
        condition: of.text("condition")?,
        tags: of.texts("tags")?,
        enabled: of.flag("enabled")?,
        import_values: of.list("import-values", |of| {
            Ok(match of.value {
                Value::String(name) => Import::Export(name.clone()),
                Value::Object(_) => Import::Table {
                    child: of.text("child")?,
                    parent: of.text("parent")?,
                },
                _ => Import::Other,
            })
        })?,
        alias: of.text("alias")?,
    }))
}

fn lock(of: &Place<'_>) -> Found<Lock> {
    of.object()?;
    Ok(Lock {
        generated: of
            .time("generated")?
            .map(|time| time.to_string())
            .unwrap_or_default(),
        digest: of.text("digest")?,
        dependencies: of.list("dependencies", dependency)?,
    })
}

fn hook(of: &Place<'_>) -> Found<Hook> {
    of.object()?;
    let policies = |name: &str| -> Found<Vec<Policy>> {
        Ok(of
            .texts(name)?
            .iter()
            .map(|policy| Policy::parse(policy))
            .collect())
    };
    Ok(Hook {
        name: of.text("name")?,
        kind: of.text("kind")?,
        path: of.text("path")?,
        manifest: of.text("manifest")?,
        // An event that is not known is never fired.
        events: of
            .texts("events")?
            .iter()
            .filter_map(|event| Event::parse(event))
            .collect(),
        last_run: match of.get("last_run") {
            None => HookRun::default(),
            Some(of) => HookRun {
                started_at: of.time("started_at")?,
                completed_at: of.time("completed_at")?,
                phase: Phase::parse(&of.text("phase")?),
            },
        },
        weight: of.number("weight")?,
        delete_policies: policies("delete_policies")?,
        output_log_policies: policies("output_log_policies")?,
    })
}
