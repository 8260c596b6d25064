//! `weir key`.

mod generate;

use clap::{Args, Subcommand};

use crate::global::Context;
use crate::run::Result;

const EXAMPLES: &str = "\
Examples:
  COSIGN_PASSWORD=... weir key generate";

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
}

impl Key {
    pub(crate) fn run(self, cx: &mut Context<'_>) -> Result {
        match self.command {
            Command::Generate(command) => command.run(cx),
        }
    }
}
