//! Versions and constraints as Masterminds/semver 3.5 (the Go library under Flux and Helm) reads them, Flux's
//! choice of a tag, and Go durations.
//!
//! [`Version`] and [`Constraint`] agree with the Go library on what parses, what matches and how it prints;
//! that differs from npm's and Cargo's rules for pre-releases, partial versions and leading zeros.
//! [`tags::latest`] is the rule by which Flux picks a tag from a list. [`duration::Duration`] is what
//! Kubernetes objects hold as `metav1.Duration`.
//!
//! It does not read tags from anywhere, and does no calendar arithmetic.
//!
//! ```
//! use weir_semver::{Constraint, Version, tags};
//!
//! let constraint: Constraint = ">=1.0 <2.0".parse()?;
//! assert!(constraint.matches(&"v1.4".parse::<Version>()?));
//!
//! let all = ["latest", "1.9.0", "1.10.0", "2.0.0", "1.11.0-rc.1"];
//! assert_eq!(tags::latest(all, &constraint), Some("1.10.0"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod constraint;
mod version;

pub mod duration;
pub mod tags;

pub use constraint::{Constraint, ConstraintError, MAX_CONSTRAINT_BYTES, MAX_CONSTRAINT_GROUPS, Mismatch};
pub use version::{MAX_VERSION_BYTES, Version, VersionError};
