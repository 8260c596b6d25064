//! `weir kustomize`.

mod build;
mod charts;
mod ignored;
mod lint;
mod open;
mod place;

use clap::{Args, Subcommand};

use crate::global::Context;
use crate::run::Result;

const EXAMPLES: &str = "\
Examples:
  weir kustomize build clusters/production
  weir kustomize lint clusters/production";

/// Build kustomizations, byte for byte as kustomize does, and check them
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct Kustomize {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Build(build::Build),
    Lint(lint::Lint),
}

impl Kustomize {
    pub(crate) fn run(self, cx: &mut Context<'_>) -> Result {
        match self.command {
            Command::Build(command) => command.run(cx),
            Command::Lint(command) => command.run(cx),
        }
    }
}
