//! `weir registry`.

mod serve;

use clap::{Args, Subcommand};

use crate::global::Context;
use crate::run::Result;

const EXAMPLES: &str = "\
Examples:
  weir registry serve";

/// Run the registry that is built in
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct Registry {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
}

impl Registry {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        match self.command {
            Command::Serve(command) => command.run(cx).await,
        }
    }
}
