//! One generated template or chart, rendered by both engines.
//!
//! Equal is: the same text of every file, or the same whole message. Helm's message names the file, the line, the
//! column, the template, the expression and the reason, each place that led there included; nothing of it is left out
//! of the comparison, but for the addresses that Go prints for pointers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use weir_gotmpl::{CallError, Functions, Host, Limits, MissingKey, Set, Value, families};
use weir_helm::{Chart, File, NoArchives, Options, RenderError, Setter, render_files};

use super::template::{ALONE, Case, Family};
use crate::oracle::{Answer, Oracle};

/// How a comparison ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The same output.
    Same,
    /// The same message.
    BothFail(String),
    /// The same but for what the readers of YAML and TOML say of broken text: each has its own words and places.
    Words,
    /// The engine here stops at its limits, as it should; nobody knows what would have come.
    Bounded,
    /// The reference took too long or too much.
    Unanswered,
    /// Different.
    Differ { theirs: Answer, ours: Answer },
}

/// Renders a case with both. Once more where they differ: time may have passed between them.
pub(crate) fn compare(oracle: &mut Oracle, case: &Case) -> Result<Outcome> {
    match once(oracle, case)? {
        Outcome::Differ { .. } => once(oracle, case),
        outcome => Ok(outcome),
    }
}

fn once(oracle: &mut Oracle, case: &Case) -> Result<Outcome> {
    let request = serde_json::to_vec(&case.request())?;
    let answered = oracle.send(&request).and_then(|()| oracle.answer());
    let Ok(theirs) = answered else {
        oracle.restart()?;
        return Ok(Outcome::Unanswered);
    };
    Ok(judge(theirs, ours(case)))
}

fn judge(theirs: Answer, ours: Answer) -> Outcome {
    if ours.as_ref().is_err_and(|message| is_limit(message)) {
        return Outcome::Bounded;
    }
    let (theirs, ours) = (
        theirs.map(without_addresses).map_err(without_addresses),
        ours.map(without_addresses).map_err(without_addresses),
    );
    let before = |text: &str| BEFORE.iter().find(|part| text.starts_with(**part)).copied();
    match (theirs, ours) {
        (Ok(theirs), Ok(ours)) if theirs == ours => Outcome::Same,
        (Err(theirs), Err(ours)) if before(&theirs).is_some() && before(&theirs) == before(&ours) => {
            Outcome::BothFail(theirs)
        }
        (Err(theirs), Err(ours)) if theirs == ours => Outcome::BothFail(ours),
        (Ok(theirs), Ok(ours)) | (Err(theirs), Err(ours))
            if without_words(&theirs) == without_words(&ours) =>
        {
            Outcome::Words
        }
        (theirs, ours) => Outcome::Differ { theirs, ours },
    }
}

/// A text without what follows these words on a line.
fn without_words(text: &str) -> String {
    let mut out = text.to_owned();
    for words in ["error converting YAML to JSON: ", "toml: line "] {
        let mut parts = out.split(words);
        let first = parts.next().unwrap_or_default().to_owned();
        out = parts.fold(first, |text, part| {
            let end = part.find('\n').unwrap_or(part.len());
            text + words + part.get(end..).unwrap_or_default()
        });
    }
    out
}

/// Failures before templates are reached: messages about YAML say more here than there, and are no matter of templates.
const BEFORE: [&str; 3] = ["chart: ", "values: ", "set: "];

/// What the template engine says when a template asks for more than it gets.
fn is_limit(message: &str) -> bool {
    ["the template takes more than", "the template makes more than"]
        .iter()
        .any(|words| message.contains(words))
}

