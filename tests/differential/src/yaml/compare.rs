//! One text, read and written by both.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::Value;
use weir_yaml::{
    Data, Dialect, Document, Duplicates, Node, ParseOptions, emit, parse_all_with, parse_first_with, to_json,
};

use super::answers::Answers;
use crate::oracle::Answer;

/// What is compared; a difference belongs to one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Aspect {
    /// The tree, printed again.
    Printed,
    /// The same with comments.
    Comments,
    /// The value that kyaml reads.
    Kyaml,
    /// The value that sigs.k8s.io/yaml reads.
    Sigs,
    /// The same where repeated keys are refused.
    Strict,
    /// That value, printed.
    Again,
}

impl Aspect {
    /// All, in the order in which they are compared.
    pub(crate) const ALL: [Self; 6] = [
        Self::Kyaml,
        Self::Sigs,
        Self::Strict,
        Self::Again,
        Self::Printed,
        Self::Comments,
    ];

    /// The name for a terminal.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Printed => "printed",
            Self::Comments => "comments",
            Self::Kyaml => "kyaml",
            Self::Sigs => "sigs",
            Self::Strict => "strict",
            Self::Again => "again",
        }
    }
}

/// How one aspect of a text ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Same,
    BothRefuse,
    /// The reference has no answer that could be compared.
    Unjudged,
    /// The Go libraries refuse YAML 1.2 that is valid, and is read here: the YAML test suite asks for it.
    Lenient,
    Differ {
        theirs: Answer,
        ours: Answer,
    },
}

/// Compares one aspect of a text.
pub(crate) fn compare(text: &str, theirs: &Answers, aspect: Aspect) -> Outcome {
    let ours = catch_unwind(AssertUnwindSafe(|| ours(text, aspect)));
    let ours = ours.unwrap_or_else(|_| Err("PANIC".into()));
    let theirs = match aspect {
        Aspect::Printed | Aspect::Comments => theirs.printed.clone(),
        Aspect::Kyaml => theirs.kyaml.clone(),
        Aspect::Sigs => theirs.sigs.clone(),
        Aspect::Strict => theirs.strict.clone(),
        Aspect::Again => theirs.again.clone(),
    };
    let other_aspect = match aspect {
        Aspect::Printed => text.contains('#'),
        Aspect::Comments => !text.contains('#'),
        _ => false,
    };
    // A text without content is nothing to kyaml.
    let is_nothing = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    let is_empty = text.trim_start_matches('\u{feff}').lines().all(is_nothing);
    if other_aspect || is_empty || aspect == Aspect::Kyaml && is_unjudged(&theirs) {
        return Outcome::Unjudged;
    }
    match (theirs, ours) {
        (_, Err(ours)) if ours == SCALAR => Outcome::Unjudged,
        // kustomize merges keys while it reads; what is asked here does it later, and not at all below null.
        (Ok(_), Err(ours)) if aspect == Aspect::Kyaml && ours.contains("map merge requires") => {
            Outcome::Unjudged
        }
        (Err(_), Err(ours)) if ours != "PANIC" => Outcome::BothRefuse,
        (Ok(theirs), Ok(ours)) if same(aspect, &theirs, &ours) => Outcome::Same,
        (Err(theirs), Ok(_)) if is_lenient(&theirs) || is_at_margin(text) => Outcome::Lenient,
        (theirs, ours) => Outcome::Differ { theirs, ours },
    }
}

/// kyaml makes JSON of mappings and sequences alone, and of them only if all keys are strings; the engine that uses
/// this layer refuses the latter itself.
fn is_unjudged(theirs: &Answer) -> bool {
    theirs.as_ref().is_err_and(|message| {
        message.contains("json: unsupported type: map[interface")
            || message.contains("into map[string]interface {}")
            || message.contains("into []interface {}")
    })
}

/// kyaml makes no JSON of these.
const SCALAR: &str = "neither a mapping nor a sequence";

