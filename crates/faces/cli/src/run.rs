//! From arguments to an exit code.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{ColorChoice, CommandFactory as _, FromArgMatches as _};

use crate::cli::{Cli, Command};
use crate::global::Context;
use crate::{CommandError, Io};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It did what was asked: 0.
    Success,
    /// It failed, or the answer is no: 1.
    Failure,
    /// It was called wrongly: 2.
    Usage,
}

impl Exit {
    /// The number that the shell sees.
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Usage => 2,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// What every command returns.
pub(crate) type Result<T = Exit> = std::result::Result<T, CommandError>;

/// Reads the arguments, the program's name first. Help, versions and mistakes are printed here; the exit code
/// then is the error.
pub fn parse<I, A>(args: I, io: &mut Io) -> std::result::Result<Cli, Exit>
where
    I: IntoIterator<Item = A>,
    A: Into<OsString> + Clone,
{
    let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
    if let Some(cli) = Cli::quick(&args) {
        return Ok(cli);
    }
    let colour = if io.stdout_is_terminal() && io.stderr_is_terminal() && io.env("NO_COLOR").is_none() {
        ColorChoice::Always
    } else {
        ColorChoice::Never
    };
    let parsed = Cli::command()
        .color(colour)
        .try_get_matches_from(args)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    parsed.map_err(|error| {
        let text = if colour == ColorChoice::Always {
            error.render().ansi().to_string()
        } else {
            error.render().to_string()
        };
        if error.use_stderr() {
            io.talk_in_colour(text.trim_end());
            return Exit::Usage;
        }
        // A closed pipe after `--help | head` is nobody's failure.
        let _printed = io.print(&text);
        match error.kind() {
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Exit::Usage,
            _ => Exit::Success,
        }
    })
}

/// Runs a command that waits for nobody and makes no connection: it needs neither a runtime nor logs. Others come back.
pub fn execute_alone(cli: Cli, io: &mut Io) -> std::result::Result<Exit, Box<Cli>> {
    let Cli { global, command } = cli;
    let mut context = Context { io, global };
    let result = match command {
        Command::Kustomize(command) => command.run(&mut context),
        Command::Helm(command) => match command.run_alone(&mut context) {
            Ok(result) => result,
            Err(command) => {
                let (global, command) = (context.global, Command::Helm(*command));
                return Err(Box::new(Cli { global, command }));
            }
        },
        command => {
            let global = context.global;
            return Err(Box::new(Cli { global, command }));
        }
    };
    Ok(finish(result, io))
}

/// Runs a command and prints its error, if there is one.
pub async fn execute(cli: Cli, io: &mut Io) -> Exit {
    let Cli { global, command } = cli;
    let mut context = Context { io, global };
    let result = Box::pin(command.run(&mut context)).await;
    finish(result, io)
}

fn finish(result: Result, io: &mut Io) -> Exit {
    let result = result.and_then(|exit| io.flush().map(|()| exit));
    match result {
        Ok(exit) => exit,
        Err(error) => {
            error.print(io);
            error.exit()
        }
    }
}

/// [`parse`], then [`execute`].
pub async fn run<I, A>(args: I, io: &mut Io) -> Exit
where
    I: IntoIterator<Item = A>,
    A: Into<OsString> + Clone,
{
    match parse(args, io) {
        Ok(cli) => execute(cli, io).await,
        Err(exit) => exit,
    }
}
