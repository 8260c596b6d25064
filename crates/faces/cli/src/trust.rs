//! `weir trust`, and how other commands read trust roots and say whom they name.

mod create;
mod evidence;
mod show;
mod update;

use std::path::Path;

use clap::{Args, Subcommand};
use weir_verify::TrustRoot;

use crate::global::Context;
use crate::{CommandError, Kind, run::Result};

pub(crate) use evidence::{by, put_evidence};

const EXAMPLES: &str = "\
Examples:
  weir trust update
  weir trust show
  weir trust create --fulcio url=https://fulcio.example,certificate-chain=fulcio.pem ...";

/// Bring trust roots up to date, see what they hold, and make your own
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct Trust {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Create(Box<create::Create>),
    Show(show::Show),
    Update(update::Update),
}

impl Trust {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        match self.command {
            Command::Create(command) => command.run(cx),
            Command::Show(command) => command.run(cx),
            Command::Update(command) => command.run(cx).await,
        }
    }
}

/// Reads a trust root, Sigstore's JSON.
pub(crate) fn read_root(path: &Path) -> Result<TrustRoot> {
    let json =
        std::fs::read(path).map_err(|error| CommandError::file("read the trust root", path, &error))?;
    TrustRoot::from_json(&json).map_err(|error| {
        CommandError::caused(
            Kind::User,
            format!("cannot use the trust root {}", path.display()),
            &error,
        )
    })
}
