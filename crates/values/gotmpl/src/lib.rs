//! Go templates as text/template of Go 1.26 runs them, and the functions that Helm and Flux Operator give them.
//!
//! A [`Set`] holds parsed templates by name; [`Set::execute`] runs one with a [`Value`] and writes what Go would
//! write, or fails with Go's message. Functions come from [`Functions`], made of families: sprig, its
//! slim variant, Helm's and Flux's. What a function needs from outside (random bytes, the time, keys, objects of
//! a cluster) comes through [`Host`]; without one, those functions refuse.
//!
//! Values are shared, not copied, and maps are mutable as in Go: what `set` and `merge` change, every holder sees.
//! A run lives on one thread; a [`Set`] can be shared by many. [`Limits`] bound a run's output, steps and depth,
//! so that a template can neither hang nor exhaust the process.
//!
//! Not here: html/template's contextual escaping; anything that reads files or the network.
//!
//! ```
//! use std::sync::Arc;
//! use weir_gotmpl::{Functions, Limits, Map, NoHost, Options, Set, Value};
//!
//! let mut set = Set::new(Arc::new(Functions::builtins()), Options::default());
//! set.parse("hello", "Hello {{ .name | printf \"%q\" }}")?;
//! let data = Map::new();
//! data.insert("name", "weir");
//! let out = set.execute("hello", &data.into(), &mut NoHost, &Limits::default())?;
//! assert_eq!(out.to_string(), "Hello \"weir\"");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod builtins;
mod encode;
mod entries;
mod env;
mod error;
mod exec;
pub mod families;
mod fmt;
mod function;
mod host;
mod limits;
mod list;
mod map;
mod methods;
mod object;
mod parse;
mod quote;
mod repeated;
mod set;
mod table;
mod text;
mod time;
mod types;
mod unicode;
mod value;

pub use env::Env;
pub use error::CallError;
pub use error::{ExecError, Frame, ParseError};
pub use families::UrlParts;
pub use function::{Entry, Function, Functions, Native, Signature};
pub use host::{CertificateRequest, Host, KeyKind, NoHost};
pub use limits::Limits;
pub use list::List;
pub use map::Map;
pub use object::{Object, Shape};
pub use quote::quoted;
pub use set::{Delimiters, MissingKey, Options, Parsed, Set};
pub use text::Str;
pub use types::{Kind, Type, TypeInfo, ty};
pub use value::Value;
