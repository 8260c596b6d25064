//! What kyaml prints for a tree: yaml v3's emitter with an indent of 2.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::scalar::{analyze, write};
use super::writer::{Flavor, Step, Writer};
use crate::{Data, Dialect, Document, Node, Style, Tag, resolve};

/// Where the dashes of a sequence below a key stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SequenceIndent {
    /// Under the key's first character: kyaml's default.
    #[default]
    Compact,
    /// Two spaces in.
    Wide,
}

/// Prints a tree in kyaml's default layout; the text ends with a line feed.
pub fn kyaml(node: &Node) -> String {
    kyaml_with(node, SequenceIndent::Compact)
}

/// Prints a tree.
pub fn kyaml_with(root: &Node, sequences: SequenceIndent) -> String {
    print(root, sequences, "", "")
}

/// Prints a document with the comments around its root; nothing for a document without content.
pub fn document(document: &Document, sequences: SequenceIndent) -> String {
    let head = document.head_comment.as_deref().unwrap_or_default();
    let foot = document.foot_comment.as_deref().unwrap_or_default();
    match &document.root {
        Some(root) => print(root, sequences, head, foot),
        None => String::new(),
    }
}

fn print(root: &Node, sequences: SequenceIndent, head: &str, foot: &str) -> String {
    let mut emitter = Emitter {
        writer: Writer::new(Flavor::V3),
        sequences,
        waiting: Waiting::default(),
    };
    if !head.is_empty() {
        emitter.writer.head_comment(head);
        emitter.writer.blank_line();
    }
    emitter.announce(root, "");
    emitter.write_head();
    emitter.node(root, Place::Root, false);
    if !foot.is_empty() {
        emitter.waiting.foot = foot;
    }
    emitter.writer.finish(emitter.waiting.foot);
    emitter.writer.out
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Item,
    Key,
    Value,
}

/// Comments that are to be written when there is a place for them, none being empty. yaml v3's emitter, too, has one place
/// for each kind: a later comment drives out an earlier one that found no place, and one that found none where it belongs
/// is written where the next one could be.
#[derive(Default)]
struct Waiting<'a> {
    head: &'a str,
    line: &'a str,
    foot: &'a str,
    /// Below the entry before the one that comes.
    tail: &'a str,
    /// Behind a key whose value is not written yet.
    key_line: &'a str,
}

impl Waiting<'_> {
    /// Whether something comes behind the node that comes.
    fn has_more(&self) -> bool {
        !(self.line.is_empty() && self.foot.is_empty() && self.tail.is_empty())
    }
}

fn replace<'a>(known: &mut &'a str, new: &'a str) {
    if !new.is_empty() {
        *known = new;
    }
}

struct Emitter<'a> {
    writer: Writer,
    sequences: SequenceIndent,
    waiting: Waiting<'a>,
}

impl<'a> Emitter<'a> {
    /// Takes in the comments of a node that comes, and what is below the entry before it. Those behind and below a
    /// collection come at its end.
    fn announce(&mut self, node: &'a Node, tail: &'a str) {
        let is_collection = matches!(node.data(), Data::Sequence(_) | Data::Mapping(_));
        if matches!(node.data(), Data::Scalar(_) | Data::Mapping(_)) {
            replace(&mut self.waiting.tail, tail);
        }
        if let Some(comments) = node.comments() {
            replace(&mut self.waiting.head, &comments.head);
            if !is_collection {
                replace(&mut self.waiting.line, &comments.line);
                replace(&mut self.waiting.foot, &comments.foot);
            }
        }
    }

    /// Takes in the comments that come with the end of a collection.
    fn announce_end(&mut self, node: &'a Node, foot: &'a str, tail: &'a str) {
        replace(&mut self.waiting.tail, tail);
        if let Some(comments) = node.comments() {
            replace(&mut self.waiting.line, &comments.line);
        }
        replace(&mut self.waiting.foot, foot);
    }

    fn write_head(&mut self) {
        self.writer.foot_comment(std::mem::take(&mut self.waiting.tail));
        self.writer.head_comment(std::mem::take(&mut self.waiting.head));
    }

    fn write_line_and_foot(&mut self) {
        self.writer.line_comment(std::mem::take(&mut self.waiting.line));
        self.writer.foot_comment(std::mem::take(&mut self.waiting.foot));
    }

    /// Writes a node whose comments were announced, and those behind and below it.
    fn node(&mut self, node: &'a Node, place: Place, in_flow: bool) {
        self.begin(node, place);
        if in_flow && self.waiting.has_more() {
            self.writer.indicator(",", false, false, false);
        }
        self.write_line_and_foot();
        self.members(node, place, node.foot());
    }

