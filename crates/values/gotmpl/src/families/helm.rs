//! Helm's functions.

use crate::encode::{self, Style};
use crate::families::args::{Result, fail, string, text, value};
use crate::families::sprig::to_json_text;
use crate::quote::quote;
use crate::repeated::Known;
use crate::{CallError, Entry, Env, List, Map, Signature, Str, Value, ty};

pub(super) static FAMILY: super::Family = &[HELM];

static HELM: &[Entry] = &[
    ("include", Signature::new(&[&ty::STRING, &ty::ANY]), include),
    ("tpl", Signature::new(&[&ty::STRING, &ty::ANY]), tpl),
    ("required", Signature::new(&[&ty::STRING, &ty::ANY]), required),
    ("fail", Signature::new(&[&ty::STRING]), fail_with),
    (
        "lookup",
        Signature::new(&[&ty::STRING, &ty::STRING, &ty::STRING, &ty::STRING]),
        |env, args| {
            env.host().lookup(
                &string(args, 0),
                &string(args, 1),
                &string(args, 2),
                &string(args, 3),
            )
        },
    ),
    // Looking names up is off, as it is in Helm unless asked for.
    ("getHostByName", Signature::new(&[&ty::STRING]), |_, _| {
        Ok(Value::from(""))
    }),
    ("toYaml", ONE, |env, args| {
        match encode::yaml(env, &value(args, 0)) {
            Err(error) if !error.is_limit() => Ok(Value::from("")),
            result => result.map(Value::from),
        }
    }),
    ("mustToYaml", ONE, |env, args| {
        encode::yaml(env, &value(args, 0))
            .map(Value::from)
            .map_err(marshaling)
    }),
    ("toYamlPretty", ONE, |env, args| {
        encode::pretty_yaml(env, &value(args, 0)).map(Value::from)
    }),
    ("fromYaml", TEXT, |env, args| from_yaml(env, &text(args, 0))),
    ("fromYamlArray", TEXT, |env, args| {
        from_yaml_array(env, &text(args, 0))
    }),
    ("toJson", ONE, |env, args| {
        Ok(Value::Str(
            to_json_text(env, &value(args, 0), Style::Html)?.unwrap_or_default(),
        ))
    }),
    ("mustToJson", ONE, |env, args| {
        encode::json(env, &value(args, 0), Style::Html).map(Value::from)
    }),
    ("fromJson", TEXT, |env, args| {
        let read = encode::parse_json(env, &text(args, 0))?;
        Ok(object(read))
    }),
    ("fromJsonArray", TEXT, |env, args| {
        let read = encode::parse_json(env, &text(args, 0))?;
        Ok(array(read))
    }),
    ("toToml", ONE, |env, args| {
        match encode::to_toml(env, &value(args, 0)) {
            _ if is_nothing(args) => Err(fail(NOTHING)),
            Err(error) if !error.is_limit() => Ok(Value::from(error.to_string())),
            result => result.map(Value::from),
        }
    }),
    ("mustToToml", ONE, |env, args| {
        if is_nothing(args) {
            return Err(fail(NOTHING));
        }
        encode::to_toml(env, &value(args, 0)).map(Value::from)
    }),
    ("fromToml", TEXT, |env, args| {
        Ok(match encode::from_toml(env, &text(args, 0))? {
            Ok(map) => map.into(),
            Err(message) => error_map(message),
        })
    }),
];

/// Go's encoder of TOML looks into what it gets without asking whether it is anything.
const NOTHING: &str = "reflect: call of reflect.Value.Type on zero Value";

fn is_nothing(args: &[Value]) -> bool {
    matches!(args.first(), None | Some(Value::Nil))
}

const ONE: Signature = Signature {
    params: &[&ty::ANY],
    variadic: false,
};
const TEXT: Signature = Signature {
    params: &[&ty::STRING],
    variadic: false,
};

/// How often one name may be in the middle of being included.
const MOST_INCLUDES: u32 = 1000;

fn include(env: &mut Env<'_>, args: &[Value]) -> Result {
    let name = text(args, 0);
    let count = env.includes.entry(name.clone()).or_insert(0);
    if *count > MOST_INCLUDES {
        let message = format!("rendering template has a nested reference name: {name}: ");
        return Err(fail("unable to execute template").wrap(message));
    }
    *count += 1;
    let result = env.execute(&name.to_str(), &value(args, 1));
    if let Some(count) = env.includes.get_mut(&name) {
        *count -= 1;
    }
    result.map(Value::Str).map_err(CallError::from)
}

fn tpl(env: &mut Env<'_>, args: &[Value]) -> Result {
    let source = text(args, 0);
    let quoted = |what: &str| format!("{what} {}: ", quote(source.as_bytes(), false));
    let result = env
        .execute_text(&source, &value(args, 1))
        .map_err(|error| fail(error.to_string()).wrap(quoted("cannot parse template")))?;
    let out = result
        .map_err(|error| CallError::from(error).wrap(quoted("error during tpl function execution for")))?;
    // What Helm does about values that are missing.
    Ok(match out.as_str() {
        Some(text) if text.contains("<no value>") => Value::from(text.replace("<no value>", "")),
        _ => Value::Str(out),
    })
}

