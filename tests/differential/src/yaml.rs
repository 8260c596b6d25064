//! The YAML layer against the Go libraries: what they read of generated texts, and how they write it.

mod answers;
mod compare;
mod run;
mod shrink;
mod suite;
mod texts;

pub(crate) use run::{Arguments, run};
