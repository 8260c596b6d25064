//! `weir helm`.

mod dependency;
mod flags;
mod lint;
mod location;
mod package;
mod pull;
mod push;
mod show;
mod source;
mod template;

use clap::{Args, Subcommand};

pub(crate) use source::Tgz;

use crate::CommandError;
use crate::global::Context;
use crate::run::Result;

const EXAMPLES: &str = "\
Examples:
  weir helm template web ./charts/web -f production.yaml
  weir helm lint ./charts/web --strict
  weir helm show values ./web-1.2.3.tgz";

/// Render charts, lint them, look into them, fetch and publish them, byte for byte as Helm does
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct Helm {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(visible_alias = "dep", alias = "dependencies")]
    Dependency(dependency::Dependency),
    Lint(lint::Lint),
    Package(package::Package),
    #[command(alias = "fetch")]
    Pull(pull::Pull),
    Push(push::Push),
    Show(show::Show),
    Template(Box<template::Template>),
}

/// Why `--verify` is refused, and what to do instead.
fn no_provenance() -> CommandError {
    CommandError::usage("`--verify` is refused: provenance files (.prov, signed with OpenPGP) are not checked")
        .hint("a chart in a registry may have cosign's signatures: weir verify oci://REGISTRY/CHART:VERSION --key cosign.pub")
        .hint("to check a provenance file, fetch it with `weir helm pull --prov` and run `helm verify` or gpg")
}

impl Helm {
    /// The word of the command that people wait for.
    pub(crate) const TEMPLATE: &str = "template";

    /// Adds that command alone to one called `helm`.
    pub(crate) fn with_template(helm: clap::Command) -> clap::Command {
        let template = clap::Command::new(Self::TEMPLATE);
        helm.subcommand(template::Template::augment_args(template))
    }

    /// Runs a command that waits for nobody. Others come back.
    pub(crate) fn run_alone(self, cx: &mut Context<'_>) -> std::result::Result<Result, Box<Self>> {
        match self.command {
            Command::Template(command) if command.is_alone() => Ok(command.run_alone(cx)),
            command => Err(Box::new(Self { command })),
        }
    }

    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        match self.command {
            Command::Dependency(command) => command.run(cx).await,
            Command::Lint(command) => command.run(cx),
            Command::Package(command) => command.run(cx),
            Command::Pull(command) => command.run(cx).await,
            Command::Push(command) => command.run(cx).await,
            Command::Show(command) => command.run(cx).await,
            Command::Template(command) => command.run(cx).await,
        }
    }
}