/// How Helm marks a message that is to be shown alone.
fn marked(message: &str) -> CallError {
    fail(format!("HELM_ERR_START{message}HELM_ERR_END"))
}

fn required(env: &mut Env<'_>, args: &[Value]) -> Result {
    let missing = match args.get(1) {
        None | Some(Value::Nil) => true,
        Some(Value::Str(text)) => text.is_empty(),
        Some(_) => false,
    };
    if !missing {
        return Ok(value(args, 1));
    }
    let message = string(args, 0);
    if env.host().is_lint() {
        env.host().warn(&message);
        return Ok(Value::from(""));
    }
    Err(marked(&message))
}

fn fail_with(env: &mut Env<'_>, args: &[Value]) -> Result {
    let message = string(args, 0);
    if env.host().is_lint() {
        env.host().warn(&message);
        return Ok(Value::from(""));
    }
    Err(marked(&message))
}

/// sigs.k8s.io/yaml says what it was doing.
fn marshaling(error: CallError) -> CallError {
    if error.is_limit() {
        error
    } else {
        error.wrap("error marshaling into JSON: ")
    }
}

fn error_map(message: String) -> Value {
    let map = Map::new();
    map.insert("Error", message);
    map.into()
}

/// A value that should be a map, as Go reads it into one.
fn object(read: std::result::Result<Value, String>) -> Value {
    match read {
        Ok(Value::Map(map)) => map.into(),
        Ok(Value::Nil) => Value::TypedNil(&ty::MAP_ANY),
        Ok(other) => error_map(mismatch(&other, "map[string]interface {}")),
        Err(message) => error_map(message),
    }
}

fn array(read: std::result::Result<Value, String>) -> Value {
    match read {
        Ok(Value::List(list)) => list.into(),
        Ok(Value::Nil) => Value::TypedNil(&ty::LIST_ANY),
        Ok(other) => List::new(vec![Value::from(mismatch(&other, "[]interface {}"))]).into(),
        Err(message) => List::new(vec![Value::from(message)]).into(),
    }
}

fn mismatch(value: &Value, wanted: &str) -> String {
    let what = match value {
        Value::Map(_) => "object",
        Value::List(_) => "array",
        Value::Str(_) => "string",
        Value::Bool(_) => "bool",
        _ => "number",
    };
    format!("json: cannot unmarshal {what} into Go value of type {wanted}")
}

fn read_yaml(
    env: &mut Env<'_>,
    text: &Str,
) -> std::result::Result<std::result::Result<Value, String>, CallError> {
    env.reserve(text.len())?;
    env.spend(text.len() / 8)?;
    let known = env.yaml.look_up(text);
    if let Known::Value(value) = known {
        return Ok(Ok(value));
    }
    let read = yaml_value(&text.to_str());
    if let (Known::Again, Ok(value)) = (known, &read) {
        env.yaml.keep(text, value);
    }
    Ok(read)
}

fn yaml_value(text: &str) -> std::result::Result<Value, String> {
    let converting = |message: String| format!("error converting YAML to JSON: {message}");
    // Not strict: of a repeated key the last value counts, of several documents the first.
    let options = weir_yaml::ParseOptions {
        duplicates: weir_yaml::Duplicates::Keep,
        without_comments: true,
        ..weir_yaml::ParseOptions::default()
    };
    let documents =
        weir_yaml::parse_all_with(text, options).map_err(|error| converting(error.to_string()))?;
    let node = documents.into_iter().next().and_then(|document| document.root);
    let node = node.unwrap_or_else(weir_yaml::Node::null);
    encode::value_of(node).map_err(|error| converting(error.to_string()))
}

fn decoding(value: &Value, wanted: &str) -> String {
    format!(
        "error unmarshaling JSON: while decoding JSON: {}",
        mismatch(value, wanted)
    )
}

fn from_yaml(env: &mut Env<'_>, text: &Str) -> Result {
    Ok(match read_yaml(env, text)? {
        Ok(Value::Map(map)) => map.into(),
        Ok(Value::Nil) => Map::new().into(),
        Ok(other) => error_map(decoding(&other, "map[string]interface {}")),
        Err(message) => error_map(message),
    })
}

fn from_yaml_array(env: &mut Env<'_>, text: &Str) -> Result {
    Ok(match read_yaml(env, text)? {
        Ok(Value::List(list)) => list.into(),
        Ok(Value::Nil) => List::new(Vec::new()).into(),
        Ok(other) => List::new(vec![Value::from(decoding(&other, "[]interface {}"))]).into(),
        Err(message) => List::new(vec![Value::from(message)]).into(),
    })
}
