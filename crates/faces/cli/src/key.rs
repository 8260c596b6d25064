//! `weir key`.

mod generate;
mod public;

use clap::{Args, Subcommand};

use crate::global::Context;
use crate::run::Result;

const EXAMPLES: &str = "\
Examples:
  COSIGN_PASSWORD=... weir key generate
  COSIGN_PASSWORD=... weir key public cosign.key";

/// Make keys to sign with
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct Key {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Generate(generate::Generate),
    Public(public::Public),
}

impl Key {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        match self.command {
            Command::Generate(command) => command.run(cx),
            Command::Public(command) => command.run(cx).await,
        }
    }
}