/// Go prints where a pointer points, ten to twelve digits: no two runs agree about that.
pub(crate) fn without_addresses(text: String) -> String {
    if !text.contains("0x") {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("0x") {
        let digits = after
            .find(|c: char| !c.is_ascii_hexdigit())
            .unwrap_or(after.len());
        let (address, after) = after.split_at_checked(digits).unwrap_or((after, ""));
        out.push_str(before);
        out.push_str("0x");
        out.push_str(if (10..=12).contains(&digits) {
            "…"
        } else {
            address
        });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Renders a case with the engine here.
pub(crate) fn ours(case: &Case) -> Answer {
    let rendered = catch_unwind(AssertUnwindSafe(|| match case.functions {
        Family::Helm => chart(case),
        _ => one(case),
    }));
    rendered.unwrap_or_else(|_| Err("PANIC".into()))
}

fn chart(case: &Case) -> Answer {
    let files = case
        .files
        .iter()
        .map(|(path, content)| File::new(path.as_str(), content.as_bytes().to_vec()))
        .collect();
    let chart = Chart::from_files(files, &NoArchives).map_err(|error| format!("chart: {error}"))?;
    let mut values = weir_helm::parse(&case.values).map_err(|error| format!("values: {error}"))?;
    for line in &case.set {
        Setter::Typed
            .set(line, &mut values)
            .map_err(|error| format!("set: {error}"))?;
    }
    let mut options = Options::new("rel", "ns");
    options.is_upgrade = case.upgrade;
    let files =
        render_files(&chart, &values, &options, &mut Outside::default()).map_err(|error| match error {
            RenderError::Template(error) => error.message,
            other => other.to_string(),
        })?;
    Ok(files.iter().fold(String::new(), |out, (path, text)| {
        out + "== " + path + "\n" + text + "\n"
    }))
}

fn one(case: &Case) -> Answer {
    let functions = match case.functions {
        Family::Slim => Functions::slim(),
        Family::Go => Functions::builtins(),
        _ => Functions::builtins().with(families::SPRIG),
    };
    let options = weir_gotmpl::Options {
        name: ALONE.to_owned(),
        missing_key: match case.missing_key {
            "error" => MissingKey::Error,
            "default" => MissingKey::Default,
            _ => MissingKey::Zero,
        },
        ..weir_gotmpl::Options::default()
    };
    let numbers = case.numbers;
    let data = Value::read_json(&case.data(), &|number| match (numbers, number.as_i64()) {
        ("number", _) => Value::Number(number.to_string().into()),
        ("int", Some(number)) => Value::int(number),
        ("int64", Some(number)) => Value::int64(number),
        _ => Value::float(number.as_f64().unwrap_or_default()),
    });
    let text = case.files.get(ALONE).map(String::as_str).unwrap_or_default();
    let mut set = Set::new(Arc::new(functions), options);
    set.parse(ALONE, text).map_err(|error| error.to_string())?;
    set.execute(ALONE, &data, &mut Outside::default(), &Limits::default())
        .map(|out| out.to_string())
        .map_err(|error| error.to_string())
}

/// This machine's clock, as the reference has it, and chance that is always the same: no template prints it.
#[derive(Default)]
pub(crate) struct Outside(u64);

impl Host for Outside {
    fn random(&mut self, bytes: &mut [u8]) -> Result<(), CallError> {
        for byte in bytes {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *byte = self.0.to_be_bytes()[2];
        }
        Ok(())
    }

    fn now(&mut self) -> Result<i128, CallError> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let since = since.map_err(|_| CallError::new("no clock"))?;
        i128::try_from(since.as_nanos()).map_err(|_| CallError::new("no clock"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;
    use crate::helm::template::case;

    /// Nothing panics, whatever the functions, the options and the numbers are.
    #[test]
    fn generated_templates_run() {
        for number in 0..1500 {
            let case = case(&mut Dice::new(1, number));
            assert_ne!(ours(&case), Err("PANIC".into()), "{}", case.show());
        }
    }

    #[test]
    fn pieces_of_templates_in_any_order_run() {
        for number in 0..600 {
            let mut dice = Dice::new(2, number);
            let text: Vec<char> = (0..4)
                .flat_map(|_| case(&mut dice).files.into_values())
                .flat_map(|text| text.chars().collect::<Vec<_>>())
                .collect();
            let mut mixed = String::new();
            for _ in 0..12 {
                let from = dice.below(text.len());
                let to = (from + dice.below(40)).min(text.len());
                mixed.extend(text.get(from..to).unwrap_or_default());
            }
            let mut case = case(&mut dice);
            let path = if case.functions == Family::Helm {
                "templates/x.yaml"
            } else {
                ALONE
            };
            case.files.insert(path.to_owned(), mixed);
            assert_ne!(ours(&case), Err("PANIC".into()), "{}", case.show());
        }
    }

    #[test]
    fn addresses_are_no_part_of_a_text() {
        let text = |address: &str| without_addresses(format!("a 0x1f {address}, b"));
        assert_eq!(text("0xc0000123456"), "a 0x1f 0x…, b");
        assert_eq!(text("0x68656c6c6f21aa"), "a 0x1f 0x68656c6c6f21aa, b");
    }
}
