//! The objects behind `.Capabilities`.

use weir_gotmpl::{CallError, Env, Kind, List, Object, Shape, Signature, Str, Type, TypeInfo, Value, ty};

use super::apis::KUBE_CLIENT;
use super::{Capabilities, KubeVersion};

static CAPABILITIES: TypeInfo = TypeInfo::declared("common.Capabilities", Kind::Struct, None);
static CAPABILITIES_POINTER: TypeInfo = TypeInfo::new("*common.Capabilities", Kind::Ptr, Some(&CAPABILITIES));
static KUBE_VERSION: TypeInfo = TypeInfo::declared("common.KubeVersion", Kind::Struct, None);
static VERSION_SET: TypeInfo = TypeInfo::declared("common.VersionSet", Kind::Slice, Some(&ty::STRING));
static BUILD_INFO: TypeInfo = TypeInfo::declared("version.BuildInfo", Kind::Struct, None);

static NO_ARGUMENTS: Signature = Signature::new(&[]);
static ONE_STRING: Signature = Signature::new(&[&ty::STRING]);

/// What templates see.
pub(crate) fn capabilities(from: &Capabilities) -> Value {
    let fields = vec![
        ("KubeVersion", Value::object(Version(from.kube_version.clone()))),
        ("APIVersions", Value::object(Set::new(&from.api_versions))),
        ("HelmVersion", Value::object(Build::new(&from.helm_version))),
    ];
    Value::object(Pointer { fields })
}

/// A pointer to a struct of fields that do not change.
struct Pointer {
    fields: Vec<(&'static str, Value)>,
}

impl Object for Pointer {
    fn ty(&self) -> Type {
        &CAPABILITIES_POINTER
    }

    fn shape(&self) -> Shape {
        Shape::Pointer(Some(Value::object(Struct {
            ty: &CAPABILITIES,
            fields: self.fields.clone(),
        })))
    }

    fn field(&self, name: &str) -> Option<Value> {
        find(&self.fields, name)
    }
}

struct Struct {
    ty: Type,
    fields: Vec<(&'static str, Value)>,
}

impl Object for Struct {
    fn ty(&self) -> Type {
        self.ty
    }

    fn shape(&self) -> Shape {
        Shape::Struct(self.fields.clone())
    }

    fn field(&self, name: &str) -> Option<Value> {
        find(&self.fields, name)
    }
}

fn find(fields: &[(&'static str, Value)], name: &str) -> Option<Value> {
    fields
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value.clone())
}

struct Version(KubeVersion);

impl Object for Version {
    fn ty(&self) -> Type {
        &KUBE_VERSION
    }

    fn shape(&self) -> Shape {
        Shape::Struct(vec![
            ("Version", self.0.version.as_str().into()),
            ("Major", self.0.major.as_str().into()),
            ("Minor", self.0.minor.as_str().into()),
        ])
    }

    fn method(&self, name: &str) -> Option<&'static Signature> {
        matches!(name, "GitVersion" | "String").then_some(&NO_ARGUMENTS)
    }

    fn call(&self, name: &str, _: &mut Env<'_>, _: &[Value]) -> Result<Value, CallError> {
        Ok(match name {
            "GitVersion" => self.0.version.as_str().into(),
            _ => self.0.normalized.as_str().into(),
        })
    }

    fn text(&self) -> Option<Str> {
        Some(self.0.normalized.as_str().into())
    }
}

struct Set {
    list: List,
}

impl Set {
    fn new(versions: &[String]) -> Self {
        Self {
            list: List::of(
                &VERSION_SET,
                versions.iter().map(|version| version.as_str().into()).collect(),
            ),
        }
    }
}

impl Object for Set {
    fn ty(&self) -> Type {
        &VERSION_SET
    }

    fn shape(&self) -> Shape {
        Shape::List(self.list.items().to_vec())
    }

    fn method(&self, name: &str) -> Option<&'static Signature> {
        (name == "Has").then_some(&ONE_STRING)
    }

    fn call(&self, _: &str, _: &mut Env<'_>, args: &[Value]) -> Result<Value, CallError> {
        let wanted = args.first().and_then(Value::as_str);
        let found = wanted.is_some() && self.list.items().iter().any(|known| known.as_str() == wanted);
        Ok(found.into())
    }
}

struct Build {
    fields: Vec<(&'static str, Value)>,
}

impl Build {
    fn new(helm: &str) -> Self {
        Self {
            fields: vec![
                ("Version", helm.into()),
                ("GitCommit", "".into()),
                ("GitTreeState", "".into()),
                ("GoVersion", "go1.26".into()),
                ("KubeClientVersion", KUBE_CLIENT.into()),
            ],
        }
    }
}

impl Object for Build {
    fn ty(&self) -> Type {
        &BUILD_INFO
    }

    fn shape(&self) -> Shape {
        Shape::Struct(self.fields.clone())
    }

    fn field(&self, name: &str) -> Option<Value> {
        find(&self.fields, name)
    }
}
