//! The order of the output.

use crate::error::{Error, Result};
use crate::id::{ORDER_FIRST, ORDER_LAST, rank_in};
use crate::kustomization::SortOptions;
use crate::resmap::ResMap;
use crate::resource::Resource;
use crate::schema::Schema;

/// Orders as `sortOptions` says.
pub(crate) fn sort(options: &SortOptions, map: &mut ResMap, schema: &Schema) -> Result<()> {
    match (options.order.as_str(), &options.legacy_sort_options) {
        ("fifo", None) => Ok(()),
        ("fifo", Some(_)) => Err(Error::invalid(
            "the field 'sortOptions.legacySortOptions' is set but the selected sort order is \
             'fifo', not 'legacy'",
        )),
        ("legacy", None) => {
            sort_legacy(map, schema);
            Ok(())
        }
        ("legacy", Some(legacy)) => {
            by_rank(map, schema, &legacy.order_first, &legacy.order_last);
            Ok(())
        }
        _ => Err(Error::invalid(
            "the field 'sortOptions.order' must be one of [fifo, legacy]",
        )),
    }
}

/// Orders as kustomize's command does without `sortOptions`: namespaces and the like first,
/// webhook configurations last.
pub(crate) fn sort_legacy(map: &mut ResMap, schema: &Schema) {
    by_rank(map, schema, &ORDER_FIRST, &ORDER_LAST);
}

fn by_rank<T: AsRef<str>>(map: &mut ResMap, schema: &Schema, first: &[T], last: &[T]) {
    map.list_mut()
        .sort_by_cached_key(|resource| key(resource, schema, first, last));
}

type Key = (i64, TypeOrder, String);

/// Core Namespaces come before other kinds of that name, against the alphabet. That is between Namespaces only, and so
/// asks for a rank that they have for themselves.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum TypeOrder {
    CoreNamespace,
    Text(String),
}

fn key<T: AsRef<str>>(resource: &Resource, schema: &Schema, first: &[T], last: &[T]) -> Key {
    let id = resource.id(schema);
    let or = |text: &str, none: &str| {
        if text.is_empty() {
            none.to_owned()
        } else {
            text.to_owned()
        }
    };
    let alone = |list: &[T]| list.iter().any(|kind| kind.as_ref() == "Namespace");
    let order = if id.gvk.kind == "Namespace" && id.gvk.group.is_empty() && (alone(first) || alone(last)) {
        TypeOrder::CoreNamespace
    } else {
        TypeOrder::Text(id.gvk.sort_text())
    };
    let text = format!("{}|{}|{}", id.gvk, or(&id.namespace, "~X"), or(&id.name, "~N"));
    (rank_in(&id.gvk.kind, first, last), order, text)
}