/// What the Go libraries say of texts that YAML 1.2 allows: they read YAML 1.1, and not all of that.
const LENIENT: [&str; 14] = [
    // Anchors of other characters than letters and digits.
    "did not find expected alphabetic or numeric character",
    // `\/` in double quotes.
    "found unknown escape character",
    // `...` where no document has begun.
    "did not find expected node content",
    // `[?]` and the like.
    "did not find expected ',' or ']'",
    "did not find expected ',' or '}'",
    // Directives of other tools.
    "found unknown directive name",
    "could not find expected directive name",
    "found unexpected non-alphabetical character",
    "found incompatible YAML document",
    "found extremely long version number",
    // The text of a block scalar that is the whole document, at the margin.
    "did not find expected <document start>",
    // A document that says it is null, and is not: that the text can be read is asked of a decoder besides.
    "as a !!null",
    // `1` and `01`, which are two keys here and one to them.
    "already set in map",
    // Of JSON that is printed: those between U+0080 and U+009F are escaped here.
    "control characters are not allowed",
];

/// Whether there may be a block scalar that is the whole document, with its text at the margin.
fn is_at_margin(text: &str) -> bool {
    text.lines().any(|line| line.starts_with(['|', '>']))
}

fn is_lenient(message: &str) -> bool {
    LENIENT.iter().any(|part| message.contains(part))
}

fn same(aspect: Aspect, theirs: &str, ours: &str) -> bool {
    match aspect {
        Aspect::Printed | Aspect::Comments | Aspect::Again => theirs == ours,
        _ => {
            let value = |text: &str| serde_json::from_str::<Value>(text).ok().map(by_value);
            theirs == ours || value(theirs).is_some() && value(theirs) == value(ours)
        }
    }
}

/// Numbers by what they are, not by how they are written: `-0` and `1e+20` are matters of the printers.
fn by_value(value: Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64() {
            // 2^53: whole numbers up to here are exact in both forms.
            Some(float) if float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0 => {
                Value::String(format!("{:.0}", float + 0.0))
            }
            Some(float) if number.is_f64() => Value::String(format!("{float:.14e}")),
            _ => Value::Number(number),
        },
        Value::Array(items) => items.into_iter().map(by_value).collect(),
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| (key, by_value(value)))
            .collect(),
        other => other,
    }
}

fn ours(text: &str, aspect: Aspect) -> Answer {
    let document = first(text, aspect)?;
    let root = || document.clone().into_root().unwrap_or_else(Node::null);
    let convert = |dialect| to_json(&root(), dialect).map_err(|error| error.to_string());
    match aspect {
        Aspect::Printed | Aspect::Comments => Ok(emit::document(&document, emit::SequenceIndent::Compact)),
        Aspect::Kyaml => {
            let value = convert(Dialect::Kyaml)?;
            match document.root.as_ref().map(|root| root.data()) {
                Some(Data::Mapping(_) | Data::Sequence(_)) => Ok(value.to_string()),
                _ => Err(SCALAR.into()),
            }
        }
        Aspect::Sigs | Aspect::Strict => Ok(convert(Dialect::Sigs)?.to_string()),
        Aspect::Again => Ok(emit::sigs(&convert(Dialect::Sigs)?)),
    }
}

/// The first document: all that these functions of the libraries look at.
fn first(text: &str, aspect: Aspect) -> Result<Document, String> {
    let read = |duplicates| {
        let options = ParseOptions {
            duplicates,
            // A comment below a document shows in kyaml's value of a block scalar that ends there.
            without_comments: !matches!(aspect, Aspect::Printed | Aspect::Comments | Aspect::Kyaml),
            ..ParseOptions::default()
        };
        parse_all_with(text, options).map_err(|error| error.to_string())
    };
    let documents = read(Duplicates::Keep)?;
    if aspect == Aspect::Strict {
        let options = ParseOptions {
            duplicates: Duplicates::Refuse,
            ..ParseOptions::default()
        };
        parse_first_with(text, options).map_err(|error| error.to_string())?;
    }
    // No document is null.
    let nothing = Document {
        root: None,
        head_comment: None,
        foot_comment: None,
    };
    Ok(documents.into_iter().next().unwrap_or(nothing))
}
