//! `${var:-default}` substitution in Flux's dialect.
//!
//! [`substitute`] replaces every `${…}` in a text by the value of a variable, with the forms that
//! kustomize-controller's `postBuild` knows: defaults, case, substrings, trimming and replacing. [`Variables`]
//! holds the values, with the rules that Flux has for them: names are checked, newlines are dropped.
//!
//! Values are inserted once and never read again, so a value that holds `${…}` stays as it is. The text is
//! not parsed as YAML, before or after: whoever calls this on a manifest must parse the result.
//!
//! Two things are stricter than upstream: a substring that would cut a character in two is an error, and the
//! result is limited to [`MAX_OUTPUT_BYTES`].
//!
//! ```
//! use weir_subst::{Mode, Variables, substitute};
//!
//! let mut variables = Variables::default();
//! variables.set("env", "staging")?;
//! let text = "host: ${env}.${domain:=example.com}, literal: $${env}";
//! assert_eq!(
//!     substitute(text, &variables, Mode::Lenient)?,
//!     "host: staging.example.com, literal: ${env}"
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod functions;
mod glob;
mod parse;
mod template;
mod variables;

pub use error::{Position, Problem, SubstituteError};
pub use template::{MAX_OUTPUT_BYTES, Mode, Template, substitute};
pub use variables::{InvalidName, NAME_PATTERN, Variables};

/// How deep `${…}` may stand inside `${…}`.
pub const MAX_DEPTH: usize = 64;
