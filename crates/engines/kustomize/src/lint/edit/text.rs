//! The lines of a kustomization file, and changes to them.

use std::ops::Range;

use weir_yaml::{Data, Node, Style, emit};

use super::Edited;
use crate::lint::finding::Change;
use crate::lint::source::Source;

/// A file's lines, each with its end.
pub(super) struct Lines<'a> {
    lines: Vec<&'a str>,
    /// How lines end.
    pub(super) end: &'static str,
}

/// A field at the top of the file.
pub(super) struct Section<'a> {
    key_node: &'a Node,
    pub(super) value: &'a Node,
    /// The first line of the comment above it.
    head: usize,
    /// The line of its key.
    pub(super) key: usize,
    /// One past the last line of its value.
    pub(super) stop: usize,
}

/// Where new items go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    Start,
    End,
}

/// Replaced ranges of lines, which do not overlap.
#[derive(Default)]
pub(super) struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    pub(super) fn replace(&mut self, range: Range<usize>, text: String) {
        self.0.push((range, text));
    }
}

impl<'a> Lines<'a> {
    /// The lines of a file whose fields stand in a block at its left margin.
    pub(super) fn of(source: &'a Source) -> Option<Self> {
        let is_block = source.node.style() == Style::Plain
            && source
                .node
                .entries()?
                .iter()
                .all(|(key, _)| key.span().column == 1);
        is_block.then(|| Self {
            lines: source.text.split_inclusive('\n').collect(),
            end: if source.text.contains("\r\n") {
                "\r\n"
            } else {
                "\n"
            },
        })
    }

