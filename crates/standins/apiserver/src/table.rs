//! Answers as tables, for `kubectl get`.

mod cells;
mod columns;
mod jsonpath;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::object;
use crate::registry::Served;
use crate::request::ApiRequest;

pub(crate) use columns::Column;

/// How an answer is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Object,
    Table,
    /// Metadata only.
    Partial,
}

/// What a table row carries besides its cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Include {
    Metadata,
    Object,
    Nothing,
}

/// How an answer is to look, and when "now" is for ages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Format {
    shape: Shape,
    include: Include,
    now: Timestamp,
}

impl Format {
    /// What the request accepts, best first.
    pub(crate) fn of(request: &ApiRequest, now: Timestamp) -> Self {
        let include = match request.param("includeObject") {
            "Object" => Include::Object,
            "None" => Include::Nothing,
            _ => Include::Metadata,
        };
        let shape = request
            .header("accept")
            .split(',')
            .find_map(|kind| {
                let mut parts = kind.split(';').map(str::trim);
                if parts.next() != Some("application/json") {
                    return None;
                }
                Some(match parts.find_map(|part| part.strip_prefix("as=")) {
                    Some("Table") => Shape::Table,
                    Some("PartialObjectMetadata" | "PartialObjectMetadataList") => Shape::Partial,
                    _ => Shape::Object,
                })
            })
            .unwrap_or(Shape::Object);
        Self { shape, include, now }
    }

    /// One object, in a watch event. Only the first event of a table watch names the columns.
    pub(crate) fn show_event(self, served: &Served, value: &Arc<Value>, is_first: bool) -> Arc<Value> {
        let mut shown = self.show(served, Arc::clone(value));
        if self.shape == Shape::Table && !is_first {
            let mut table = shown.as_ref().clone();
            table["columnDefinitions"] = Value::Null;
            shown = Arc::new(table);
        }
        shown
    }

    /// An object or a list.
    pub(crate) fn show(self, served: &Served, value: Arc<Value>) -> Arc<Value> {
        let is_list = value.get("items").is_some_and(Value::is_array) && object::name(&value).is_empty();
        let items: Vec<&Value> = if is_list {
            object::list(&value, &["items"]).iter().collect()
        } else {
            vec![value.as_ref()]
        };
        match self.shape {
            Shape::Object => value,
            Shape::Table => {
                let columns = columns::of(served);
                let rows: Vec<Value> = items
                    .iter()
                    .map(|item| self.row(served, &columns, item))
                    .collect();
                let metadata = if is_list {
                    object::at(&value, &["metadata"]).cloned().unwrap_or_default()
                } else {
                    json!({"resourceVersion": object::resource_version(&value)})
                };
                let metadata = without_empty_continue(metadata);
                Arc::new(json!({
                    "kind": "Table",
                    "apiVersion": "meta.k8s.io/v1",
                    "metadata": metadata,
                    "columnDefinitions": columns.iter().map(Column::definition).collect::<Vec<_>>(),
                    "rows": rows,
                }))
            }
            Shape::Partial if is_list => Arc::new(json!({
                "kind": "PartialObjectMetadataList",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": without_empty_continue(object::at(&value, &["metadata"]).cloned().unwrap_or_default()),
                "items": items.iter().map(|item| partial(item)).collect::<Vec<_>>(),
            })),
            Shape::Partial => Arc::new(partial(&value)),
        }
    }

    fn row(self, served: &Served, columns: &[Column], item: &Value) -> Value {
        let cells = cells::of(served, columns, item, self.now);
        match self.include {
            Include::Nothing => json!({"cells": cells, "object": null}),
            Include::Metadata => json!({"cells": cells, "object": partial(item)}),
            Include::Object => {
                let mut item = item.clone();
                object::set(&mut item, &["apiVersion"], json!(served.api_version()));
                object::set(&mut item, &["kind"], json!(served.resource.kind));
                json!({"cells": cells, "object": item})
            }
        }
    }
}

fn without_empty_continue(mut metadata: Value) -> Value {
    if object::text(&metadata, &["continue"]).is_empty() {
        object::remove(&mut metadata, &["continue"]);
    }
    metadata
}

fn partial(item: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": item.get("metadata")})
}
