//! `weir completion SHELL`.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::global::Context;
use crate::{Exit, run::Result};

const EXAMPLES: &str = "\
Examples:
  weir completion bash > /etc/bash_completion.d/weir
  weir completion zsh > \"${fpath[1]}/_weir\"
  weir completion fish > ~/.config/fish/completions/weir.fish";

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Completion {
    /// Which shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

impl Completion {
    pub(crate) fn run(self, cx: &mut Context<'_>) -> Result {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "weir", &mut script);
        cx.io.print(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Success)
    }
}