    pub(super) fn line(&self, at: usize) -> &'a str {
        self.lines.get(at).copied().unwrap_or_default()
    }

    /// The number of a node's line, from 0.
    pub(super) fn of_node(node: &Node) -> Option<usize> {
        usize::try_from(node.span().line).ok()?.checked_sub(1)
    }

    /// A field of the file; nothing if it is there twice.
    pub(super) fn section<'n>(&self, source: &'n Source, name: &str) -> Option<Section<'n>> {
        let entries = source.node.entries()?;
        let is_it = |key: &Node| key.as_str().is_some_and(|key| key.eq_ignore_ascii_case(name));
        let mut places = entries.iter().enumerate().filter(|(_, (key, _))| is_it(key));
        let (place, (key_node, value)) = places.next()?;
        if places.next().is_some() {
            return None;
        }
        let key = Self::of_node(key_node)?;
        let limit = match entries.get(place + 1) {
            Some((next, _)) => self.head(Self::of_node(next)?),
            None => self.document_end(key),
        };
        let mut stop = limit;
        while stop > key + 1 && is_blank_or_margin_comment(self.line(stop - 1)) {
            stop -= 1;
        }
        Some(Section {
            key_node,
            value,
            head: self.head(key),
            key,
            stop,
        })
    }

    /// The first line of the comment that stands right above a line, at the margin.
    fn head(&self, line: usize) -> usize {
        let mut head = line;
        while head > 0 && self.line(head - 1).starts_with('#') {
            head -= 1;
        }
        head
    }

    fn document_end(&self, from: usize) -> usize {
        let ends = |line: &&str| line.starts_with("---") || line.starts_with("...");
        let after = self.lines.iter().skip(from + 1).position(ends);
        after.map_or(self.lines.len(), |at| from + 1 + at)
    }

    /// The line of a scalar, taken apart: before it, as it is written, behind it. Nothing if it does not end on the line, or has
    /// a tag or an anchor.
    pub(super) fn around(&self, node: &Node) -> Option<(&'a str, &'a str, &'a str)> {
        let line = self.line(Self::of_node(node)?);
        let column = usize::try_from(node.span().column).ok()?.checked_sub(1)?;
        let start = line.char_indices().map(|(at, _)| at).nth(column)?;
        let (before, rest) = line.split_at_checked(start)?;
        let length = match node.style() {
            Style::Plain => node.as_str().filter(|text| rest.starts_with(text))?.len(),
            Style::SingleQuoted | Style::DoubleQuoted => quoted(rest)?,
            _ => return None,
        };
        let (written, behind) = rest.split_at_checked(length)?;
        Some((before, written, behind))
    }

    /// The key's line with another key.
    pub(super) fn renamed(&self, section: &Section<'_>, name: &str) -> Option<String> {
        let (_, _, behind) = self.around(section.key_node)?;
        Some(format!("{name}{behind}"))
    }

    /// What stands behind the key's colon on its line, with the line's end.
    pub(super) fn behind_key(&self, section: &Section<'_>) -> Option<&'a str> {
        let (before, behind) = self.around(section.key_node)?.2.split_once(':')?;
        before.trim().is_empty().then_some(behind)
    }

    /// The lines of a list's items from the margin on, each with the comment above it.
    pub(super) fn items(&self, section: &Section<'_>) -> Option<Vec<String>> {
        if section.value.is_null() {
            return Some(Vec::new());
        }
        let nodes = section.value.items()?;
        if section.value.style() == Style::Flow {
            return Some(nodes.iter().map(|node| self.printed(node)).collect());
        }
        let (dashes, indent) = self.dashes(section, nodes.len())?;
        let mut starts: Vec<usize> = dashes
            .iter()
            .enumerate()
            .map(|(number, dash)| {
                let mut start = *dash;
                let floor = if number == 0 { section.key + 1 } else { 0 };
                while start > floor && self.is_comment_at(start - 1, indent) {
                    start -= 1;
                }
                start
            })
            .collect();
        if let Some(first) = starts.first_mut() {
            *first = section.key + 1;
        }
        starts.push(section.stop);
        let chunks = starts.windows(2).map(|pair| match pair {
            [from, to] => (*from..*to).map(|line| self.without(line, indent)).collect(),
            _ => String::new(),
        });
        Some(chunks.collect())
    }

    /// The lines on which the items of a block list start, and how far in their dashes stand.
    fn dashes(&self, section: &Section<'_>, count: usize) -> Option<(Vec<usize>, usize)> {
        let dash = |line: usize| {
            let text = self.line(line);
            let inner = text.trim_start_matches(' ');
            let is_dash = inner
                .strip_prefix('-')
                .is_some_and(|rest| rest.starts_with([' ', '\n', '\r']) || rest.is_empty());
            is_dash.then(|| text.len() - inner.len())
        };
        let lines = section.key + 1..section.stop;
        let indent = lines.clone().find_map(dash)?;
        let dashes: Vec<usize> = lines.filter(|line| dash(*line) == Some(indent)).collect();
        (dashes.len() == count).then_some((dashes, indent))
    }

    fn is_comment_at(&self, line: usize, indent: usize) -> bool {
        let text = self.line(line);
        let inner = text.trim_start_matches(' ');
        inner.starts_with('#') && text.len() - inner.len() <= indent
    }

    /// A line with less space before it, and an end.
    fn without(&self, line: usize, indent: usize) -> String {
        let text = self.line(line);
        let spaces = text.len() - text.trim_start_matches(' ').len();
        let mut rest = text.get(spaces.min(indent)..).unwrap_or(text).to_owned();
        if !rest.ends_with('\n') {
            rest.push_str(self.end);
        }
        rest
    }

    /// A range of lines moved to the right or to the left; empty ones stay.
    pub(super) fn shifted(&self, range: Range<usize>, from: usize, to: usize) -> String {
        range
            .map(|line| {
                let text = self.without(line, from);
                if text.trim().is_empty() {
                    text
                } else {
                    format!("{}{text}", " ".repeat(to))
                }
            })
            .collect()
    }

    /// An item as values/yaml prints it, behind a dash.
    pub(super) fn printed(&self, node: &Node) -> String {
        indented_item(&emit::kyaml(node), self.end)
    }

    /// The comment above a section.
    pub(super) fn heads(&self, section: &Section<'_>) -> Vec<String> {
        (section.head..section.key)
            .map(|line| self.without(line, 0))
            .collect()
    }

    /// The comment behind a section's key, or behind a value that stands on the key's line; empty without one.
    pub(super) fn key_comment(&self, section: &Section<'_>) -> String {
        let behind = self.behind_key(section).unwrap_or_default().trim();
        let of_value = section
            .value
            .comments()
            .map_or("", |comments| comments.line.as_str());
        let comment = if behind.starts_with('#') { behind } else { of_value };
        if comment.is_empty() {
            String::new()
        } else {
            format!(" {comment}")
        }
    }

    /// The comments of a section that goes: above its key and behind it.
    pub(super) fn leftovers(&self, section: &Section<'_>) -> Vec<String> {
        let mut lines = self.heads(section);
        let comment = self.key_comment(section);
        if !comment.is_empty() {
            lines.push(format!("{}{}", comment.trim_start(), self.end));
        }
        lines
    }

    /// Adds items, given from the margin on, to a list.
    pub(super) fn add(
        &self,
        section: &Section<'_>,
        items: Vec<String>,
        at: At,
        edits: &mut Edits,
    ) -> Option<()> {
        let count = section.value.items().unwrap_or_default().len();
        let is_block = section.value.style() == Style::Plain && count > 0;
        if !is_block {
            // A list in one line, or none: it is written anew.
            let comment = self.key_comment(section);
            let key = self.renamed(section, section.key_node.as_str()?)?;
            let (key, _) = key.split_once(':')?;
            let mut all = vec![format!("{key}:{comment}{}", self.end)];
            let old = self.items(section)?;
            match at {
                At::End => all.extend(old.into_iter().chain(items)),
                At::Start => all.extend(items.into_iter().chain(old)),
            }
            edits.replace(section.key..section.stop, all.concat());
            return Some(());
        }
        let (dashes, indent) = self.dashes(section, count)?;
        let text: String =
            items
                .iter()
                .flat_map(|item| item.split_inclusive('\n'))
                .fold(String::new(), |mut out, line| {
                    if !line.trim().is_empty() {
                        out.push_str(&" ".repeat(indent));
                    }
                    out.push_str(line);
                    out
                });
        match at {
            At::End => {
                // The last line of the file may have no end.
                let last = self.line(section.stop - 1);
                let text = if last.ends_with('\n') {
                    text
                } else {
                    format!("{last}{}{text}", self.end)
                };
                let from = if last.ends_with('\n') {
                    section.stop
                } else {
                    section.stop - 1
                };
                edits.replace(from..section.stop, text);
            }
            At::Start => {
                let mut first = *dashes.first()?;
                while first > section.key + 1 && self.is_comment_at(first - 1, indent) {
                    first -= 1;
                }
                edits.replace(first..first, text);
            }
        }
        Some(())
    }

    /// Takes a section out, with the comment above it and the blank lines that were around it.
    pub(super) fn remove(&self, section: &Section<'_>, edits: &mut Edits) {
        let is_blank = |line: usize| self.line(line).trim().is_empty();
        let mut stop = section.stop;
        // Of two gaps one is enough.
        let has_gap_above = section.head == 0 || is_blank(section.head - 1);
        while has_gap_above && stop < self.lines.len() && is_blank(stop) {
            stop += 1;
        }
        edits.replace(section.head..stop, String::new());
    }

    /// Makes the edits.
    pub(super) fn apply(&self, edits: Edits) -> Edited {
        let mut edits = edits.0;
        edits.sort_by_key(|(range, _)| (range.start, range.end));
        let mut text = String::new();
        let (mut before, mut after) = (String::new(), String::new());
        let mut at = 0;
        for (range, new) in &edits {
            text.extend((at..range.start).map(|line| self.line(line)));
            text.push_str(new);
            before.extend(range.clone().map(|line| self.line(line)));
            after.push_str(new);
            at = range.end;
        }
        text.extend((at..self.lines.len()).map(|line| self.line(line)));
        Edited {
            text,
            change: Change { before, after },
        }
    }
}

