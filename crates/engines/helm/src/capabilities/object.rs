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
        ("KubeVersion", Value::object(Version::new(&from.kube_version))),
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

    fn deep_copied(&self) -> Option<Value> {
        let copy = |(name, value): &(&'static str, Value)| {
            let copy = match value {
                Value::Object(object) => object.deep_copied(),
                _ => None,
            };
            (*name, copy.unwrap_or_else(|| value.clone()))
        };
        Some(Value::object(Self {
            fields: self.fields.iter().map(copy).collect(),
        }))
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

struct Version {
    version: KubeVersion,
    /// Whether it is the field itself, and no copy of it.
    is_field: bool,
}

impl Version {
    fn new(version: &KubeVersion) -> Self {
        Self {
            version: version.clone(),
            is_field: true,
        }
    }

    /// `String`: of a deep copy, which has no normalized version, in full.
    fn string(&self) -> &str {
        match self.version.normalized.as_str() {
            "" => &self.version.version,
            normalized => normalized,
        }
    }
}

impl Object for Version {
    fn ty(&self) -> Type {
        &KUBE_VERSION
    }

    fn shape(&self) -> Shape {
        Shape::Struct(vec![
            ("Version", self.version.version.as_str().into()),
            ("normalizedVersion", self.version.normalized.as_str().into()),
            ("Major", self.version.major.as_str().into()),
            ("Minor", self.version.minor.as_str().into()),
        ])
    }

    fn method(&self, name: &str) -> Option<&'static Signature> {
        matches!(name, "GitVersion" | "String").then_some(&NO_ARGUMENTS)
    }

    fn call(&self, name: &str, _: &mut Env<'_>, _: &[Value]) -> Result<Value, CallError> {
        Ok(match name {
            "GitVersion" => self.version.version.as_str().into(),
            _ => self.string().into(),
        })
    }

    fn pointed_text(&self) -> Option<Str> {
        self.is_field.then(|| self.string().into())
    }

    fn copied(&self) -> Option<Value> {
        self.is_field.then(|| {
            Value::object(Self {
                version: self.version.clone(),
                is_field: false,
            })
        })
    }

    fn deep_copied(&self) -> Option<Value> {
        let mut version = self.version.clone();
        version.normalized.clear();
        Some(Value::object(Self {
            version,
            is_field: true,
        }))
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

    fn json_fields(&self) -> Option<Vec<(&'static str, Value)>> {
        let names = [
            "version",
            "git_commit",
            "git_tree_state",
            "go_version",
            "kube_client_version",
        ];
        let named = names
            .into_iter()
            .zip(self.fields.iter().map(|(_, value)| value.clone()));
        // All but the last are left out when they are empty.
        let kept = named.filter(|(name, value)| *name == "kube_client_version" || value.as_str() != Some(""));
        Some(kept.collect())
    }

    fn field(&self, name: &str) -> Option<Value> {
        find(&self.fields, name)
    }
}
