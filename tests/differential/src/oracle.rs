//! A reference program that stays and is asked many times.

use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result};

/// Text, or a message.
pub(crate) type Answer = Result<String, String>;

/// The process. Requests and answers stand behind their lengths (four bytes, big endian); before an answer's length
/// stands how it went: 0 for text, 1 for an error, else a panic.
pub(crate) struct Oracle {
    program: PathBuf,
    child: Child,
    input: BufWriter<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Oracle {
    /// Starts the program.
    pub(crate) fn start(program: &Path) -> Result<Self> {
        let mut child = Command::new(program)
            .env("TZ", "UTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", program.display()))?;
        let input = child.stdin.take().context("it has no standard input")?;
        let output = child.stdout.take().context("it has no standard output")?;
        Ok(Self {
            program: program.to_owned(),
            child,
            input: BufWriter::new(input),
            output: BufReader::new(output),
        })
    }

    /// Starts the program anew after it has ended.
    pub(crate) fn restart(&mut self) -> Result<()> {
        *self = Self::start(&self.program)?;
        Ok(())
    }

    /// Sends a request.
    pub(crate) fn send(&mut self, request: &[u8]) -> Result<()> {
        let length = u32::try_from(request.len()).context("the request is too long")?;
        self.input.write_all(&length.to_be_bytes())?;
        self.input.write_all(request)?;
        self.input.flush()?;
        Ok(())
    }

    /// Reads an answer; an error if the program has ended.
    pub(crate) fn answer(&mut self) -> Result<Answer> {
        let mut head = [0; 5];
        self.output.read_exact(&mut head)?;
        let [status, length @ ..] = head;
        let mut body = vec![0; u32::from_be_bytes(length) as usize];
        self.output.read_exact(&mut body)?;
        let text = text(&body);
        Ok(match status {
            0 => Ok(text),
            1 => Err(text),
            _ => Err(format!("panic: {text}")),
        })
    }
}

/// Text of bytes. Each byte that belongs to no character becomes one of its own, as in Go.
fn text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}

impl Drop for Oracle {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
