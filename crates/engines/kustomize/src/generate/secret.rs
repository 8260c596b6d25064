//! Secrets.

use weir_yaml::Node;

use super::{base, base64_lines, data, finish, value_node};
use crate::error::Result;
use crate::kustomization::GeneratorArgs;
use crate::loader::Loader;
use crate::ops;
use crate::resource::Resource;

/// Makes a Secret of type `Opaque` or the one given.
pub(crate) fn secret(args: &GeneratorArgs, loader: &Loader<'_>) -> Result<Resource> {
    let mut node = base("Secret", args)?;
    let secret_type = if args.secret_type.is_empty() {
        "Opaque"
    } else {
        &args.secret_type
    };
    ops::set_field(&mut node, "type", Node::string(secret_type))?;
    let entries = data(args, loader)?
        .into_iter()
        .map(|(key, value)| (Node::plain(key), value_node(base64_lines(&value))))
        .collect();
    ops::set_field(&mut node, "data", Node::mapping(entries))?;
    finish(node, args)
}
