//! The one error type at the edge: whose fault, where, why, and what to try.

use std::error::Error;
use std::fmt::Write as _;
use std::io;

use weir_cluster::ApiError;
use weir_cluster::connect::ConnectError;

use crate::io::visible;
use crate::{Exit, Io};

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What was given or asked for is wrong: a file, a name, a reference.
    User,
    /// Settings of this machine: kubeconfig, Docker configuration, environment.
    Config,
    /// Arguments that do not go together.
    Usage,
    /// A check said no: a signature, a policy, a registry or a cluster that refuses.
    Rejected,
    /// The outside world failed: network, time-out, disk.
    Outside,
    /// A bug in weir.
    Internal,
    /// Nobody reads the output any more; no failure.
    BrokenPipe,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    file: String,
    /// 1-based; 0 where the place is the file as a whole.
    line: usize,
    /// 1-based, in characters.
    column: usize,
    /// The line itself.
    text: Option<String>,
}

impl Place {
    /// A place; `content` is the file's, to show the line. Line 0 stands for the file as a whole.
    pub(crate) fn new(file: &str, line: usize, column: usize, content: Option<&str>) -> Self {
        let text = content.and_then(|content| content.lines().nth(line.checked_sub(1)?));
        Self {
            file: file.into(),
            line,
            column,
            text: text.map(str::to_owned),
        }
    }

    /// An arrow to it, and the line with a mark below the column.
    pub(crate) fn render(&self, colour: bool) -> String {
        let mut out = String::new();
        let arrow = paint(colour, "1;34", "-->");
        // Writing to a String can't fail.
        let _written = match self.line {
            0 => writeln!(out, "  {arrow} {}", self.file),
            line => writeln!(out, "  {arrow} {}:{line}:{}", self.file, self.column.max(1)),
        };
        if let Some(text) = self.text.as_deref().map(visible) {
            let number = self.line.to_string();
            let bar = paint(colour, "1;34", "|");
            let caret = format!(
                "{}{}",
                " ".repeat(self.column.saturating_sub(1)),
                paint(colour, "1;31", "^")
            );
            let _written = writeln!(
                out,
                "   {pad} {bar}\n   {number} {bar} {text}\n   {pad} {bar} {caret}",
                pad = " ".repeat(number.len()),
            );
        }
        out
    }
}

