//! `weir kustomize build` against kustomize v5.8.1.

mod compare;
mod coverage;
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

/// A generated tree's files, rooted.
pub(crate) fn generated_files(dice: &mut crate::dice::Dice) -> Vec<(String, Vec<u8>)> {
    let files = directory::tree(dice).files;
    files
        .into_iter()
        .map(|(path, content)| (format!("/{path}"), content))
        .collect()
}
