//! A stream of objects, read as Kubernetes' reader of YAML or JSON does it.
//!
//! A stream that begins with a brace is JSON until something in it is not; from there on it is YAML, in documents that
//! lines of three dashes take apart.

use serde_json::Value;
use weir_yaml::Node;

use super::{Problem, line_of};
use crate::chart::decode::{self, Fields};
use crate::chart::json::LINTED;
use crate::stream::Stream;

/// How far the reader looks for the brace.
const GUESS: usize = 4096;

/// What the rules need of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) name: String,
    /// The line of the stream that it begins in, from 1.
    pub(super) line: Option<u32>,
}

/// The objects of a stream; `None` for a document that holds nothing. Ends behind the first problem.
pub(super) struct Documents<'t> {
    stream: Stream<'t>,
    form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// So many values of JSON have been read.
    Json(usize),
    Yaml,
    Ended,
}

impl<'t> Documents<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let blank = text.len() - text.trim_start().len();
        let is_json = blank < GUESS && text.trim_start().starts_with('{');
        Self {
            stream: Stream::of(text),
            form: if is_json { Form::Json(0) } else { Form::Yaml },
        }
    }

    fn json(&mut self) -> Result<Option<Head>, Problem> {
        let rest = self.stream.rest();
        let blank = rest.len() - rest.trim_start().len();
        let line = rest
            .get(..blank)
            .map_or(0, |blank| blank.bytes().filter(|byte| *byte == b'\n').count());
        let line = self.stream.line() + u32::try_from(line).unwrap_or_default() + 1;
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        let head = match values.next() {
            Some(Ok(value)) => head_of_json(&value, line)?,
            Some(Err(error)) => {
                let message = if error.is_eof() {
                    "unexpected EOF".to_owned()
                } else {
                    format!("json: offset {}: {error}", values.byte_offset())
                };
                return Err(Problem {
                    message,
                    line: Some(line),
                });
            }
            None => None,
        };
        let read = values.byte_offset();
        self.stream.take(read);
        Ok(head)
    }

    fn yaml(&mut self) -> Option<Result<Option<Head>, Problem>> {
        match self.stream.document() {
            Err(error) => Some(Err(Problem {
                message: error.to_string(),
                line: Some(error.line),
            })),
            Ok(None) => None,
            Ok(Some((line, text))) => Some(head_of_yaml(&text, line)),
        }
    }
}

impl Iterator for Documents<'_> {
    type Item = Result<Option<Head>, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut refused = None;
        if let Form::Json(count) = self.form {
            if self.stream.rest().trim_start().is_empty() {
                self.form = Form::Ended;
                return None;
            }
            match self.json() {
                Ok(head) => {
                    self.form = Form::Json(count + 1);
                    return Some(Ok(head));
                }
                Err(problem) if count > 1 => {
                    self.form = Form::Ended;
                    return Some(Err(problem));
                }
                Err(problem) => refused = Some(problem),
            }
            // White space behind the last value, up to the end of the line, belongs to it.
            let rest = self.stream.rest();
            let blank = rest.len() - rest.trim_start().len();
            let line = rest
                .get(..blank)
                .and_then(|blank| blank.find('\n').map(|at| at + 1));
            self.stream.take(line.unwrap_or(blank));
            self.form = Form::Yaml;
        }
        if self.form == Form::Ended {
            return None;
        }
        let read = self.yaml();
        match read {
            None => {
                self.form = Form::Ended;
                None
            }
            Some(Err(problem)) => {
                self.form = Form::Ended;
                Some(Err(refused.unwrap_or(problem)))
            }
            ok => ok,
        }
    }
}

fn head_of_yaml(text: &str, line: u32) -> Result<Option<Head>, Problem> {
    let read = || -> Result<Option<Head>, String> {
        match decode::document(text)? {
            Some(node) => {
                // Into JSON first, and only then into fields.
                LINTED.check(&node)?;
                head(&node).map(Some)
            }
            None => Ok(None),
        }
    };
    match read() {
        Ok(found) => Ok(found.map(|head| Head {
            line: head.line.map(|own| own + line),
            ..head
        })),
        Err(message) => {
            let problem = Problem::located(&message);
            Err(Problem {
                // The message counts the document's own lines, as Helm's does.
                line: problem.line.or_else(|| line_of(&message)).map(|own| own + line),
                ..problem
            })
        }
    }
}

