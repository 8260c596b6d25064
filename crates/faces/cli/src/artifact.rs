//! `weir artifact`.

mod build;
pub(crate) mod content;
mod diff;
mod inspect;
mod list;
pub(crate) mod pull;
pub(crate) mod push;
mod tag;

use clap::{Args, Subcommand};

use crate::global::Context;
use crate::run::Result;

const EXAMPLES: &str = "\
Examples:
  weir artifact push oci://ghcr.io/org/apps:latest --path . --source URL --revision main@sha1:abc
  weir artifact inspect oci://ghcr.io/org/apps:latest
  weir artifact diff oci://ghcr.io/org/apps:latest --path .";

/// Work with artifacts in Flux's format
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct Artifact {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Build(build::Build),
    Push(push::Push),
    Pull(pull::Pull),
    List(list::List),
    Tag(tag::Tag),
    Diff(diff::Diff),
    Inspect(inspect::Inspect),
}

impl Artifact {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        match self.command {
            Command::Build(command) => command.run(cx),
            Command::Push(command) => command.run(cx).await,
            Command::Pull(command) => command.run(cx).await,
            Command::List(command) => command.run(cx).await,
            Command::Tag(command) => command.run(cx).await,
            Command::Diff(command) => command.run(cx).await,
            Command::Inspect(command) => command.run(cx).await,
        }
    }
}
