//! `weir helm dependency`.

mod build;
mod fetch;
mod list;
mod repositories;
mod resolve;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::location::Asking;
use crate::global::Context;
use crate::run::Result;

const EXAMPLES: &str = "\
Examples:
  weir helm dependency list ./charts/web
  weir helm dependency update ./charts/web
  weir helm dependency build ./charts/web";

/// See and fetch the charts that a chart needs
///
/// Repositories come from Chart.yaml: https://…, oci://…, file://…, or @NAME of Helm's repositories.yaml, whose credentials
/// are used.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub(super) struct Dependency {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Fetch the charts that Chart.lock names into charts/
    #[command(after_help = "Examples:\n  weir helm dependency build ./charts/web")]
    Build(Fetching),
    /// List the charts that a chart needs, and whether they are there
    #[command(
        visible_alias = "ls",
        after_help = "Examples:\n  weir helm dependency list ./charts/web"
    )]
    List(list::List),
    /// Fetch the newest charts that Chart.yaml allows into charts/, and write Chart.lock
    #[command(
        visible_alias = "up",
        after_help = "Examples:\n  weir helm dependency update ./charts/web"
    )]
    Update(Fetching),
}

/// Options of what fetches.
#[derive(Debug, Args)]
struct Fetching {
    /// Folder of the chart
    #[arg(value_name = "CHART", default_value = ".")]
    chart: PathBuf,
    #[command(flatten)]
    asking: Asking,
    /// Say nothing about the indexes that are read; there is no cache of them to rely on
    #[arg(long)]
    skip_refresh: bool,
    #[arg(long, hide = true)]
    verify: bool,
    #[arg(long, hide = true, value_name = "FILE")]
    keyring: Option<PathBuf>,
}

impl Dependency {
    pub(super) async fn run(self, cx: &mut Context<'_>) -> Result {
        let (fetching, is_update) = match self.command {
            Command::List(command) => return command.run(cx),
            Command::Build(fetching) => (fetching, false),
            Command::Update(fetching) => (fetching, true),
        };
        if fetching.verify {
            return Err(super::no_provenance());
        }
        build::run(cx, &fetching, is_update).await
    }
}
