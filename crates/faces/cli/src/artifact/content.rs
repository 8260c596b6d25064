//! What goes into an artifact: a folder, a file, or standard input.

use std::path::{Path, PathBuf};

use clap::Args;
use weir_store::Tree;
use weir_store::archive::{Form, Links, Packed, pack_path, pack_tree};
use weir_store::ignore::IgnoreRules;

use crate::global::Context;
use crate::{CommandError, Kind, run::Result};

/// What standard input is called in an artifact. A fixed name, so that the same text gives the same digest.
const STDIN_NAME: &str = "stdin.yaml";

/// `--path` and what of it to leave out.
#[derive(Debug, Args)]
pub(crate) struct Content {
    /// Folder or file to pack; `-` reads YAML from standard input
    #[arg(short, long, value_name = "PATH", default_value = ".")]
    path: PathBuf,
    #[command(flatten)]
    selection: Selection,
}

/// What of a folder to leave out.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// Patterns to leave out, as in .gitignore, instead of the usual ones (version control, archives, images)
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    ignore_paths: Vec<String>,
    /// Patterns to leave out besides the usual ones
    #[arg(
        long,
        value_name = "PATTERN",
        value_delimiter = ',',
        conflicts_with = "ignore_paths"
    )]
    add_ignore_paths: Vec<String>,
    /// Pack what symbolic links lead to; otherwise links are left out
    #[arg(long)]
    resolve_symlinks: bool,
}

impl Content {
    /// Packs it as `flux push artifact` does.
    pub(crate) fn pack(&self, cx: &mut Context<'_>) -> Result<Packed> {
        self.selection.pack(&self.path, cx)
    }

    /// The path, for messages.
    pub(crate) fn name(&self) -> String {
        name(&self.path)
    }
}

impl Selection {
    /// Packs what `path` leads to as `flux push artifact` does.
    pub(crate) fn pack(&self, path: &Path, cx: &mut Context<'_>) -> Result<Packed> {
        if path == Path::new("-") {
            let mut bytes = cx
                .io
                .read_stdin()
                .map_err(|error| CommandError::caused(Kind::Outside, "cannot read standard input", &error))?;
            while bytes.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
                bytes.pop();
            }
            if bytes.is_empty() {
                return Err(CommandError::user("there is nothing on standard input"));
            }
            let mut tree = Tree::default();
            tree.insert(STDIN_NAME, bytes)
                .map_err(|error| CommandError::of(Kind::Internal, &error))?;
            return pack_tree(&tree, Form::Push).map_err(|error| CommandError::of(Kind::Internal, &error));
        }
        let rules = if self.ignore_paths.is_empty() {
            IgnoreRules::for_push(&self.add_ignore_paths.join("\n"))
        } else {
            IgnoreRules::parse(&self.ignore_paths.join("\n"))
        };
        let links = if self.resolve_symlinks {
            Links::Follow
        } else {
            Links::Skip
        };
        pack_path(path, &rules, links, Form::Push).map_err(|error| {
            CommandError::caused(Kind::User, format!("cannot pack {}", path.display()), &error)
        })
    }
}

/// The path, for messages.
pub(crate) fn name(path: &Path) -> String {
    if path == Path::new("-") {
        "standard input".into()
    } else {
        path.display().to_string()
    }
}
