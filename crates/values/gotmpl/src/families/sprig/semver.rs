//! Versions.

use weir_semver::{Constraint, Version};

use crate::families::args::{Result, fail, string};
use crate::types::{Kind, TypeInfo};
use crate::{CallError, Entry, Env, Object, Shape, Signature, Str, Type, Value, ty};

pub(super) static SEMVER: &[Entry] = &[
    ("semver", Signature::new(&[&ty::STRING]), |_, args| {
        let version = Version::parse(&string(args, 0)).map_err(|error| fail(error.to_string()))?;
        Ok(Value::object(SemVer(version)))
    }),
    (
        "semverCompare",
        Signature::new(&[&ty::STRING, &ty::STRING]),
        compare,
    ),
];

fn compare(_: &mut Env<'_>, args: &[Value]) -> Result {
    let constraint = Constraint::parse(&string(args, 0)).map_err(|error| fail(error.to_string()))?;
    let version = Version::parse(&string(args, 1)).map_err(|error| fail(error.to_string()))?;
    Ok(Value::Bool(constraint.matches(&version)))
}

static VERSION: TypeInfo = TypeInfo::new("*semver.Version", Kind::Ptr, Some(&STRUCT));
static STRUCT: TypeInfo = TypeInfo::new("semver.Version", Kind::Struct, None);

/// What `semver` gives: a `*semver.Version`.
struct SemVer(Version);

static NONE: Signature = Signature::new(&[]);
static TEXT: Signature = Signature::new(&[&ty::STRING]);
static OTHER: Signature = Signature::new(&[&VERSION]);
static CONSTRAINED: Signature = Signature::new(&[&VERSION]);

impl Object for SemVer {
    fn ty(&self) -> Type {
        &VERSION
    }

    fn shape(&self) -> Shape {
        Shape::Opaque
    }

    fn text(&self) -> Option<Str> {
        Some(self.0.to_string().into())
    }

    fn encoded(&self) -> Option<Value> {
        Some(Value::from(self.0.to_string()))
    }

    fn method(&self, name: &str) -> Option<&'static Signature> {
        match name {
            "Major" | "Minor" | "Patch" | "Prerelease" | "Metadata" | "Original" | "String" | "IncMajor"
            | "IncMinor" | "IncPatch" => Some(&NONE),
            "SetPrerelease" | "SetMetadata" => Some(&TEXT),
            "Compare" | "Equal" | "LessThan" | "GreaterThan" => Some(&OTHER),
            "LessThanEqual" | "GreaterThanEqual" => Some(&CONSTRAINED),
            _ => None,
        }
    }

    fn call(&self, name: &str, _: &mut Env<'_>, args: &[Value]) -> std::result::Result<Value, CallError> {
        let version = &self.0;
        let other = args
            .first()
            .and_then(Value::downcast::<Self>)
            .map(|other| &other.0);
        let order = other.map(|other| version.cmp(other));
        let made = |made: std::result::Result<Version, weir_semver::VersionError>| {
            made.map(|version| Value::object(Self(version)))
                .map_err(|error| fail(error.to_string()))
        };
        Ok(match name {
            "Major" => Value::Uint(version.major(), &ty::UINT64),
            "Minor" => Value::Uint(version.minor(), &ty::UINT64),
            "Patch" => Value::Uint(version.patch(), &ty::UINT64),
            "Prerelease" => Value::from(version.prerelease()),
            "Metadata" => Value::from(version.metadata()),
            "Original" => Value::from(version.original()),
            "IncMajor" => return made(version.next_major()),
            "IncMinor" => return made(version.next_minor()),
            "IncPatch" => return made(version.next_patch()),
            "SetPrerelease" => return made(version.with_prerelease(&string(args, 0))),
            "SetMetadata" => return made(version.with_metadata(&string(args, 0))),
            "Compare" => Value::int(order.map_or(0, |order| order as i64)),
            "Equal" => Value::Bool(order.is_some_and(std::cmp::Ordering::is_eq)),
            "LessThan" => Value::Bool(order.is_some_and(std::cmp::Ordering::is_lt)),
            "GreaterThan" => Value::Bool(order.is_some_and(std::cmp::Ordering::is_gt)),
            "LessThanEqual" => Value::Bool(order.is_some_and(std::cmp::Ordering::is_le)),
            "GreaterThanEqual" => Value::Bool(order.is_some_and(std::cmp::Ordering::is_ge)),
            _ => Value::from(version.to_string()),
        })
    }
}
