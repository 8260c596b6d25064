//! ConfigMaps.

use weir_yaml::Node;

use super::{base, base64_lines, data, finish, value_node};
use crate::error::Result;
use crate::kustomization::GeneratorArgs;
use crate::loader::Loader;
use crate::ops;
use crate::resource::Resource;

/// Makes a ConfigMap; values that are no UTF-8 go to `binaryData`.
pub(crate) fn config_map(args: &GeneratorArgs, loader: &Loader<'_>) -> Result<Resource> {
    let mut node = base("ConfigMap", args)?;
    let mut texts = Vec::new();
    let mut binaries = Vec::new();
    for (key, value) in data(args, loader)? {
        match String::from_utf8(value) {
            Ok(text) => texts.push((Node::plain(key), value_node(text))),
            Err(error) => {
                let text = base64_lines(error.as_bytes());
                binaries.push((Node::plain(key), value_node(text)));
            }
        }
    }
    for (field, entries) in [("data", texts), ("binaryData", binaries)] {
        if !entries.is_empty() {
            ops::set_field(&mut node, field, Node::mapping(entries))?;
        }
    }
    finish(node, args)
}
