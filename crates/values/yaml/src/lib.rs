//! YAML as Kubernetes tools read and write it.
//!
//! A tree that keeps order, style, comments and source positions ([`Node`]), the two scalar
//! tables that matter in this world ([`Dialect`]), and emitters that print what the Go tools
//! print, byte for byte ([`emit`]).
//!
//! What it does not do: it is no serde format, it does no I/O, and it has no opinion on schemas.
//!
//! Start with [`parse_all`] or [`parse_one`]; turn a tree into JSON values with [`to_json`].
//!
//! ```
//! use weir_yaml::{Dialect, emit, parse_one, to_json};
//!
//! let node = parse_one("replicas: 3 # enough\nname: 'yes'\n")?;
//! let value = to_json(&node, Dialect::Kyaml)?;
//! assert_eq!(value["replicas"], 3);
//! assert_eq!(emit::sigs(&value), "name: \"yes\"\nreplicas: 3\n");
//! assert_eq!(emit::kyaml(&node), "replicas: 3 # enough\nname: 'yes'\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod alias;
mod comments;
mod data;
pub mod emit;
mod error;
mod head;
mod json;
mod list;
mod node;
mod number;
mod parse;
mod read;
mod resolve;
mod text;
mod timestamp;

pub use alias::expand_aliases;
pub use data::{Data, DataMut, DataRef};
pub use error::{ConvertError, ParseError};
pub use json::{
    collection_as_key, from_json, from_json_styled, from_json_text, key_to_string, refuse_entries,
    refuse_unreadable, refuse_without_json, to_json,
};
pub use list::List;
pub use node::{Comments, Document, Node, Rare, Span, Style, Tag};
pub use number::{go_float, go_json_number, parse_go_int};
pub use parse::{
    Duplicates, Limits, ParseOptions, parse_all, parse_all_shared, parse_all_with, parse_first_with,
    parse_one, parse_pieces,
};
pub use resolve::{Dialect, Resolved, resolve, resolve_tagged};
pub use text::{Text, Texts};
