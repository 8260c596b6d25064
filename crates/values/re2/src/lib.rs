//! RE2 patterns as Go 1.26's `regexp` reads them, on the `regex` crate.
//!
//! Patterns in Flux objects, Helm charts and cosign policies are written for Go. The `regex` crate matches them
//! the same way (leftmost-first, linear time) but reads another syntax: Unicode `\d`, `\w` and `\s`, set
//! operations in classes, no `\Q…\E`, no literal `{`, no limit on repetition. [`Pattern::new`] reads Go's
//! syntax, refuses what Go refuses in Go's words, and hands the meaning over. [`Pattern::replace_all`] and
//! [`Pattern::expand`] use Go's `$1` and `${name}` templates.
//!
//! Not here: POSIX matching (leftmost-longest), matching bytes that are no UTF-8, nesting deeper than 250. Unicode classes follow the
//! `regex` crate's Unicode version, which is newer than Go's.
//!
//! ```
//! use weir_re2::Pattern;
//!
//! let pattern = Pattern::new(r"^v(\d+)\.(?P<minor>\d+)$")?;
//! assert!(pattern.is_match("v1.22"));
//! assert_eq!(pattern.replace_all("v1.22", "${minor}-$1"), "22-1");
//! assert_eq!(
//!     Pattern::new("x*+").map_err(|error| error.to_string()).err().as_deref(),
//!     Some("error parsing regexp: invalid nested repetition operator: `*+`")
//! );
//! # Ok::<(), weir_re2::PatternError>(())
//! ```

mod class;
mod error;
mod expand;
mod parse;
mod pattern;
mod scripts;

pub use error::{ErrorCode, PatternError};
pub use pattern::{Captures, Match, Pattern, escape};
