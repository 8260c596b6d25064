//! The outside world of a command: streams, environment, time, and a way to be stopped.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, IsTerminal as _, Read, Write};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use weir_cluster::Client;

use crate::CommandError;

/// Ready when a long-running command is to end.
pub(crate) type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a command reads from and writes to.
pub struct Io {
    stdin: Box<dyn Read + Send + Sync>,
    stdout: Box<dyn Write + Send + Sync>,
    stderr: Box<dyn Write + Send + Sync>,
    stdout_is_terminal: bool,
    stderr_is_terminal: bool,
    env: BTreeMap<String, String>,
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    cluster: Option<(Client, String)>,
    /// In a mutex only because a future need not be `Sync`.
    stop: Mutex<Option<Stop>>,
}

impl fmt::Debug for Io {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The environment may hold credentials.
        f.debug_struct("Io")
            .field("cluster", &self.cluster)
            .finish_non_exhaustive()
    }
}

impl Io {
    /// This process' streams, environment and clock. Long-running commands end at an interrupt.
    pub fn process() -> Self {
        let (stdout, stderr) = (io::stdout(), io::stderr());
        Self {
            stdin: Box::new(io::stdin()),
            stdout_is_terminal: stdout.is_terminal(),
            stderr_is_terminal: stderr.is_terminal(),
            stdout: Box::new(io::BufWriter::new(stdout)),
            stderr: Box::new(stderr),
            env: std::env::vars_os()
                .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
            now: Arc::new(Timestamp::now),
            cluster: None,
            stop: Mutex::new(None),
        }
    }

    /// Streams in memory, no environment, and a clock that stands at the epoch.
    pub fn captured() -> (Self, Captured) {
        let captured = Captured::default();
        let io = Self {
            stdin: Box::new(io::empty()),
            stdout: Box::new(captured.stdout.clone()),
            stderr: Box::new(captured.stderr.clone()),
            stdout_is_terminal: false,
            stderr_is_terminal: false,
            env: BTreeMap::new(),
            now: Arc::new(|| Timestamp::UNIX_EPOCH),
            cluster: None,
            stop: Mutex::new(None),
        };
        (io, captured)
    }

    /// Puts a text on standard input.
    #[must_use]
    pub fn with_stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.stdin = Box::new(io::Cursor::new(text.into()));
        self
    }

    /// Sets a variable of the environment.
    #[must_use]
    pub fn with_env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// Uses another clock.
    #[must_use]
    pub fn with_clock(mut self, now: Arc<dyn Fn() -> Timestamp + Send + Sync>) -> Self {
        self.now = now;
        self
    }

    /// Uses this cluster, with this default namespace, whatever a kubeconfig says.
    #[must_use]
    pub fn with_cluster(mut self, client: Client, namespace: &str) -> Self {
        self.cluster = Some((client, namespace.into()));
        self
    }

    /// Ends long-running commands when `stop` is ready, instead of at an interrupt.
    #[must_use]
    pub fn until(mut self, stop: impl Future<Output = ()> + Send + 'static) -> Self {
        self.stop = Mutex::new(Some(Box::pin(stop)));
        self
    }

    /// Waits until the command is asked to end. Only the first caller can wait for a future given with
    /// [`Io::until`].
    pub(crate) fn stopped(&mut self) -> Stop {
        let given = self.stop.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        given.unwrap_or_else(|| {
            Box::pin(async {
                if tokio::signal::ctrl_c().await.is_err() {
                    // Without a signal handler the process ends by the signal itself.
                    std::future::pending::<()>().await;
                }
            })
        })
    }

    pub(crate) fn cluster(&self) -> Option<(Client, String)> {
        self.cluster.clone()
    }

    /// A variable of the environment; empty ones count as absent.
    pub(crate) fn env(&self, name: &str) -> Option<&str> {
        self.env
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// A variable of the environment; an empty one counts, too.
    pub(crate) fn env_or_empty(&self, name: &str) -> Option<String> {
        self.env.get(name).cloned()
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// The clock itself, for work that takes time.
    pub(crate) fn clock(&self) -> Arc<dyn Fn() -> Timestamp + Send + Sync> {
        self.now.clone()
    }

    pub(crate) fn stdout_is_terminal(&self) -> bool {
        self.stdout_is_terminal
    }

    pub(crate) fn stderr_is_terminal(&self) -> bool {
        self.stderr_is_terminal
    }

    /// Whether errors may be in colour.
    pub(crate) fn colour(&self) -> bool {
        self.stderr_is_terminal && self.env("NO_COLOR").is_none()
    }

    /// Prints data: as it is, but for what would control a terminal.
    pub(crate) fn print(&mut self, text: &str) -> Result<(), CommandError> {
        let text = if self.stdout_is_terminal {
            visible(text)
        } else {
            Cow::Borrowed(text)
        };
        self.stdout
            .write_all(text.as_bytes())
            .map_err(CommandError::stdout)
    }

    /// Prints a line of data.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), CommandError> {
        self.print(text)?;
        self.print("\n")
    }

    /// Says something to the person: a line on standard error. What can't be said there is lost.
    pub(crate) fn talk(&mut self, text: &str) {
        self.talk_in_colour(&visible(text));
    }

    /// The same for text of ours that may hold colours.
    pub(crate) fn talk_in_colour(&mut self, text: &str) {
        // Data goes first, so that both read in order on a terminal.
        let _flushed = self.stdout.flush();
        let _said = writeln!(self.stderr, "{text}");
    }

    pub(crate) fn flush(&mut self) -> Result<(), CommandError> {
        self.stdout.flush().map_err(CommandError::stdout)
    }

    /// Everything on standard input.
    pub(crate) fn read_stdin(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.stdin.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// The first line of standard input, without its end.
    pub(crate) fn read_stdin_line(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut byte = [0_u8; 1];
        while self.stdin.read(&mut byte)? == 1 {
            let [b] = byte;
            if b == b'\n' {
                break;
            }
            bytes.push(b);
        }
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        Ok(bytes)
    }
}

/// Control characters made visible: names and messages come from registries and clusters, and must not move a
/// cursor or change what was printed before.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    let hidden = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if text.contains(hidden) {
        Cow::Owned(
            text.chars()
                .map(|c| if hidden(c) { '\u{fffd}' } else { c })
                .collect(),
        )
    } else {
        Cow::Borrowed(text)
    }
}

/// What a command has printed.
#[derive(Debug, Clone, Default)]
pub struct Captured {
    stdout: Buffer,
    stderr: Buffer,
}

impl Captured {
    /// Standard output so far.
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// Standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }
}

#[derive(Debug, Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_controls_a_terminal_is_shown_and_not_done() {
        assert_eq!(visible("a\tb\n"), "a\tb\n");
        assert_eq!(visible("\x1b[2Ja\r\u{9b}b"), "\u{fffd}[2Ja\u{fffd}\u{fffd}b");
        let (mut io, printed) = Io::captured();
        io.talk("\x1b]0;title\x07");
        assert!(!printed.stderr().contains('\x1b'));
    }
}
