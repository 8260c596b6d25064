//! YAML as sigs.k8s.io/yaml reads it.

use weir_yaml::{ConvertError, Data, Dialect, Node, Resolved, expand_aliases, resolve_tagged, to_json};

use crate::{List, Map, Str, Value};

/// The value of a document: numbers are floats, of a repeated key the last value counts.
pub(crate) fn value_of(mut node: Node) -> Result<Value, ConvertError> {
    expand_aliases(&mut node, Dialect::Sigs)?;
    match usual(&node) {
        Some(value) => Ok(value),
        None => Ok(Value::from_json(&to_json(&node, Dialect::Sigs)?)),
    }
}

/// The value of a node in which there is nothing to complain about and nothing unusual: without the way over JSON, on
/// which every text would be copied once more.
fn usual(node: &Node) -> Option<Value> {
    match node.data() {
        Data::Scalar(text) => scalar(node, text),
        Data::Sequence(items) => {
            let items: Option<Vec<Value>> = items.iter().map(usual).collect();
            items.map(|items| List::new(items).into())
        }
        Data::Mapping(entries) => {
            let entries: Option<Vec<(Str, Value)>> = entries
                .iter()
                .map(|(key, value)| {
                    let text = key.as_str()?;
                    match resolved(key, text)? {
                        Resolved::Str => Some((text.into(), usual(value)?)),
                        _ => None,
                    }
                })
                .collect();
            entries.map(|entries| entries.into_iter().collect::<Map>().into())
        }
        Data::Alias(_) => None,
    }
}

fn resolved(node: &Node, text: &str) -> Option<Resolved> {
    // A tag that stands there may ask for more than a look at the text.
    if node.tag_is_explicit() {
        return None;
    }
    resolve_tagged(text, node.tag(), false, node.style(), Dialect::Sigs).ok()
}

fn scalar(node: &Node, text: &str) -> Option<Value> {
    Some(match resolved(node, text)? {
        Resolved::Null => Value::Nil,
        Resolved::Bool(value) => Value::Bool(value),
        Resolved::Int(value) => whole(value)?,
        Resolved::Float(value) if value.is_finite() => Value::float(value),
        Resolved::Float(_) => return None,
        Resolved::Str | Resolved::Timestamp(_) => Value::from(text),
    })
}

#[expect(clippy::cast_precision_loss, reason = "what Go's JSON makes of a number")]
fn whole(value: i128) -> Option<Value> {
    let value = i64::try_from(value).map(|value| value as f64);
    value.ok().map(Value::float)
}

#[cfg(test)]
mod tests {
    use weir_yaml::parse_all;

    use super::*;
    use crate::{Env, Functions, Limits, NoHost, Options, Set};

    #[test]
    fn the_short_way_leads_where_the_long_one_does() {
        let texts = [
            "a: 1\nb: [x, 'y', \"z\", null, ~, true, yes, 1.5, 1e3, 0x1f, 0o17, -0.0, 12345678901234567890]\n",
            "a: |\n  text\n  more\nb: >-\n  folded\n  text\nc: 2020-01-01\nd: ''\ne:\n",
            "a: {b: {c: [[], {}]}}\na: again\n",
            "true: 1\n1: 2\n1.5: 3\n'quoted': 4\n2020-01-01: 5\n",
            "a: !!str 1\nb: !!binary aGVsbG8=\nc: !!float 1\n",
            "a: &a {b: 1}\nc: *a\nd:\n  <<: *a\n  e: 2\n",
            "a: 18446744073709551615\nb: 18446744073709551616\nc: -9223372036854775808\n",
            "? [a]\n: b\n",
            "null: a\n",
            "a: .inf\n",
            "a: !!int x\n",
            "plain\n",
            "- 1\n- a: b\n  c: d\n",
        ];
        let set = Set::new(Functions::default().into(), Options::default());
        let (mut host, limits) = (NoHost, Limits::default());
        let mut env = Env::new(&set, &mut host, &limits);
        for text in texts {
            let Ok(documents) = parse_all(text) else { continue };
            for root in documents.into_iter().filter_map(|document| document.root) {
                let long = to_json(&root, Dialect::Sigs).map(|json| Value::from_json(&json));
                let short = value_of(root);
                match (&short, &long) {
                    (Ok(short), Ok(long)) => {
                        let equal = crate::encode::deep_equal(&mut env, short, long).unwrap();
                        assert!(equal, "{text}: {short:?}, {long:?}");
                    }
                    (Err(short), Err(long)) => assert_eq!(short.to_string(), long.to_string(), "{text}"),
                    _ => panic!("{text}: {short:?}, {long:?}"),
                }
            }
        }
    }
}