/// How long the quoted scalar is that a text starts with.
fn quoted(text: &str) -> Option<usize> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let mut escapes = false;
    let mut places = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = places.next() {
        if std::mem::take(&mut escapes) {
            continue;
        }
        if c == quote {
            let is_doubled = quote == '\'' && places.next_if(|(_, next)| *next == quote).is_some();
            if !is_doubled {
                return Some(at + 1);
            }
        }
        escapes = quote == '"' && c == '\\';
    }
    None
}

fn is_blank_or_margin_comment(line: &str) -> bool {
    line.trim().is_empty() || line.starts_with('#')
}

/// Lines behind a dash: the first behind it, the others as far in.
pub(super) fn indented_item(text: &str, end: &str) -> String {
    let mut out = String::new();
    for (number, line) in text.lines().enumerate() {
        let lead = match (number, line.is_empty()) {
            (0, _) => "- ",
            (_, true) => "",
            (_, false) => "  ",
        };
        out.push_str(lead);
        out.push_str(line);
        out.push_str(end);
    }
    out
}

/// Whether a scalar's text is a block: `|` or `>`.
pub(super) fn is_block_scalar(node: &Node) -> bool {
    matches!(
        (node.data(), node.style()),
        (Data::Scalar(_), Style::Literal | Style::Folded)
    )
}
