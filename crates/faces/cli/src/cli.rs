//! The list of commands.

use clap::{Parser, Subcommand, ValueEnum};

use crate::global::{Context, Global};
use crate::run::Result;

/// GitOps without Git: signed artifacts in, a cluster in the state they describe out.
///
/// Configuration travels as signed OCI artifacts, and nothing reaches a cluster that a policy did not let
/// through. weir speaks Flux's APIs and artifact format unchanged.
#[derive(Debug, Parser)]
#[command(
    name = "weir",
    bin_name = "weir",
    max_term_width = 100,
    version,
    propagate_version = false,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = EXAMPLES
)]
pub struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  weir demo
  weir kustomize build clusters/production
  weir get all
  weir explain HealthCheckFailed

Exit codes: 0 fine, 1 a failure or a negative answer, 2 wrong usage.
`-h` shows the options of a command, `--help` also those of every command.";

impl Cli {
    /// From which level on to log, and how: what the controllers do is logged unless they are told otherwise, of a
    /// command only warnings; `--verbose` adds to either.
    pub fn log(&self) -> (&'static str, LogEncoding) {
        let (level, encoding) = match &self.command {
            Command::Controller(controller) => controller.log(),
            _ => (1, LogEncoding::Text),
        };
        let level = match level + self.global.verbose {
            0 => "error",
            1 => "warn",
            2 => "info",
            3 => "debug",
            _ => "trace",
        };
        (level, encoding)
    }
}

/// How a log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogEncoding {
    /// Lines for people
    Text,
    /// One JSON object a line, as Flux's controllers log
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Artifact(crate::artifact::Artifact),
    Check(crate::check::Check),
    Completion(crate::completion::Completion),
    Controller(crate::controller::Controller),
    Demo(crate::demo::Demo),
    Events(crate::events::Events),
    Explain(crate::explain::Explain),
    Export(crate::export::Export),
    Get(crate::get::Get),
    Helm(crate::helm::Helm),
    Install(crate::install::Install),
    Key(crate::key::Key),
    Kustomize(crate::kustomize::Kustomize),
    Logs(crate::logs::Logs),
    Reconcile(crate::reconcile::Reconcile),
    Registry(crate::registry::Registry),
    Resume(crate::suspend::Resume),
    Sign(crate::sign::Sign),
    Suspend(crate::suspend::Suspend),
    Trace(crate::trace::Trace),
    Tree(crate::tree::Tree),
    Uninstall(crate::uninstall::Uninstall),
    Verify(crate::verify::Verify),
    Wait(crate::wait::Wait),
}

impl Command {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        match self {
            Self::Artifact(command) => command.run(cx).await,
            Self::Check(command) => command.run(cx).await,
            Self::Completion(command) => command.run(cx),
            Self::Controller(command) => command.run(cx).await,
            Self::Demo(command) => command.run(cx).await,
            Self::Events(command) => command.run(cx).await,
            Self::Explain(command) => command.run(cx),
            Self::Export(command) => command.run(cx).await,
            Self::Get(command) => command.run(cx).await,
            Self::Helm(command) => command.run(cx).await,
            Self::Install(command) => command.run(cx).await,
            Self::Key(command) => command.run(cx),
            Self::Kustomize(command) => command.run(cx),
            Self::Logs(command) => command.run(cx).await,
            Self::Reconcile(command) => command.run(cx).await,
            Self::Registry(command) => command.run(cx).await,
            Self::Resume(command) => command.run(cx).await,
            Self::Sign(command) => command.run(cx).await,
            Self::Suspend(command) => command.run(cx).await,
            Self::Trace(command) => command.run(cx).await,
            Self::Tree(command) => command.run(cx).await,
            Self::Uninstall(command) => command.run(cx).await,
            Self::Verify(command) => command.run(cx).await,
            Self::Wait(command) => command.run(cx).await,
        }
    }
}
