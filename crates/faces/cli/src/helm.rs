//! `weir helm`.

mod flags;
mod package;
mod show;
mod source;
mod template;

use clap::{Args, Subcommand};

pub(crate) use source::Tgz;

use crate::global::Context;
use crate::run::Result;

const EXAMPLES: &str = "\
Examples:
  weir helm template web ./charts/web -f production.yaml
  weir helm show values ./web-1.2.3.tgz";

/// Render charts and look into them, byte for byte as Helm does
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct Helm {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Package(package::Package),
    Show(show::Show),
    Template(Box<template::Template>),
}

impl Helm {
    #[expect(clippy::unused_async, reason = "charts will come from registries too")]
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        match self.command {
            Command::Package(command) => command.run(cx),
            Command::Show(command) => command.run(cx),
            Command::Template(command) => command.run(cx),
        }
    }
}
