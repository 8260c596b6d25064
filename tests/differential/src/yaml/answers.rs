//! The Go libraries' answers, from one process that is asked many times.

use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result};

/// Text, or a message.
pub(crate) type Answer = Result<String, String>;

/// What the Go libraries make of one text.
#[derive(Clone, Debug)]
pub(crate) struct Answers {
    /// kyaml's `Parse` and `String`.
    pub(crate) printed: Answer,
    /// kyaml's `Parse` and `MarshalJSON`.
    pub(crate) kyaml: Answer,
    /// `YAMLToJSON` of sigs.k8s.io/yaml.
    pub(crate) sigs: Answer,
    /// Its `YAMLToJSONStrict`.
    pub(crate) strict: Answer,
    /// `YAMLToJSON` and then `JSONToYAML`.
    pub(crate) again: Answer,
}

/// The process.
pub(crate) struct Oracle {
    child: Child,
    input: BufWriter<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Oracle {
    /// Starts the program.
    pub(crate) fn start(program: &Path) -> Result<Self> {
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", program.display()))?;
        let input = child.stdin.take().context("it has no standard input")?;
        let output = child.stdout.take().context("it has no standard output")?;
        Ok(Self {
            child,
            input: BufWriter::new(input),
            output: BufReader::new(output),
        })
    }

    /// Asks about a text.
    pub(crate) fn ask(&mut self, text: &str) -> Result<Answers> {
        let length = u32::try_from(text.len()).context("the text is too long")?;
        self.input.write_all(&length.to_be_bytes())?;
        self.input.write_all(text.as_bytes())?;
        self.input.flush()?;
        Ok(Answers {
            printed: self.answer()?,
            kyaml: self.answer()?,
            sigs: self.answer()?,
            strict: self.answer()?,
            again: self.answer()?,
        })
    }

    fn answer(&mut self) -> Result<Answer> {
        let mut head = [0; 5];
        self.output.read_exact(&mut head)?;
        let [status, length @ ..] = head;
        let mut body = vec![0; u32::from_be_bytes(length) as usize];
        self.output.read_exact(&mut body)?;
        let text = String::from_utf8_lossy(&body).into_owned();
        Ok(match status {
            0 => Ok(text),
            1 => Err(text),
            _ => Err(format!("panic: {text}")),
        })
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
