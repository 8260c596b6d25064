//! Scenarios: requests and the answers expected, as data that runs on any server.
//!
//! A file holds `about` and `steps`. A step has
//!
//! - `do`: method and path, such as `POST /api/v1/namespaces/{ns}/configmaps`;
//! - `body`, `type` (content type, JSON by default) and `headers`;
//! - `status` and `expect`: the answer as kube-apiserver gave it, volatile parts masked; written by running with
//!   `UPDATE=1` against a real server;
//! - or `match`: a part of the answer that is enough (`null`: must be absent); then `until: true` repeats the request
//!   until it matches, for what happens in the background;
//! - `save`: names and JSON pointers of values that later steps use as `{name}`.
//!
//! `{ns}` is a namespace of the run's own, `{id}` a word to make cluster-scoped names unique.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

/// Sends requests to some server.
pub(crate) trait Endpoint {
    fn send(
        &self,
        method: &str,
        path: &str,
        headers: &BTreeMap<String, String>,
        body: Option<String>,
    ) -> impl Future<Output = (u16, String)>;
}

/// How often a step with `until` is tried, and how long apart.
const TRIES: usize = 100;
const PAUSE: Duration = Duration::from_millis(200);

/// Runs a scenario. With `record`, answers are written into it instead of compared. Gives what did not fit.
pub(crate) async fn run(
    scenario: &mut Value,
    id: &str,
    endpoint: &impl Endpoint,
    record: bool,
) -> Vec<String> {
    let namespace = format!("scn-{id}");
    let mut variables = BTreeMap::from([
        ("ns".to_owned(), namespace.clone()),
        ("id".to_owned(), id.to_owned()),
    ]);
    let json_headers = BTreeMap::from([("content-type".to_owned(), "application/json".to_owned())]);
    let created = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
    endpoint
        .send(
            "POST",
            "/api/v1/namespaces",
            &json_headers,
            Some(created.to_string()),
        )
        .await;
    let mut problems = Vec::new();
    for (index, step) in scenario["steps"]
        .as_array_mut()
        .expect("steps")
        .iter_mut()
        .enumerate()
    {
        let request = substitute(step, &variables);
        let line = request["do"].as_str().expect("do").to_owned();
        let (method, path) = line.split_once(' ').expect("method and path");
        let mut headers: BTreeMap<String, String> = request["headers"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.to_lowercase(), value.as_str().unwrap_or_default().to_owned()))
            .collect();
        headers
            .entry("user-agent".to_owned())
            .or_insert_with(|| "scenario/1".to_owned());
        let body = request.get("body").map(|body| match body {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        if body.is_some() {
            let kind = request["type"].as_str().unwrap_or("application/json").to_owned();
            headers.insert("content-type".to_owned(), kind);
        }
        let wanted = step.get("match").cloned();
        let mut problem = None;
        for attempt in 0..TRIES {
            if attempt > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            let (status, text) = endpoint.send(method, path, &headers, body.clone()).await;
            let answer = read_answer(&text);
            for (name, pointer) in request["save"].as_object().into_iter().flatten() {
                let value = answer.pointer(pointer.as_str().unwrap_or_default());
                let value =
                    value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
                variables.insert(name.clone(), value.unwrap_or_default());
            }
            let masked = restore(mask(answer), &variables);
            problem = match &wanted {
                Some(wanted) => {
                    let status_fits = step.get("status").is_none_or(|wanted| *wanted == json!(status));
                    let mut misfits = Vec::new();
                    if !status_fits {
                        misfits.push(format!("status {status}"));
                    }
                    find_misfits(wanted, Some(&masked), "", &mut misfits);
                    (!misfits.is_empty()).then(|| format!("{}\n  in {masked}", misfits.join("\n  ")))
                }
                None if record => {
                    step["status"] = json!(status);
                    step["expect"] = masked;
                    None
                }
                None => {
                    let mut misfits = Vec::new();
                    if step["status"] != json!(status) {
                        misfits.push(format!("status {status}, expected {}", step["status"]));
                    }
                    diff(&step["expect"], &masked, "", &mut misfits);
                    (!misfits.is_empty()).then(|| misfits.join("\n  "))
                }
            };
            if problem.is_none() || request["until"] != json!(true) {
                break;
            }
        }
        if let Some(problem) = problem {
            problems.push(format!("step {}: {line}\n  {problem}", index + 1));
        }
    }
    endpoint
        .send(
            "DELETE",
            &format!("/api/v1/namespaces/{namespace}"),
            &BTreeMap::new(),
            None,
        )
        .await;
    problems
}

/// One JSON value, or the lines of a watch as a list, or the bare text.
fn read_answer(text: &str) -> Value {
    if let Ok(value) = serde_json::from_str(text) {
        return value;
    }
    let lines: Result<Vec<Value>, _> = text.lines().map(serde_json::from_str).collect();
    // Whether a plain bookmark comes before a watch ends is a matter of timing.
    let is_plain_bookmark = |event: &Value| {
        event["type"] == "BOOKMARK" && event.pointer("/object/metadata/annotations").is_none()
    };
    lines.map_or_else(
        |_| json!(text),
        |events| {
            events
                .into_iter()
                .filter(|event| !is_plain_bookmark(event))
                .collect()
        },
    )
}

fn substitute(value: &Value, variables: &BTreeMap<String, String>) -> Value {
    map_strings(value, &|text| {
        variables.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
    })
}

/// Writes the run's own names back as `{ns}` and `{id}`.
fn restore(value: Value, variables: &BTreeMap<String, String>) -> Value {
    let (ns, id) = (&variables["ns"], &variables["id"]);
    map_strings(&value, &|text| {
        text.replace(ns.as_str(), "{ns}").replace(id.as_str(), "{id}")
    })
}

fn map_strings(value: &Value, change: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(change(text)),
        Value::Array(items) => items.iter().map(|item| map_strings(item, change)).collect(),
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, field)| (change(name), map_strings(field, change)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

/// Replaces what differs from run to run.
fn mask(value: Value) -> Value {
    match value {
        Value::Object(mut fields) => {
            // A hash of the server's own storage, and texts that the stand-in has in short.
            fields.remove("storageVersionHash");
            if fields.contains_key("priority") && fields.contains_key("format") {
                fields.remove("description");
            }
            let fields = fields.into_iter().map(|(name, field)| {
                let masked = match (name.as_str(), &field) {
                    // Sorted by time on the wire, which is coarse.
                    ("managedFields", Value::Array(_)) => sorted(
                        mask(field),
                        &["operation", "manager", "apiVersion", "subresource"],
                    ),
                    // Conflicts are listed in no order.
                    ("causes", Value::Array(_)) => sorted(mask(field), &["reason", "field", "message"]),
                    ("uid", Value::String(_)) => json!("<uid>"),
                    ("resourceVersion", Value::String(text)) if !text.is_empty() && text != "0" => {
                        json!("<version>")
                    }
                    ("continue", Value::String(_)) => json!("<continue>"),
                    ("token", Value::String(_)) => json!("<token>"),
                    ("clusterIP", Value::String(text)) if text != "None" && !text.is_empty() => json!("<ip>"),
                    ("clusterIPs", Value::Array(items)) if items != &[json!("None")] => json!(["<ip>"]),
                    ("caBundle", Value::String(_)) => json!("<ca>"),
                    (_, Value::String(text)) if is_time(text) => json!("<time>"),
                    ("cells", Value::Array(cells)) => cells
                        .iter()
                        .map(|cell| match cell.as_str() {
                            Some(text) if is_age(text) => json!("<age>"),
                            _ => mask(cell.clone()),
                        })
                        .collect(),
                    _ => mask(field),
                };
                (mask_uids(&name), masked)
            });
            Value::Object(fields.collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(mask).collect()),
        Value::String(text) if is_time(&text) => json!("<time>"),
        Value::String(text) => Value::String(mask_uids(&text)),
        other => other,
    }
}

/// A list sorted by some fields of its items.
fn sorted(list: Value, fields: &[&str]) -> Value {
    let Value::Array(mut items) = list else {
        return list;
    };
    items.sort_by_key(|item| {
        fields
            .iter()
            .map(|field| item[*field].to_string())
            .collect::<Vec<_>>()
    });
    Value::Array(items)
}

fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    (bytes.len() == 20 || bytes.len() == 27)
        && bytes.last() == Some(&b'Z')
        && bytes.get(10) == Some(&b'T')
        && bytes.get(4) == Some(&b'-')
}

/// Messages and field names carry uids, too.
fn mask_uids(text: &str) -> String {
    let is_uid = |word: &str| {
        word.char_indices().all(|(index, letter)| match index {
            8 | 13 | 18 | 23 => letter == '-',
            _ => letter.is_ascii_hexdigit(),
        })
    };
    let mut out = String::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if rest.get(..36).is_some_and(is_uid) {
            out.push_str("<uid>");
            rest = rest.get(36..).unwrap_or_default();
        } else {
            out.push(letter);
            rest = rest.get(letter.len_utf8()..).unwrap_or_default();
        }
    }
    out
}

fn is_age(text: &str) -> bool {
    let digits = text.trim_end_matches(['s', 'm', 'h', 'd']);
    !digits.is_empty() && digits.len() < text.len() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Where `found` lacks what `wanted` asks for. `"*"` is anything; null is absence.
fn find_misfits(wanted: &Value, found: Option<&Value>, path: &str, out: &mut Vec<String>) {
    match (wanted, found) {
        (Value::Null, None | Some(Value::Null)) => {}
        (Value::String(any), Some(_)) if any == "*" => {}
        (Value::Object(wanted), Some(Value::Object(found))) => {
            for (name, inner) in wanted {
                find_misfits(inner, found.get(name), &format!("{path}/{name}"), out);
            }
        }
        (Value::Array(wanted), Some(Value::Array(found))) if wanted.len() == found.len() => {
            for (index, (inner, found)) in wanted.iter().zip(found).enumerate() {
                find_misfits(inner, Some(found), &format!("{path}/{index}"), out);
            }
        }
        (wanted, Some(found)) if wanted == found => {}
        (wanted, found) => out.push(format!(
            "{path}: wanted {wanted}, found {}",
            found.unwrap_or(&Value::Null)
        )),
    }
}

/// All differences of two values.
fn diff(wanted: &Value, found: &Value, path: &str, out: &mut Vec<String>) {
    match (wanted, found) {
        (Value::Object(a), Value::Object(b)) => {
            for (name, inner) in a {
                match b.get(name) {
                    Some(other) => diff(inner, other, &format!("{path}/{name}"), out),
                    None => out.push(format!("{path}/{name}: missing, expected {inner}")),
                }
            }
            for (name, inner) in b.iter().filter(|(name, _)| !a.contains_key(*name)) {
                out.push(format!("{path}/{name}: unexpected {inner}"));
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (inner, other)) in a.iter().zip(b).enumerate() {
                diff(inner, other, &format!("{path}/{index}"), out);
            }
        }
        (Value::Number(a), Value::Number(b)) if a.as_f64() == b.as_f64() => {}
        _ if wanted == found => {}
        _ => out.push(format!("{path}: expected {wanted}, found {found}")),
    }
}
