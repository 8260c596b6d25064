//! The list of commands.

use std::ffi::OsString;

use clap::{Args as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use crate::global::{Context, Global};
use crate::helm::Helm;
use crate::kustomize::Kustomize;
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
    /// Reads arguments that begin with a command which is done sooner than the options of all commands are set up.
    /// Nothing where they do not, or where there is something to say about them.
    pub(crate) fn quick(args: &[OsString]) -> Option<Self> {
        const KUSTOMIZE: &str = "kustomize";
        const HELM: &str = "helm";
        let begin = args.get(1)?;
        let subcommand = if begin == KUSTOMIZE {
            Kustomize::augment_args(clap::Command::new(KUSTOMIZE))
        } else if begin == HELM && args.get(2)? == Helm::TEMPLATE {
            Helm::with_template(clap::Command::new(HELM))
        } else {
            return None;
        };
        let command = Global::augment_args(clap::Command::new("weir"))
            .disable_help_subcommand(true)
            .subcommand(subcommand);
        let mut matches = command.try_get_matches_from(args).ok()?;
        Self::from_arg_matches_mut(&mut matches).ok()
    }

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

/// What is logged from a level on, as directives of tracing's filter. The client of API servers logs refusals as they come, and
/// they quote values, those of Secrets too: what it has to say below `info` is left out.
pub fn log_filter(level: &str) -> String {
    match level {
        "debug" | "trace" => format!("{level},kube_client=info"),
        _ => level.to_owned(),
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
    Attest(crate::attest::Attest),
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
    Kustomize(Kustomize),
    Logs(crate::logs::Logs),
    Posture(crate::posture::Posture),
    Promote(crate::promote::Promote),
    Publish(Box<crate::publish::Publish>),
    Reconcile(crate::reconcile::Reconcile),
    Registry(crate::registry::Registry),
    Resume(crate::suspend::Resume),
    Rollback(crate::rollback::Rollback),
    Sign(crate::sign::Sign),
    Suspend(crate::suspend::Suspend),
    Trace(crate::trace::Trace),
    Tree(crate::tree::Tree),
    Trust(crate::trust::Trust),
    Uninstall(crate::uninstall::Uninstall),
    Verify(crate::verify::Verify),
    Wait(crate::wait::Wait),
}

impl Command {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        match self {
            Self::Artifact(command) => command.run(cx).await,
            Self::Attest(command) => command.run(cx).await,
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
            Self::Key(command) => command.run(cx).await,
            Self::Kustomize(command) => command.run(cx),
            Self::Logs(command) => command.run(cx).await,
            Self::Posture(command) => command.run(cx).await,
            Self::Promote(command) => command.run(cx).await,
            Self::Publish(command) => command.run(cx).await,
            Self::Reconcile(command) => command.run(cx).await,
            Self::Registry(command) => command.run(cx).await,
            Self::Resume(command) => command.run(cx).await,
            Self::Rollback(command) => command.run(cx).await,
            Self::Sign(command) => command.run(cx).await,
            Self::Suspend(command) => command.run(cx).await,
            Self::Trace(command) => command.run(cx).await,
            Self::Tree(command) => command.run(cx).await,
            Self::Trust(command) => command.run(cx).await,
            Self::Uninstall(command) => command.run(cx).await,
            Self::Verify(command) => command.run(cx).await,
            Self::Wait(command) => command.run(cx).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn what_is_read_quickly_is_what_is_read_with_all_commands() {
        for line in [
            "weir kustomize build",
            "weir kustomize build a -o b --enable-helm --helm-api-versions v1 --helm-api-versions v2",
            "weir kustomize build a --network -e A=1 --mount x -vv --namespace n --timeout 1m",
            "weir kustomize --kubeconfig k lint -- -a",
            "weir helm template chart",
            "weir helm template web ./chart -f a,b --set c=d -n e --kube-version 1.33 -a v1,v2 --include-crds -vv",
            "weir helm template oci://r/c --version 1 --username u --password p --set-json a=1 --dry-run=client",
        ] {
            let quick = Cli::quick(&words(line)).expect(line);
            let whole = Cli::try_parse_from(words(line)).expect(line);
            assert_eq!(format!("{quick:?}"), format!("{whole:?}"), "{line}");
        }
    }

    #[test]
    fn whatever_there_is_something_to_say_about_is_read_with_all_commands() {
        for line in [
            "weir",
            "weir --verbose kustomize build",
            "weir kustomize",
            "weir kustomize help",
            "weir kustomize --help",
            "weir kustomize build --version",
            "weir kustomize build --no-such-option",
            "weir helm",
            "weir helm template",
            "weir helm template --help",
            "weir helm template a b c",
            "weir helm lint chart",
            "weir helm --verbose template chart",
            "weir kustomize biuld",
            "weir explain Succeeded",
        ] {
            assert!(Cli::quick(&words(line)).is_none(), "{line}");
        }
    }
}