fn head(node: &Node) -> Result<Head, String> {
    let fields = Fields::of(node, "k8sYamlStruct", "rules.k8sYamlStruct")?;
    let mut head = Head {
        api_version: fields.text("apiVersion")?,
        kind: fields.text("Kind")?,
        name: String::new(),
        line: Some(node.span().line).filter(|line| *line > 0),
    };
    if let Some(metadata) = fields.get("metadata") {
        Fields::of(metadata, "k8sYamlStruct.Metadata", "rules.k8sYamlMetadata")?;
        let metadata = Fields::of(metadata, "k8sYamlMetadata.Metadata", "rules.k8sYamlMetadata")?;
        head.name = metadata.text("Name")?;
        metadata.text("Namespace")?;
    }
    Ok(head)
}

/// A value of JSON, where a text must be one.
fn head_of_json(value: &Value, line: u32) -> Result<Option<Head>, Problem> {
    let refuse = |found: &Value, place: &str| {
        let what = match found {
            Value::Bool(_) => "bool",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
            Value::Null => "null",
        };
        Problem {
            message: format!("json: cannot unmarshal {what} into Go {place}"),
            line: Some(line),
        }
    };
    let field = |table: &serde_json::Map<String, Value>, name: &str| {
        let mut fields = table.iter();
        fields
            .rfind(|(key, value)| key.eq_ignore_ascii_case(name) && !value.is_null())
            .map(|(_, value)| value.clone())
    };
    let text = |table: &serde_json::Map<String, Value>, name: &str, place: &str| match field(table, name) {
        None => Ok(String::new()),
        Some(Value::String(text)) => Ok(text),
        Some(other) => Err(refuse(&other, &format!("struct field {place} of type string"))),
    };
    let table = match value {
        Value::Null => return Ok(None),
        Value::Object(table) => table,
        other => return Err(refuse(other, "value of type rules.k8sYamlStruct")),
    };
    let mut head = Head {
        api_version: text(table, "apiVersion", "k8sYamlStruct.apiVersion")?,
        kind: text(table, "kind", "k8sYamlStruct.Kind")?,
        name: String::new(),
        line: Some(line),
    };
    match field(table, "metadata") {
        None => {}
        Some(Value::Object(metadata)) => {
            head.name = text(&metadata, "name", "k8sYamlMetadata.Metadata.Name")?;
            text(&metadata, "namespace", "k8sYamlMetadata.Metadata.Namespace")?;
        }
        Some(other) => {
            return Err(refuse(
                &other,
                "struct field k8sYamlStruct.Metadata of type rules.k8sYamlMetadata",
            ));
        }
    }
    Ok(Some(head))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kind and line of each, `-` for nothing, and what is wrong behind a mark.
    fn kinds(text: &str) -> Vec<String> {
        Documents::of(text)
            .map(|read| match read {
                Ok(Some(head)) => format!("{}@{}", head.kind, head.line.unwrap_or_default()),
                Ok(None) => "-".to_owned(),
                Err(problem) => format!("!{}", problem.message),
            })
            .collect()
    }

    #[test]
    fn lines_of_dashes_take_documents_apart() {
        assert_eq!(
            kinds("# c\n---\nkind: A\n--- # more\n\nkind: B\n---\n---\nkind: C"),
            ["-", "A@3", "B@6", "C@9"]
        );
        assert_eq!(
            kinds("kind: A\n--- b\nkind: B\n"),
            ["!invalid Yaml document separator: b"]
        );
    }

    #[test]
    fn a_stream_that_begins_with_a_brace_is_json_as_long_as_it_is() {
        assert_eq!(kinds(" {\"kind\": \"A\"}\n{\"kind\": \"B\"}\n"), ["A@1", "B@2"]);
        assert_eq!(kinds("{kind: A}\n---\nkind: B\n"), ["A@1", "B@3"]);
        assert_eq!(kinds("{\"kind\": \"A\"}\n---\nkind: B\n"), ["A@1", "B@3"]);
        assert_eq!(kinds("{\"kind\": 1}"), ["1@1"]);
        assert_eq!(kinds("{\"kind\": [\"A\"")[0], "!unexpected EOF");
        let broken = kinds("{kind: A");
        assert!(
            matches!(broken.as_slice(), [message] if message.starts_with("!json: offset")),
            "{broken:?}"
        );
    }
}
