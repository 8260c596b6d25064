//! `weir artifact build`.

use std::path::PathBuf;

use clap::Args;

use super::content::Content;
use crate::global::Context;
use crate::{CommandError, Exit, run::Result};

const EXAMPLES: &str = "\
Examples:
  weir artifact build --path ./manifests --output artifact.tgz
  weir kustomize build clusters/production | weir artifact build -p - -o artifact.tgz";

/// Pack a folder as an artifact's content, without pushing it
///
/// The same content gives the same bytes on any machine. Prints the digest of the file.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Build {
    #[command(flatten)]
    content: Content,
    /// File to write
    #[arg(short, long, value_name = "FILE", default_value = "artifact.tgz")]
    output: PathBuf,
}

impl Build {
    pub(crate) fn run(self, cx: &mut Context<'_>) -> Result {
        let packed = self.content.pack(cx)?;
        std::fs::write(&self.output, &packed.bytes)
            .map_err(|error| CommandError::file("write", &self.output, &error))?;
        cx.io.talk(&format!(
            "wrote {} with {} bytes",
            self.output.display(),
            packed.summary.size
        ));
        cx.io.line(&packed.summary.digest.to_string())?;
        Ok(Exit::Success)
    }
}