    /// Writes a scalar or an alias, and of a collection what stands before its members.
    fn begin(&mut self, node: &'a Node, place: Place) {
        if let Some(anchor) = node.anchor() {
            self.writer.property(&format!("&{anchor}"));
        }
        match node.data() {
            Data::Alias(name) => self.writer.property(&format!("*{name}")),
            Data::Scalar(text) => self.scalar(node, text, place),
            Data::Sequence(_) => self.collection_tag(node, Tag::Seq),
            Data::Mapping(_) => self.collection_tag(node, Tag::Map),
        }
    }

    /// Writes the members of a collection, and what is below it.
    fn members(&mut self, node: &'a Node, place: Place, foot: &'a str) {
        let in_flow = self.writer.flow_level > 0 || node.style() == Style::Flow;
        match node.data() {
            Data::Sequence(items) if in_flow || items.is_empty() => self.flow_sequence(node, items, foot),
            Data::Sequence(items) => self.block_sequence(node, items, place, foot),
            Data::Mapping(entries) if in_flow || entries.is_empty() => self.flow_mapping(node, entries, foot),
            Data::Mapping(entries) => self.block_mapping(node, entries, foot),
            Data::Scalar(_) | Data::Alias(_) => {}
        }
    }

    fn collection_tag(&mut self, node: &Node, natural: Tag) {
        if node.tag_is_explicit() || (node.tag() != Tag::None && node.tag() != natural) {
            self.tag(node.tag_text());
        }
    }

    fn tag(&mut self, text: &str) {
        let handle = text.len()
            - text
                .strip_prefix("!!")
                .or_else(|| text.strip_prefix('!'))
                .unwrap_or(text)
                .len();
        let (handle, suffix) = text.split_at(handle);
        let suffix = escaped(suffix);
        if !handle.is_empty() {
            self.writer.property(&format!("{handle}{suffix}"));
        } else if !suffix.is_empty() {
            self.writer.property(&format!("!<{suffix}>"));
        }
    }

    fn scalar(&mut self, node: &Node, text: &str, place: Place) {
        let (style, tag) = scalar_style(node, text);
        if let Some(tag) = tag {
            self.tag(tag);
        }
        let is_written = write(
            &mut self.writer,
            text,
            style,
            place == Place::Key,
            self.waiting.line,
        );
        if is_written {
            self.waiting.line = "";
        }
    }

    fn block_sequence(&mut self, node: &'a Node, items: &'a [Node], place: Place, foot: &'a str) {
        let below_key = place == Place::Value
            && self.sequences == SequenceIndent::Compact
            && (self.writer.at_line_start() || !self.writer.indention);
        let step = if below_key { Step::None } else { Step::Block };
        let before = self.writer.indent;
        self.writer.indent = deeper(before, step);
        for item in items {
            self.announce(item, "");
            self.write_head();
            self.writer.write_indent();
            self.writer.indicator("-", true, false, true);
            self.node(item, Place::Item, false);
        }
        self.announce_end(node, foot, "");
        self.writer.indent = before;
    }

    fn block_mapping(&mut self, node: &'a Node, entries: &'a [(Node, Node)], foot: &'a str) {
        let before = self.writer.indent;
        self.writer.indent = deeper(before, Step::Block);
        let mut tail = "";
        for (key, value) in entries {
            self.announce_key(key, &mut tail);
            self.write_head();
            self.writer.write_indent();
            replace(&mut self.waiting.key_line, std::mem::take(&mut self.waiting.line));
            self.key(key);
            self.announce(value, "");
            if !self.waiting.key_line.is_empty() {
                match value.data() {
                    Data::Scalar(_) if self.waiting.line.is_empty() => {
                        self.waiting.line = std::mem::take(&mut self.waiting.key_line);
                    }
                    Data::Sequence(_) | Data::Mapping(_) if value.style() != Style::Flow => {
                        self.writer
                            .line_comment(std::mem::take(&mut self.waiting.key_line));
                    }
                    _ => {}
                }
            }
            self.node(value, Place::Value, false);
        }
        self.announce_end(node, foot, tail);
        self.write_head();
        self.writer.indent = before;
    }

    /// Takes in the comments of a key. What is below its entry comes after the value.
    fn announce_key(&mut self, key: &'a Node, tail: &mut &'a str) {
        let below = std::mem::replace(tail, key.foot());
        let foot = self.waiting.foot;
        self.announce(key, below);
        if !key.foot().is_empty() {
            self.waiting.foot = foot;
        }
    }

    /// Writes a key and its colon. What is below it is below its entry.
    fn key(&mut self, key: &'a Node) {
        if self.is_simple(key) {
            self.begin(key, Place::Key);
            self.members(key, Place::Key, "");
            self.writer.indicator(":", false, false, false);
        } else {
            self.writer.indicator("?", true, false, true);
            self.begin(key, Place::Value);
            self.members(key, Place::Value, "");
            if self.writer.flow_level == 0 {
                self.writer.write_indent();
            }
            self.writer.indicator(":", true, false, true);
        }
    }

