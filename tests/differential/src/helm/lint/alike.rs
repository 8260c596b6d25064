//! When two lints are the same.

use std::fmt::Write as _;

use super::Said;

/// How a comparison ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The same.
    Same,
    /// The same findings, one of which is said in other words.
    Words(String, String),
    /// Different.
    Differ,
}

/// helm unpacks archives into a folder with a name of chance, and names that folder; weir names the archive.
pub(super) fn without_unpacked(text: &str) -> String {
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        match line.split_once("/tmp/helm-lint") {
            Some((before, rest)) if before.ends_with("] ") => {
                let rest = rest.split_once(": ").map_or("", |(_, rest)| rest);
                let _written = write!(out, "{before}ARCHIVE: {rest}");
            }
            _ => out.push_str(line),
        }
    }
    out
}

/// Compares what both said.
pub(super) fn judge(theirs: &Said, ours: &Said) -> Verdict {
    let mut ours = ours.clone();
    if theirs.out.contains("] ARCHIVE: ") {
        ours.out = without_archives(&ours.out);
    }
    // Weir may say more behind Helm's words.
    if !ours.error.is_empty() && !theirs.error.is_empty() && ours.error.starts_with(&theirs.error) {
        ours.error.clone_from(&theirs.error);
    }
    if *theirs == ours {
        return Verdict::Same;
    }
    if theirs.success != ours.success {
        return Verdict::Differ;
    }
    let mut words = None;
    if theirs.error != ours.error {
        // A file of values that is no YAML.
        let before = |error: &str| Some(error.split_once("error converting YAML to JSON: ")?.0.to_owned());
        if before(&theirs.error).is_none() || before(&theirs.error) != before(&ours.error) {
            return Verdict::Differ;
        }
        words = Some(Verdict::Words(theirs.error.clone(), ours.error.clone()));
    }
    let (first, second) = (blocks(&theirs.out), blocks(&ours.out));
    if first.len() != second.len() {
        return Verdict::Differ;
    }
    for (a, b) in first.iter().zip(&second).filter(|(a, b)| a != b) {
        if head(a) != head(b) || !is_about_the_same(a, b) {
            return Verdict::Differ;
        }
        words.get_or_insert_with(|| Verdict::Words(a.clone(), b.clone()));
    }
    words.unwrap_or(Verdict::Same)
}

fn without_archives(text: &str) -> String {
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        match line.split_once("] /").zip(line.split_once(".tgz: ")) {
            Some(((severity, _), (_, message))) if line.starts_with('[') => {
                let _written = write!(out, "{severity}] ARCHIVE: {message}");
            }
            _ => out.push_str(line),
        }
    }
    out
}

/// Findings and headings, each with the lines that belong to it.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks: Vec<String> = Vec::new();
    for line in text.lines() {
        let begins = ["[INFO] ", "[WARNING] ", "[ERROR] ", "==> ", "Error "];
        let is_first = begins.iter().any(|begin| line.starts_with(begin));
        match blocks.last_mut() {
            Some(block) if !is_first => {
                block.push('\n');
                block.push_str(line);
            }
            _ => blocks.push(line.to_owned()),
        }
    }
    blocks
}

/// Severity and path.
fn head(block: &str) -> &str {
    block.split_once(": ").map_or(block, |(head, _)| head)
}

fn is_about_the_same(theirs: &str, ours: &str) -> bool {
    const READERS: [&str; 5] = [
        "error converting YAML to JSON: ",
        "unable to parse YAML: json: offset ",
        "unable to parse YAML: invalid character ",
        "unable to extract tarball: ",
        "error unpacking subchart ",
    ];
    const SCHEMAS: [&str; 2] = ["values don't meet the specifications", "[ERROR] values.yaml: "];
    if same_words(theirs, ours) {
        return true;
    }
    // A reader of a file, that says where in it, or that it cannot go on.
    if READERS
        .iter()
        .any(|reader| theirs.contains(reader) && (ours.contains(reader) || ours.contains("json: offset ")))
    {
        return true;
    }
    if !SCHEMAS
        .iter()
        .any(|schema| theirs.contains(schema) && ours.contains(schema))
        || theirs.contains("unable to parse YAML")
    {
        return false;
    }
    // A schema that is none, beside which another chart's may have something against values.
    if ours.contains("values.schema.json")
        && (theirs.contains("file:///values.schema.json") || places(theirs) == places(ours))
    {
        return true;
    }
    // What a schema has against values, in the order of a map.
    same_words(&without_values(theirs), ours)
}

