//! Values from the places that a command line names.

use serde_json::Value;

use super::shared::Map;
use super::{Origins, SetError, Setter, Table, ValuesError, from_json, overlay, parse};

/// Reads the files that a command line names.
pub trait FileReader {
    /// The content of a file; `-` is standard input.
    fn read(&self, name: &str) -> Result<Vec<u8>, String>;
}

/// The places, each in the order in which they were named. They are laid over each other in the order of the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// `-f`
    pub files: Vec<String>,
    /// `--set-json`
    pub json: Vec<String>,
    /// `--set`
    pub set: Vec<String>,
    /// `--set-string`
    pub strings: Vec<String>,
    /// `--set-file`
    pub set_files: Vec<String>,
    /// `--set-literal`
    pub literals: Vec<String>,
}

/// A place that gives no values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourcesError {
    /// A file cannot be read.
    #[error("open {name}: {message}")]
    Read {
        /// As it was named.
        name: String,
        /// Why.
        message: String,
    },
    /// A file holds no values.
    #[error("failed to parse {name}: {source}")]
    Parse {
        /// As it was named.
        name: String,
        /// What is wrong.
        source: ValuesError,
    },
    /// A setting cannot be read.
    #[error("failed parsing {flag} data: {source}")]
    Set {
        /// The option.
        flag: &'static str,
        /// What is wrong.
        source: SetError,
    },
    /// A setting of JSON cannot be read.
    #[error("failed parsing --set-json data {text}: {message}")]
    Json {
        /// The setting.
        text: String,
        /// What is wrong.
        message: String,
    },
}

impl Sources {
    /// Reads all places. The origins tell which of them set what.
    pub fn merge(&self, files: &dyn FileReader) -> Result<(Table, Origins), SourcesError> {
        let mut values = Table::new();
        let mut origins = Origins::default();
        for name in &self.files {
            let text = files.read(name).map_err(|message| SourcesError::Read {
                name: name.clone(),
                message,
            })?;
            let layer = parse(&String::from_utf8_lossy(&text)).map_err(|source| SourcesError::Parse {
                name: name.clone(),
                source,
            })?;
            origins.push(name.clone(), layer.clone());
            overlay(&mut values, layer);
        }
        for text in &self.json {
            json(text, &mut values).map_err(|message| SourcesError::Json {
                text: text.clone(),
                message,
            })?;
            let mut layer = Table::new();
            if json(text, &mut layer).is_ok() {
                origins.push(format!("--set-json {text}"), layer);
            }
        }
        let read = |name: &str| {
            let content = files
                .read(name)
                .map_err(|message| format!("open {name}: {message}"))?;
            Ok(String::from_utf8_lossy(&content).into_owned())
        };
        let shared = Map::of(values);
        for (flag, setter, lines) in [
            ("--set", Setter::Typed, &self.set),
            ("--set-string", Setter::Text, &self.strings),
            ("--set-file", Setter::File(&read), &self.set_files),
            ("--set-literal", Setter::Literal, &self.literals),
        ] {
            for line in lines {
                setter
                    .set_shared(line, &shared)
                    .map_err(|source| SourcesError::Set { flag, source })?;
                if let Ok(layer) = setter.parse(line) {
                    origins.push(format!("{flag} {line}"), layer);
                }
            }
        }
        Ok((shared.table(), origins))
    }
}

/// An object is laid over the values as it is; anything else is `name=JSON`.
fn json(text: &str, values: &mut Table) -> Result<(), String> {
    if !text.trim().starts_with('{') {
        return Setter::Json.set(text, values).map_err(|error| error.to_string());
    }
    match serde_json::from_str(text.trim()).map(from_json) {
        Ok(Value::Object(table)) => overlay(values, table),
        Ok(_) => {}
        Err(error) => return Err(error.to_string()),
    }
    Ok(())
}