    fn is_simple(&self, key: &Node) -> bool {
        let extra = key.anchor().map_or(0, |anchor| anchor.len());
        match key.data() {
            Data::Alias(_) => true,
            Data::Scalar(text) => text.len() + extra <= 128 && !analyze(text, self.writer.flavor).multiline,
            Data::Sequence(items) => items.is_empty(),
            Data::Mapping(entries) => entries.is_empty(),
        }
    }

    fn flow_sequence(&mut self, node: &'a Node, items: &'a [Node], foot: &'a str) {
        self.writer.indicator("[", true, true, false);
        let before = self.open_flow();
        let mut has_comma = true;
        for item in items {
            self.announce(item, "");
            self.begin_member(has_comma);
            has_comma = self.waiting.has_more();
            self.node(item, Place::Item, true);
        }
        self.announce_end(node, foot, "");
        self.close_flow(before);
        if self.writer.at_line_start() {
            self.writer.write_indent();
        }
        self.writer.indicator("]", false, false, false);
        self.write_line_and_foot();
    }

    fn flow_mapping(&mut self, node: &'a Node, entries: &'a [(Node, Node)], foot: &'a str) {
        self.writer.indicator("{", true, true, false);
        let before = self.open_flow();
        let mut has_comma = true;
        let mut tail = "";
        for (key, value) in entries {
            self.announce_key(key, &mut tail);
            self.begin_member(has_comma);
            self.key(key);
            self.announce(value, "");
            has_comma = self.waiting.has_more();
            self.node(value, Place::Value, true);
        }
        self.announce_end(node, foot, tail);
        let waiting = &self.waiting;
        let has_more = [waiting.head, waiting.foot, waiting.tail]
            .iter()
            .any(|text| !text.is_empty());
        if !has_comma && has_more {
            self.writer.indicator(",", false, false, false);
        }
        self.write_head();
        self.close_flow(before);
        self.writer.indicator("}", false, false, false);
        self.write_line_and_foot();
    }

    /// Writes what stands before a member of a flow collection: a comma, unless the one before it has it already.
    fn begin_member(&mut self, has_comma: bool) {
        if !has_comma {
            self.writer.indicator(",", false, false, false);
        }
        self.write_head();
        if self.writer.at_line_start() {
            self.writer.write_indent();
        }
    }

    fn open_flow(&mut self) -> i32 {
        let before = self.writer.indent;
        self.writer.indent = deeper(before, Step::Flow);
        self.writer.flow_level += 1;
        before
    }

    fn close_flow(&mut self, before: i32) {
        self.writer.flow_level -= 1;
        self.writer.indent = before;
    }
}

/// The suffix of a tag, with what is no character of a URI for yaml v3 escaped.
fn escaped(suffix: &str) -> Cow<'_, str> {
    let stays = |byte: u8| byte.is_ascii_alphanumeric() || b"_-;/?:@&=+$,.~*'()[]".contains(&byte);
    if suffix.bytes().all(stays) {
        return Cow::Borrowed(suffix);
    }
    let mut text = String::new();
    for byte in suffix.bytes() {
        if stays(byte) {
            text.push(char::from(byte));
        } else {
            // Into a text there is no failure.
            let _infallible = write!(text, "%{byte:02X}");
        }
    }
    Cow::Owned(text)
}

fn deeper(indent: i32, step: Step) -> i32 {
    match step {
        Step::Flow if indent < 0 => super::writer::INDENT,
        _ if indent < 0 => 0,
        Step::None => indent,
        _ => indent + super::writer::INDENT,
    }
}

/// The style to wish for, and the tag if the text alone would not read back as the same.
fn scalar_style<'a>(node: &'a Node, text: &str) -> (Style, Option<&'a str>) {
    let mut tag = (node.tag() != Tag::None).then(|| node.tag_text());
    let mut quote = false;
    if tag.is_some() && !node.tag_is_explicit() {
        let quoted = !matches!(node.style(), Style::Plain | Style::Flow);
        if node.tag() == Tag::Str && quoted {
            tag = None;
        } else {
            let found = resolve(text, Dialect::Kyaml).tag();
            if found == node.tag() {
                tag = None;
            } else if node.tag() == Tag::Str {
                tag = None;
                quote = true;
            }
        }
    }
    let style = match node.style() {
        Style::Plain | Style::Flow if text.contains('\n') => Style::Literal,
        Style::Plain | Style::Flow if quote => Style::DoubleQuoted,
        style => style,
    };
    (style, tag)
}
