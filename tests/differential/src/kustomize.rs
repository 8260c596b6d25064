//! `weir kustomize build` against kustomize v5.8.1.

mod compare;
mod directory;
mod faults;
mod generators;
mod objects;
mod patches;
mod plugins;
mod replacements;
mod run;
mod shrink;
mod tree;

pub(crate) use run::{Arguments, run};
