//! Printing as the Go tools print.
//!
//! Both printers descend from libyaml's emitter and share its writer; they differ in the choice of
//! quotes, in folding at 80 columns, and in comments.

mod kyaml;
mod scalar;
mod sigs;
mod writer;

pub use kyaml::{SequenceIndent, document, kyaml, kyaml_with};
pub use scalar::string_style;
pub use sigs::{sigs, sigs_by_bytes, sigs_stream};
