//! `weir artifact diff`.

use clap::Args;
use serde_json::json;
use weir_oci::Reference;
use weir_store::archive;
use weir_store::extract::{Symlinks, tree};
use weir_store::{Limits, Tree};

use super::content::Content;
use super::pull::{LARGEST, fetch};
use crate::global::Context;
use crate::output::{Shape, print_value};
use crate::remote::{Remote, read_reference};
use crate::{CommandError, Exit, Kind, run::Result};

const EXAMPLES: &str = "\
Examples:
  weir artifact diff oci://ghcr.io/org/apps:latest --path ./deploy
  weir artifact diff oci://ghcr.io/org/apps:latest --path ./deploy --output json
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
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t)]
    output: Shape,
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
            if self.output != Shape::Text {
                let value = json!({"same": true, "files": []});
                print_value(cx.io, &value, self.output == Shape::Yaml)?;
            }
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
        if self.output == Shape::Text {
            for (path, sign) in &lines {
                cx.io.line(&format!("{sign} {path}"))?;
            }
        } else {
            let word = |sign: char| match sign {
                '+' => "only here",
                '-' => "only there",
                _ => "differs",
            };
            let files = lines
                .iter()
                .map(|(path, sign)| json!({"path": path, "how": word(*sign)}));
            let value = json!({"same": false, "files": files.collect::<Vec<_>>()});
            print_value(cx.io, &value, self.output == Shape::Yaml)?;
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

/// Files that differ, by path, with the sign for how.
fn compare(here: &Tree, there: &Tree) -> Vec<(String, char)> {
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
}
