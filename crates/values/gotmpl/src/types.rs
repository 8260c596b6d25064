//! Go's types, as far as templates can see them.

use std::fmt;

/// Go's kinds: what a type is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "Go's own words")]
pub enum Kind {
    Invalid,
    Bool,
    Int,
    Int8,
    Int16,
    Int32,
    Int64,
    Uint,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Uintptr,
    Float32,
    Float64,
    Complex64,
    Complex128,
    Array,
    Func,
    Interface,
    Map,
    Ptr,
    Slice,
    String,
    Struct,
}

impl Kind {
    /// Go's word for it, as sprig's `kindOf` prints it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Uint => "uint",
            Self::Uint8 => "uint8",
            Self::Uint16 => "uint16",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Uintptr => "uintptr",
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::Complex64 => "complex64",
            Self::Complex128 => "complex128",
            Self::Array => "array",
            Self::Func => "func",
            Self::Interface => "interface",
            Self::Map => "map",
            Self::Ptr => "ptr",
            Self::Slice => "slice",
            Self::String => "string",
            Self::Struct => "struct",
        }
    }

    /// Whether it is a signed integer.
    pub fn is_int(self) -> bool {
        matches!(
            self,
            Self::Int | Self::Int8 | Self::Int16 | Self::Int32 | Self::Int64
        )
    }

    /// Whether it is an unsigned integer.
    pub fn is_uint(self) -> bool {
        matches!(
            self,
            Self::Uint | Self::Uint8 | Self::Uint16 | Self::Uint32 | Self::Uint64 | Self::Uintptr
        )
    }

    /// Whether nil can be assigned to a type of this kind.
    pub fn can_be_nil(self) -> bool {
        matches!(
            self,
            Self::Func | Self::Interface | Self::Map | Self::Ptr | Self::Slice
        )
    }
}

/// What is known about a type. Types are statics; a crate that brings objects or named types of its own declares
/// one for each.
#[derive(Debug)]
pub struct TypeInfo {
    /// As Go's `%T` prints it: `map[string]interface {}`.
    pub name: &'static str,
    /// What it is made of.
    pub kind: Kind,
    /// The type of the elements of a list, map or pointer.
    pub elem: Option<Type>,
    /// Whether it was declared with a name, such as `common.Values`; two types with names are never assignable
    /// to each other.
    pub named: bool,
}

/// A type: a reference to a static.
pub type Type = &'static TypeInfo;

impl TypeInfo {
    /// A basic or composed type.
    pub const fn new(name: &'static str, kind: Kind, elem: Option<Type>) -> Self {
        Self {
            name,
            kind,
            elem,
            named: !matches!(
                kind,
                Kind::Array | Kind::Func | Kind::Interface | Kind::Map | Kind::Ptr | Kind::Slice
            ),
        }
    }

    /// A type declared with a name.
    pub const fn declared(name: &'static str, kind: Kind, elem: Option<Type>) -> Self {
        Self {
            name,
            kind,
            elem,
            named: true,
        }
    }

    /// Whether the two are the same type.
    pub fn same(&self, other: &Self) -> bool {
        std::ptr::eq(self, other) || (self.name == other.name && self.kind == other.kind)
    }

    /// Whether a value of this type can be given where `target` is asked for, as Go's `AssignableTo`.
    ///
    /// The only interfaces known are `interface {}`, which takes everything, and `error`, which takes only itself.
    pub fn assignable_to(&self, target: &Self) -> bool {
        if self.same(target) || (target.kind == Kind::Interface && target.name == ty::ANY.name) {
            return true;
        }
        // Identical underlying types, one of them without a name.
        (!self.named || !target.named)
            && self.kind == target.kind
            && matches!(self.kind, Kind::Map | Kind::Slice)
            && match (self.elem, target.elem) {
                (Some(a), Some(b)) => a.same(b),
                _ => false,
            }
    }
}

impl fmt::Display for TypeInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The types that templates meet.
#[expect(missing_docs, reason = "each is the Go type of its name")]
pub mod ty {
    use super::{Kind, TypeInfo};

    pub static ANY: TypeInfo = TypeInfo::new("interface {}", Kind::Interface, None);
    /// What Go's own functions take: any value, with nil and a nil interface told apart.
    pub static REFLECT: TypeInfo = TypeInfo::new("reflect.Value", Kind::Struct, None);
    pub static BOOL: TypeInfo = TypeInfo::new("bool", Kind::Bool, None);
    pub static INT: TypeInfo = TypeInfo::new("int", Kind::Int, None);
    pub static INT8: TypeInfo = TypeInfo::new("int8", Kind::Int8, None);
    pub static INT16: TypeInfo = TypeInfo::new("int16", Kind::Int16, None);
    pub static INT32: TypeInfo = TypeInfo::new("int32", Kind::Int32, None);
    pub static INT64: TypeInfo = TypeInfo::new("int64", Kind::Int64, None);
    pub static UINT: TypeInfo = TypeInfo::new("uint", Kind::Uint, None);
    pub static UINT8: TypeInfo = TypeInfo::new("uint8", Kind::Uint8, None);
    pub static UINT16: TypeInfo = TypeInfo::new("uint16", Kind::Uint16, None);
    pub static UINT32: TypeInfo = TypeInfo::new("uint32", Kind::Uint32, None);
    pub static UINT64: TypeInfo = TypeInfo::new("uint64", Kind::Uint64, None);
    pub static UINTPTR: TypeInfo = TypeInfo::new("uintptr", Kind::Uintptr, None);
    pub static FLOAT32: TypeInfo = TypeInfo::new("float32", Kind::Float32, None);
    pub static FLOAT64: TypeInfo = TypeInfo::new("float64", Kind::Float64, None);
    pub static COMPLEX128: TypeInfo = TypeInfo::new("complex128", Kind::Complex128, None);
    pub static STRING: TypeInfo = TypeInfo::new("string", Kind::String, None);
    pub static JSON_NUMBER: TypeInfo = TypeInfo::new("json.Number", Kind::String, None);
    pub static ERROR: TypeInfo = TypeInfo::declared("error", Kind::Interface, None);
    pub static FUNC: TypeInfo = TypeInfo::new("func()", Kind::Func, None);
    pub static DURATION: TypeInfo = TypeInfo::new("time.Duration", Kind::Int64, None);
    pub static TIME: TypeInfo = TypeInfo::new("time.Time", Kind::Struct, None);
    pub static LIST_ANY: TypeInfo = TypeInfo::new("[]interface {}", Kind::Slice, Some(&ANY));
    pub static LIST_STRING: TypeInfo = TypeInfo::new("[]string", Kind::Slice, Some(&STRING));
    pub static LIST_INT: TypeInfo = TypeInfo::new("[]int", Kind::Slice, Some(&INT));
    pub static LIST_LIST_ANY: TypeInfo = TypeInfo::new("[][]interface {}", Kind::Slice, Some(&LIST_ANY));
    pub static BYTES: TypeInfo = TypeInfo::new("[]uint8", Kind::Slice, Some(&UINT8));
    pub static MAP_ANY: TypeInfo = TypeInfo::new("map[string]interface {}", Kind::Map, Some(&ANY));
    pub static MAP_STRING: TypeInfo = TypeInfo::new("map[string]string", Kind::Map, Some(&STRING));
}
