//! Small changes to inputs.

use super::Input;
use crate::dice::Dice;

/// What YAML and kustomize have a meaning for.
const WORDS: &[&str] = &[
    "---\n",
    "...\n",
    ": ",
    "- ",
    "? ",
    "|",
    ">",
    "|+\n",
    ">-\n",
    "|2\n",
    "&a ",
    "*a",
    "<<: ",
    "!!str ",
    "!!binary ",
    "!!int ",
    "!x ",
    "{",
    "}",
    "[",
    "]",
    ",",
    "\"",
    "'",
    "#",
    " #",
    "\n",
    "\r\n",
    "\t",
    " ",
    "  ",
    "%YAML 1.2\n",
    "\u{feff}",
    "\u{85}",
    "\u{2028}",
    "\0",
    "\\",
    "~",
    "null",
    "true",
    "0x",
    "1e999",
    ".nan",
    "-.inf",
    "2024-01-01",
    "{{",
    "}}",
    "{{- ",
    " -}}",
    "{{end}}",
    "{{else}}",
    "{{define \"t0\"}}",
    " | ",
    "$.Values.",
    "(list 1 2)",
    "range $i, $x := ",
    "include \"t0\" .",
    "toYaml",
    "\"apply_method\":",
    "$patch: delete\n",
    "$patch: replace\n",
    "$retainKeys: [a]\n",
    "$setElementOrder/a: [b]\n",
    "resources: [.]\n",
    "resources: [a.yaml]\n",
    "namePrefix: ",
    "$(A)",
    "items:",
    "kind: List\n",
    "*",
    ".*",
    "(",
    "0",
    "-1",
    "99999999999999999999",
    "metadata",
    "name",
    "/",
    "~1",
    "..",
    "=",
];

/// Changes one file in one to four places.
pub(super) fn mutate(dice: &mut Dice, input: &mut Input, corpus: &[Input]) {
    if input.is_empty() {
        return;
    }
    for _ in 0..=dice.below(4) {
        let at = dice.below(input.len());
        let other = dice
            .one(corpus)
            .cloned()
            .and_then(|other| other.into_iter().next());
        if let Some((_, content)) = input.get_mut(at) {
            change(
                dice,
                content,
                other.map(|(_, content)| content).unwrap_or_default(),
            );
        }
    }
}

fn change(dice: &mut Dice, content: &mut Vec<u8>, other: Vec<u8>) {
    let length = content.len();
    let from = dice.below(length + 1);
    let to = (from + 1 + dice.below(24)).min(length);
    match dice.below(9) {
        0 if from < length => {
            if let Some(byte) = content.get_mut(from) {
                *byte ^= 1 << dice.below(8);
            }
        }
        1 if from < to => {
            content.drain(from..to);
        }
        2 if from < to => {
            let piece = content.get(from..to).unwrap_or_default().to_vec();
            let times = 1 + dice.below(3);
            for _ in 0..times {
                content.splice(to..to, piece.iter().copied());
            }
        }
        3 => {
            let start = dice.below(other.len() + 1);
            let end = (start + dice.below(200)).min(other.len());
            content.splice(
                from..from,
                other.get(start..end).unwrap_or_default().iter().copied(),
            );
        }
        4 => lines(dice, content),
        5 if from < length => content.truncate(from),
        _ => {
            let word = dice.pick(WORDS);
            content.splice(from..from, word.bytes());
        }
    }
}

/// Moves, doubles, indents or drops a line.
fn lines(dice: &mut Dice, content: &mut Vec<u8>) {
    let mut lines: Vec<Vec<u8>> = content
        .split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    if lines.is_empty() {
        return;
    }
    let at = dice.below(lines.len());
    let line = lines.remove(at);
    match dice.below(4) {
        0 => {}
        1 => {
            lines.insert(at, line.clone());
            lines.insert(at, line);
        }
        2 => {
            let to = dice.below(lines.len() + 1);
            lines.insert(to, line);
        }
        _ => {
            let mut indented = vec![b' '; dice.below(4)];
            indented.extend(line);
            lines.insert(at, indented);
        }
    }
    *content = lines.concat();
}
