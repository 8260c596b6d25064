//! `ValueAddTransformer`: puts a value into fields.

use serde::Deserialize;
use weir_yaml::Tag;

use super::namespace::set_one;
use crate::error::{Error, Result};
use crate::ops::{self, Kind};
use crate::path;
use crate::resmap::ResMap;
use crate::schema::Schema;
use crate::selector::Selector;

/// Where the value goes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct AddTarget {
    pub(crate) selector: Option<Selector>,
    pub(crate) field_path: String,
    pub(crate) file_path_position: i64,
}

/// Adds a value at the targets.
pub(super) fn run(value: &str, targets: &[AddTarget], map: &mut ResMap, schema: &Schema) -> Result<()> {
    for target in targets {
        let places = match &target.selector {
            Some(selector) => map.select(selector, schema)?,
            None => (0..map.list().len()).collect(),
        };
        let position = usize::try_from(target.file_path_position).map_err(|_| {
            Error::invalid(format!(
                "value of FilePathPosition ({}) cannot be negative",
                target.file_path_position
            ))
        })?;
        for at in places {
            let Some(node) = map
                .list_mut()
                .get_mut(at)
                .and_then(|resource| resource.node.as_mut())
            else {
                continue;
            };
            if target.field_path == "metadata/namespace" {
                set_one(value, node, schema)?;
                continue;
            }
            let parts = path::split(&target.field_path, '/');
            let field = ops::lookup_create(node, &parts, Kind::Scalar)?;
            ops::expect(field, Kind::Scalar)?;
            let text = match position.checked_sub(1) {
                None => value.to_owned(),
                Some(position) => insert_part(field.as_str().unwrap_or_default(), position, value),
            };
            ops::set_scalar(field, &text, Tag::None)?;
        }
    }
    Ok(())
}

/// Inserts a directory into a file path; an absolute path stays absolute.
fn insert_part(file: &str, position: usize, value: &str) -> String {
    let (root, rest) = match file.strip_prefix('/') {
        Some(rest) => ("/", rest),
        None => ("", file),
    };
    let mut parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    parts.insert(position.min(parts.len()), value);
    format!("{root}{}", parts.join("/"))
}