/// Findings of a schema without the values that helm shows.
fn without_values(text: &str) -> String {
    let line = |line: &str| {
        let (place, _) = line.split_once("': ")?;
        if let Some((_, pattern)) = line.split_once(" does not match pattern ") {
            return Some(format!("{place}': value does not match pattern {pattern}"));
        }
        let (_, format) = line.split_once(" is not valid ")?;
        let (format, _) = format.split_once(": ")?;
        Some(format!("{place}': value is not valid {format}"))
    };
    let lines: Vec<String> = text
        .lines()
        .map(|text| line(text).unwrap_or_else(|| text.to_owned()))
        .collect();
    lines.join("\n")
}

/// The same words in another order.
fn same_words(theirs: &str, ours: &str) -> bool {
    let words = |text: &str| {
        let mut words: Vec<String> = text
            .split(|c: char| c.is_whitespace() || c == ',')
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        words.sort();
        words
    };
    words(theirs) == words(ours)
}

/// Where values are that a schema refuses.
fn places(text: &str) -> Vec<&str> {
    let places = text.split("- at '").skip(1);
    let mut places: Vec<&str> = places
        .map(|place| place.split_once('\'').map_or(place, |(place, _)| place))
        .collect();
    places.sort_unstable();
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(out: &str) -> Said {
        Said {
            out: out.to_owned(),
            error: String::new(),
            success: true,
        }
    }

    #[test]
    fn findings_are_alike_in_the_same_words_or_as_readers_say_them() {
        let words = said("==> Linting x\n[ERROR] a.yaml: error converting YAML to JSON: yaml: line 2: no\n");
        let other_words =
            said("==> Linting x\n[ERROR] a.yaml: error converting YAML to JSON: yaml: line 1: nope\n");
        assert_eq!(judge(&words, &words), Verdict::Same);
        assert!(matches!(judge(&words, &other_words), Verdict::Words(..)));
        let refused = |error: &str| Said {
            error: error.to_owned(),
            ..words.clone()
        };
        let theirs = refused("failed to parse v.yaml: error converting YAML to JSON: yaml: line 2: no");
        let ours =
            refused("failed to parse v.yaml: error converting YAML to JSON: yaml: line 2, column 1: no");
        assert!(matches!(judge(&theirs, &ours), Verdict::Words(..)));
        assert_eq!(judge(&theirs, &words), Verdict::Differ);
        let other_file =
            said("==> Linting x\n[ERROR] b.yaml: error converting YAML to JSON: yaml: line 1: nope\n");
        assert_eq!(judge(&words, &other_file), Verdict::Differ);
        let other_fault = said("==> Linting x\n[ERROR] a.yaml: icon is recommended\n");
        assert_eq!(judge(&words, &other_fault), Verdict::Differ);
        let two = said("==> Linting x\n[WARNING] a.yaml: x\n[WARNING] a.yaml: y\n");
        let one = said("==> Linting x\n[WARNING] a.yaml: x\n");
        assert_eq!(judge(&two, &one), Verdict::Differ);
    }

    #[test]
    fn schemas_say_the_same_but_for_values_and_order() {
        let block = |lines: &str| said(&format!("==> Linting x\n[ERROR] values.yaml: {lines}\n"));
        let theirs =
            block("- at '/a': 'x' does not match pattern '^y'\n- at '': missing properties 'a', 'b'");
        for (ours, is_alike) in [
            (
                "- at '': missing properties 'b', 'a'\n- at '/a': value does not match pattern '^y'",
                true,
            ),
            ("- at '': missing properties 'b', 'a'", false),
            (
                "- at '': missing properties 'b', 'c'\n- at '/a': value does not match pattern '^y'",
                false,
            ),
            ("values.schema.json: is not valid", false),
        ] {
            let verdict = judge(&theirs, &block(ours));
            assert_eq!(verdict != Verdict::Differ, is_alike, "{ours}");
        }
    }

    #[test]
    fn archives_have_the_same_name() {
        let theirs = said(&without_unpacked("[WARNING] /tmp/helm-lint123/top: missing\n"));
        assert_eq!(
            judge(&theirs, &said("[WARNING] /a/b/chart.tgz: missing\n")),
            Verdict::Same
        );
    }
}