/// A text in a colour, if there are colours.
pub(crate) fn paint(colour: bool, code: &str, text: &str) -> String {
    if colour {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

/// Why a command failed.
#[derive(Debug)]
pub struct CommandError(Box<Parts>);

#[derive(Debug)]
struct Parts {
    kind: Kind,
    message: String,
    causes: Vec<String>,
    place: Option<Place>,
    via: Vec<String>,
    hints: Vec<String>,
}

impl CommandError {
    /// A failure without a cause below it. `message` is a lower-case fragment that names the object.
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            kind,
            message: message.into(),
            causes: Vec::new(),
            place: None,
            via: Vec::new(),
            hints: Vec::new(),
        }))
    }

    pub(crate) fn user(message: impl Into<String>) -> Self {
        Self::new(Kind::User, message)
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    pub(crate) fn rejected(message: impl Into<String>) -> Self {
        Self::new(Kind::Rejected, message)
    }

    /// A failure with an error, and all that it was caused by, below it.
    pub(crate) fn caused(kind: Kind, message: impl Into<String>, source: &(dyn Error + 'static)) -> Self {
        Self::new(kind, message).because(source)
    }

    /// An error that says itself what failed.
    pub(crate) fn of(kind: Kind, source: &(dyn Error + 'static)) -> Self {
        let mut error = Self::new(kind, source.to_string());
        if let Some(source) = source.source() {
            error = error.because(source);
        }
        error
    }

    fn because(mut self, source: &(dyn Error + 'static)) -> Self {
        let mut next = Some(source);
        while let Some(error) = next {
            let text = error.to_string();
            // Some libraries repeat their source in their own message.
            if self.0.causes.last().is_none_or(|last| !last.contains(&text))
                && !self.0.message.ends_with(&text)
            {
                self.0.causes.push(text);
            }
            next = error.source();
        }
        self
    }

    /// Adds a cause as text.
    #[must_use]
    pub(crate) fn cause(mut self, text: impl Into<String>) -> Self {
        self.0.causes.push(text.into());
        self
    }

    /// Adds something to try.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hints.push(hint.into());
        self
    }

    /// Names the place in a file; `content` shows the line.
    #[must_use]
    pub(crate) fn at(mut self, file: &str, line: usize, column: usize, content: Option<&str>) -> Self {
        self.0.place = Some(Place::new(file, line, column, content));
        self
    }

    /// Names a place, as `file:line:column`, that led to the one of [`CommandError::at`].
    #[must_use]
    pub(crate) fn via(mut self, place: String) -> Self {
        self.0.via.push(place);
        self
    }

    /// A failure to write to standard output.
    pub(crate) fn stdout(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::new(Kind::BrokenPipe, "nobody reads the output")
        } else {
            Self::caused(Kind::Outside, "cannot write to standard output", &error)
        }
    }

    /// A failure to read or write a file.
    pub(crate) fn file(verb: &str, path: &std::path::Path, error: &io::Error) -> Self {
        Self::caused(Kind::User, format!("cannot {verb} {}", path.display()), error)
    }

    /// What failed, without why.
    pub(crate) fn message(&self) -> &str {
        &self.0.message
    }

    /// Whose fault it is.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The exit code that goes with it.
    pub fn exit(&self) -> Exit {
        match self.0.kind {
            Kind::BrokenPipe => Exit::Success,
            Kind::Usage => Exit::Usage,
            _ => Exit::Failure,
        }
    }

    /// The failure of a process that can't start its threads.
    pub fn runtime(error: &io::Error) -> Self {
        Self::caused(Kind::Outside, "cannot start", error)
    }

    /// Prints it as a compiler would.
    pub fn print(&self, io: &mut Io) {
        if self.0.kind != Kind::BrokenPipe {
            let text = self.render(io.colour());
            io.talk_in_colour(text.trim_end());
        }
    }

    /// The text, one part a line: what failed, where, why, and what to try.
    pub fn render(&self, colour: bool) -> String {
        let paint = |code: &str, text: &str| paint(colour, code, text);
        let mut out = format!("{} {}\n", paint("1;31", "error:"), shown(&self.0.message));
        if let Some(place) = &self.0.place {
            out.push_str(&place.render(colour));
        }
        for place in &self.0.via {
            let _written = writeln!(out, "  {} {place}", paint("1", "included from"));
        }
        for cause in &self.0.causes {
            let cause = shown(cause).replace('\n', "\n    ");
            let _written = writeln!(out, "  {} {cause}", paint("1", "because:"));
        }
        for hint in &self.0.hints {
            let _written = writeln!(out, "  {} {}", paint("1;32", "try:"), visible(hint));
        }
        if self.0.kind == Kind::Internal {
            let _written = writeln!(
                out,
                "  {} this is a bug in weir; please report it",
                paint("1", "note:")
            );
        }
        out
    }
}

/// Without credentials in addresses and without what controls a terminal.
pub(crate) fn shown(text: &str) -> String {
    visible(&weir_redact::redact_urls_in(text)).into_owned()
}

impl From<weir_registry::Error> for CommandError {
    fn from(error: weir_registry::Error) -> Self {
        let kind = if error.is_access() {
            Kind::Rejected
        } else {
            Kind::Outside
        };
        let hint = error.hint();
        let converted = Self::of(kind, &error);
        match hint {
            Some(hint) => converted.hint(hint),
            None => converted,
        }
    }
}

impl From<ConnectError> for CommandError {
    fn from(error: ConnectError) -> Self {
        Self::of(Kind::Config, &error)
            .hint("name a kubeconfig with `--kubeconfig` or a context with `--context`")
    }
}

impl From<weir_house::StartError> for CommandError {
    fn from(error: weir_house::StartError) -> Self {
        match error {
            weir_house::StartError::Api(error) => error.into(),
            error @ weir_house::StartError::NoPolicies(_) => Self::of(Kind::Config, &error)
                .hint("define the kind with `weir install`")
                .hint("or say with `--without-policies` that sources are held against their own `spec.verify` alone"),
            error @ weir_house::StartError::Client(_) => Self::of(Kind::Config, &error),
        }
    }
}

impl From<ApiError> for CommandError {
    fn from(error: ApiError) -> Self {
        let converted = Self::of(
            if error.is_forbidden() || error.is_conflict() {
                Kind::Rejected
            } else {
                Kind::Outside
            },
            &error,
        );
        match &error {
            ApiError::UnknownKind(_) => converted
                .hint("check with `weir check` whether the custom resource definitions are installed"),
            ApiError::Transport(_) => converted.hint("check the address, the context and the network"),
            _ if error.is_forbidden() => {
                converted.hint("ask for the missing permission, or use another context with `--context`")
            }
            _ if error.code() == Some(401) => {
                converted.hint("the credentials of this context are not accepted")
            }
            _ => converted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_located_error_points_at_its_column() {
        let error = CommandError::user("cannot read app.yaml")
            .at("app.yaml", 2, 3, Some("a: 1\nb: [\n"))
            .hint("close it");
        assert_eq!(
            error.render(false),
            "error: cannot read app.yaml\n  --> app.yaml:2:3\n     |\n   2 | b: [\n     |   ^\n  try: close it\n"
        );
    }

    #[test]
    fn a_cluster_without_the_kind_of_policies_says_what_to_do() {
        let kind = weir_apis::GroupVersionKind::new("weir.dev", "v1alpha1", "VerificationPolicy");
        let error = weir_house::StartError::NoPolicies(ApiError::UnknownKind(kind));
        let said = CommandError::from(error).render(false);
        for word in [
            "does not know VerificationPolicies",
            "try: define the kind with `weir install`",
            "`--without-policies`",
        ] {
            assert!(said.contains(word), "{word}: {said}");
        }
    }

    #[test]
    fn a_broken_pipe_is_success_and_says_nothing() {
        let error = CommandError::stdout(io::ErrorKind::BrokenPipe.into());
        let (mut io, printed) = Io::captured();
        error.print(&mut io);
        assert_eq!((error.exit(), printed.stderr().as_str()), (Exit::Success, ""));
    }

    #[test]
    fn n56_credentials_in_an_address_are_not_printed() {
        let error = CommandError::user("cannot reach https://me:secret@example.org/x");
        assert!(!error.render(false).contains("secret"));
    }
}
