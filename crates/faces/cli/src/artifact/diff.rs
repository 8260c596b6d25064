//! `weir artifact diff`.

use clap::Args;
use weir_oci::Reference;
use weir_store::archive;
use weir_store::extract::{Symlinks, tree};
use weir_store::{Limits, Tree};

use super::content::Content;
use super::pull::{LARGEST, fetch};
use crate::global::Context;
use crate::remote::{Remote, read_reference};
use crate::{CommandError, Exit, Kind, run::Result};

const EXAMPLES: &str = "\
Examples:
  weir artifact diff oci://ghcr.io/org/apps:latest --path ./deploy
  weir artifact diff localhost:5050/apps -p . || weir artifact push localhost:5050/apps -p . ...";

/// Compare a folder with an artifact in a registry
///
/// Exit code 0 when the content is the same, 1 when it differs or can't be compared. Who compressed it does not
/// matter. The files that differ are printed: `+` only here, `-` only there, `~` in both.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Diff {
    /// The artifact: oci://HOST/REPOSITORY[:TAG][@DIGEST]
    #[arg(value_name = "REFERENCE", value_parser = read_reference)]
    reference: Reference,
    #[command(flatten)]
    content: Content,
    #[command(flatten)]
    remote: Remote,
}

impl Diff {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        let client = self.remote.client(cx, self.reference.repository())?;
        let packed = self.content.pack(cx)?;
        let (_, pulled) = fetch(cx, &client, &self.reference).await?;
        // Equal bytes, or an equal tar below another compressor's bytes.
        let same = pulled.layer.digest == packed.summary.digest
            || archive::diff_id(pulled.content.as_ref(), LARGEST).ok() == Some(packed.summary.diff_id);
        if same {
            cx.io.talk(&format!(
                "{} has the content of {}",
                self.reference,
                self.content.name()
            ));
            return Ok(Exit::Success);
        }
        let read = |bytes: &[u8], what: &str| {
            tree(bytes, &Limits::default(), Symlinks::Drop).map_err(|error| {
                CommandError::caused(Kind::Rejected, format!("cannot unpack {what}"), &error)
            })
        };
        let there = read(&pulled.content, &self.reference.to_string())?;
        let here = read(&packed.bytes, &self.content.name())?;
        let lines = compare(&here, &there);
        for line in &lines {
            cx.io.line(line)?;
        }
        let why = if lines.is_empty() {
            "modes or folders differ, no file does".to_owned()
        } else {
            format!("{} files differ", lines.len())
        };
        cx.io.talk(&format!(
            "{} and {} are not the same: {why}",
            self.reference,
            self.content.name()
        ));
        Ok(Exit::Failure)
    }
}

fn compare(here: &Tree, there: &Tree) -> Vec<String> {
    let mut lines: Vec<(String, char)> = Vec::new();
    for (path, entry) in here.files() {
        match there.get(path) {
            None => lines.push((path.to_owned(), '+')),
            Some(other) if other != entry => lines.push((path.to_owned(), '~')),
            Some(_) => {}
        }
    }
    lines.extend(
        there
            .files()
            .filter(|(path, _)| here.get(path).is_none())
            .map(|(path, _)| (path.to_owned(), '-')),
    );
    lines.sort();
    lines
        .into_iter()
        .map(|(path, sign)| format!("{sign} {path}"))
        .collect()
}
