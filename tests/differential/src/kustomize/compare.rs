//! One tree, built by both.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use weir_kustomize::build;

use super::tree::Tree;

/// Where trees lie as messages say it.
const FOLDER: &str = "/tree";

/// How a comparison ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The same output.
    Same,
    /// Both failed; the messages.
    BothFail { theirs: String, ours: String },
    /// kustomize fell over, so that nobody knows what it wanted.
    Crashed,
    /// Different on purpose.
    Explained,
    /// kustomize could not read what it had printed itself.
    Misprinted,
    /// Different.
    Differ { theirs: Answer, ours: Answer },
}

/// Output or message.
pub(crate) type Answer = Result<String, String>;

/// Runs kustomize on a tree that lies in a folder.
pub(crate) fn reference(program: &Path, folder: &Path, tree: &Tree) -> Result<Answer> {
    let output = Command::new(program)
        .args(tree.arguments())
        .current_dir(folder)
        // Nothing may be fetched, whatever a path looks like.
        .env("PATH", "/nonexistent")
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(if output.status.success() {
        Ok(text(output.stdout))
    } else {
        // The folder has a name of chance, in which a mention may be found that is none.
        Err(text(output.stderr).replace(&*folder.to_string_lossy(), FOLDER))
    })
}

/// Builds a tree with the engine.
pub(crate) fn ours(tree: &Tree) -> Answer {
    let files = tree.memory(FOLDER);
    let directory = format!("{FOLDER}/{}", tree.target);
    let options = tree.options();
    let built = catch_unwind(AssertUnwindSafe(|| {
        build(&files, &directory, &options)
            .map(|resources| resources.to_yaml())
            .map_err(|error| error.chain())
    }));
    built.unwrap_or_else(|_| Err("PANIC".into()))
}

/// Builds a tree with both.
pub(crate) fn compare(program: &Path, tree: &Tree) -> Result<Outcome> {
    let folder = tempfile::tempdir().context("no temporary folder")?;
    tree.write(folder.path())?;
    let theirs = reference(program, folder.path(), tree)?;
    Ok(judge(tree, theirs, ours(tree)))
}

fn judge(tree: &Tree, theirs: Answer, ours: Answer) -> Outcome {
    let crashed = |message: &String| message.contains("panic: ") && message.contains("goroutine 1 [");
    match (theirs, ours) {
        (Err(theirs), ours) if crashed(&theirs) && ours != Err("PANIC".into()) => Outcome::Crashed,
        (Ok(theirs), Ok(ours)) if theirs == ours => Outcome::Same,
        (Err(theirs), Err(ours)) if ours != "PANIC" => {
            if let Some(mention) = &tree.mention
                && theirs.contains(mention.as_str())
                && !ours.contains(mention.as_str())
                && !names_a_repeated_key(&ours)
            {
                let (theirs, ours) = (Err(theirs), Err(ours));
                return Outcome::Differ { theirs, ours };
            }
            Outcome::BothFail { theirs, ours }
        }
        (Ok(_), Err(ours)) if is_refused_on_purpose(&ours) => Outcome::Explained,
        (Err(theirs), Ok(_)) if stumbles_over_itself(&theirs, tree) => Outcome::Misprinted,
        (theirs, ours) => Outcome::Differ { theirs, ours },
    }
}

/// Repeated keys are refused where they are read; kustomize meets them when it makes a map of the object, and if the tree
/// has another fault, often that one first.
fn names_a_repeated_key(ours: &str) -> bool {
    ours.contains("already defined at line")
}

/// kustomize prints each object and reads what it printed. With a comment of a patch within a collection in flow style it
/// prints a mapping where a key should be, and refuses that. A tree that has such a key itself is refused here, too.
fn stumbles_over_itself(theirs: &str, tree: &Tree) -> bool {
    let has = |character| tree.files.values().any(|content| content.contains(&character));
    theirs.contains("yaml: invalid map key: map[") && has(b'#') && has(b'{')
}

/// What weir refuses although kustomize builds it.
fn is_refused_on_purpose(ours: &str) -> bool {
    // kustomize notes things in `metadata.annotations`, and writes the field anew when it does: if the field is there
    // twice, one of them is lost on the way, before anything looks for repeated keys. Which annotations are left depends
    // on how many notes there were. Here it is the mistake that every other repeated key is.
    ours.contains("mapping key \"annotations\" already defined at line")
}
