//! What templates see as `.Files`.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use base64::Engine;
use bytes::Bytes;
use serde_json::Value as Json;
use weir_gotmpl::{CallError, Env, Kind, List, Object, Shape, Signature, Str, Type, TypeInfo, Value, ty};

use crate::chart::{File, LeftOut};
use crate::pattern::Glob;

static FILES: TypeInfo = TypeInfo::declared("engine.files", Kind::Map, Some(&ty::BYTES));
static NO_ARGUMENTS: Signature = Signature::new(&[]);
static ONE_STRING: Signature = Signature::new(&[&ty::STRING]);

/// Files by path.
pub(crate) struct Files(Rc<BTreeMap<String, Content>>);

/// What a file holds.
#[derive(Clone)]
struct Content {
    bytes: Bytes,
    left_out: Option<Arc<LeftOut>>,
}

impl Content {
    fn bytes(&self) -> &Bytes {
        if let Some(left_out) = &self.left_out {
            left_out.miss();
        }
        &self.bytes
    }

    fn value(&self) -> Value {
        Value::Bytes(self.bytes().to_vec().into())
    }
}

impl Files {
    /// The files of a chart; of two with the same name the later counts.
    pub(crate) fn new(files: &[File]) -> Self {
        let content = |file: &File| Content {
            bytes: file.data.clone(),
            left_out: file.left_out.clone(),
        };
        let files = files.iter().map(|file| (file.name.clone(), content(file)));
        Self(Rc::new(files.collect()))
    }

    fn get(&self, name: &str) -> Bytes {
        self.0
            .get(name)
            .map(|content| content.bytes().clone())
            .unwrap_or_default()
    }

    /// A mapping of the files' last names to what is made of their content, as YAML.
    fn yaml(&self, content: impl Fn(&Bytes) -> String) -> Value {
        let map: serde_json::Map<String, Json> = self
            .0
            .iter()
            .map(|(path, data)| {
                let name = path.rsplit('/').next().unwrap_or(path);
                (name.to_owned(), Json::String(content(data.bytes())))
            })
            .collect();
        let text = weir_yaml::emit::sigs(&Json::Object(map));
        text.strip_suffix('\n').unwrap_or(&text).into()
    }

    /// The lines of a file, without the line feed at its end.
    fn lines(&self, name: &str) -> Value {
        let data = self.get(name);
        if data.is_empty() {
            return List::strings::<Value>([]).into();
        }
        let data = data.strip_suffix(b"\n").unwrap_or(&data);
        let lines = data.split(|byte| *byte == b'\n');
        List::strings(lines.map(|line| Value::Str(Str::from_bytes(line)))).into()
    }
}

impl Object for Files {
    fn ty(&self) -> Type {
        &FILES
    }

    fn shape(&self) -> Shape {
        Shape::Map(
            self.0
                .iter()
                .map(|(path, data)| (path.as_str().into(), data.value()))
                .collect(),
        )
    }

    fn field(&self, name: &str) -> Option<Value> {
        self.0.get(name).map(Content::value)
    }

    fn method(&self, name: &str) -> Option<&'static Signature> {
        match name {
            "Get" | "GetBytes" | "Glob" | "Lines" => Some(&ONE_STRING),
            "AsConfig" | "AsSecrets" => Some(&NO_ARGUMENTS),
            _ => None,
        }
    }

    fn call(&self, method: &str, _: &mut Env<'_>, args: &[Value]) -> Result<Value, CallError> {
        let name = match args.first() {
            Some(Value::Str(name)) => name.to_str(),
            _ => "".into(),
        };
        Ok(match method {
            "Get" => Value::Str(Str::from_bytes(&self.get(&name))),
            "GetBytes" => Value::Bytes(self.get(&name).to_vec().into()),
            "Glob" => {
                let glob = Glob::new(&name);
                let files = self.0.iter().filter(|(path, _)| glob.matches(path));
                Value::object(Self(Rc::new(
                    files.map(|(path, data)| (path.clone(), data.clone())).collect(),
                )))
            }
            "Lines" => self.lines(&name),
            "AsConfig" => self.yaml(|data| String::from_utf8_lossy(data).into_owned()),
            "AsSecrets" => self.yaml(|data| base64::engine::general_purpose::STANDARD.encode(data)),
            _ => return Err(CallError::new(format!("no method {method}"))),
        })
    }
}
