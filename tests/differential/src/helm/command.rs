//! One `helm template` and one `weir helm template` of the same chart with the same options.
//!
//! Equal is: the same text on standard output; or both fail, in the same words, whole, behind which weir may say more.
//!
//! Failures whose words are not the same are counted apart. They pass if weir names each `file:line:column` and each chart
//! that helm names, and the beginning of the message up to its first colon, or its last part, is the same. They are: what
//! readers of YAML say of broken text, and readers of JSON schemas of a bad schema; names in an order that Go takes from
//! a map; and what Go's printf makes of a verb that does not fit. What helm warns about and does not fail over is not
//! compared.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use anyhow::{Context, Result};
use weir_cli::{Exit, Io};

use super::chart::Release;
use crate::oracle::Answer;

/// How a comparison ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The same output.
    Same,
    /// The same message.
    BothFail(String),
    /// Failures at the same places in other words.
    Places { theirs: String, ours: String },
    /// Different.
    Differ { theirs: Answer, ours: Answer },
}

/// Runs both in a folder of their own.
pub(crate) fn compare(program: &Path, release: &Release) -> Result<Outcome> {
    let folder = tempfile::tempdir().context("no temporary folder")?;
    release.write(folder.path())?;
    let arguments = release.command(folder.path());
    let ours = ours(&arguments)?;
    let mut outcome = judge(theirs(program, folder.path(), &arguments)?, ours.clone());
    // Some of what helm answers hangs on the order in which Go walks a map, another one in each run.
    for _ in 0..AGAIN {
        if !matches!(outcome, Outcome::Differ { .. }) {
            break;
        }
        outcome = judge(theirs(program, folder.path(), &arguments)?, ours.clone());
    }
    Ok(outcome)
}

/// How often helm is asked again before its answer counts as another.
const AGAIN: usize = 5;

/// What helm says.
pub(crate) fn theirs(program: &Path, home: &Path, arguments: &[String]) -> Result<Answer> {
    let output = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("HOME", home.join("home"))
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        return Ok(Ok(text(&output.stdout)));
    }
    // Warnings stand before the error.
    let message = text(&output.stderr);
    let message = message
        .rsplit_once("\nError: ")
        .map_or(&*message, |(_, message)| message);
    let message = message.trim_start_matches("Error: ").trim_end();
    // helm says this of every failure behind the loading of the chart.
    let hint = "\n\nUse --debug flag to render out invalid YAML";
    Ok(Err(message.strip_suffix(hint).unwrap_or(message).to_owned()))
}

/// What weir says, in this process.
pub(crate) fn ours(arguments: &[String]) -> Result<Answer> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (io, printed) = Io::captured();
    let mut io = io.with_clock(Arc::new(jiff::Timestamp::now));
    let arguments = ["weir", "helm"]
        .map(str::to_owned)
        .into_iter()
        .chain(arguments.iter().cloned());
    let run = std::panic::AssertUnwindSafe(|| runtime.block_on(weir_cli::run(arguments, &mut io)));
    let Ok(exit) = std::panic::catch_unwind(run) else {
        return Ok(Err("PANIC".into()));
    };
    if exit == Exit::Success {
        return Ok(Ok(printed.stdout()));
    }
    Ok(Err(printed.stderr().trim_end().to_owned()))
}

/// Whether two failures are the same: the same words, or else the same places.
pub(super) fn fails_alike(theirs: &str, ours: &str) -> bool {
    says(ours, theirs) || is_at_the_same_places(theirs, ours)
}

fn is_at_the_same_places(theirs: &str, ours: &str) -> bool {
    // Charts whose values fail stand on lines of their own here; there, they may stand behind what Go's reader said.
    let names_charts = ours
        .lines()
        .map(|line| line.trim_start_matches("error: "))
        .filter(|line| line.ends_with(':'))
        .all(|line| theirs.contains(line));
    let first = theirs.split([':', '\n']).next().unwrap_or_default();
    let last = theirs.rsplit_once(": ").map_or(theirs, |(_, last)| last);
    let is_alike = ours.contains(first) || ours.contains(last);
    ours != "PANIC" && is_alike && names_charts && places(theirs).iter().all(|place| ours.contains(place))
}

fn judge(theirs: Answer, ours: Answer) -> Outcome {
    match (theirs, ours) {
        (Ok(theirs), Ok(ours)) if theirs == ours => Outcome::Same,
        (Err(theirs), Err(ours)) if says(&ours, &theirs) => Outcome::BothFail(theirs),
        (Err(theirs), Err(ours)) if is_at_the_same_places(&theirs, &ours) => Outcome::Places { theirs, ours },
        (theirs, ours) => Outcome::Differ { theirs, ours },
    }
}

/// Whether an error of weir's begins with a message, up to where it says more: warnings may stand before it.
fn says(error: &str, message: &str) -> bool {
    let error = error.rsplit_once("\nerror: ").map_or(error, |(_, error)| error);
    let error = error.trim_start_matches("error: ");
    error.starts_with(message)
}

/// The places in templates that a message names: `top/templates/x.yaml:1:2`.
fn places(message: &str) -> Vec<String> {
    message
        .split(|c: char| c.is_whitespace() || "()<>\"".contains(c))
        .map(|word| word.trim_end_matches([':', ',']))
        .filter(|word| {
            word.contains("/templates/")
                && word
                    .rsplit(':')
                    .next()
                    .is_some_and(|end| end.parse::<u32>().is_ok())
        })
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_alike_in_the_same_words_or_at_the_same_places() {
        let theirs = "execution error at (top/templates/x.yaml:3:7): no";
        assert!(fails_alike(
            theirs,
            "error: execution error at (top/templates/x.yaml:3:7): no\n  --> more"
        ));
        assert!(!fails_alike(
            theirs,
            "error: execution error at (top/templates/x.yaml:3:8): no"
        ));
        assert!(!fails_alike(theirs, "PANIC"));
        let theirs = "YAML parse error on top/templates/x.yaml: yaml: line 3: one way";
        assert!(fails_alike(
            theirs,
            "error: YAML parse error on top/templates/x.yaml: yaml: line 4: another"
        ));
        assert!(!fails_alike(
            theirs,
            "error: YAML parse error on top/templates/y.yaml: yaml: line 3: another"
        ));
    }
}
