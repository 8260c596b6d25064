//! What kyaml prints for a tree: yaml v3's emitter with an indent of 2.

use super::scalar::{analyze, write};
use super::writer::{Flavor, Step, Writer};
use crate::{Comments, Data, Dialect, Document, Node, Style, Tag, resolve};

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
    };
    if !head.is_empty() {
        emitter.writer.head_comment(head);
        emitter.writer.blank_line();
    }
    let comments = Text::of(root);
    emitter.writer.head_comment(comments.head);
    emitter.node(root, Place::Root, comments.line);
    emitter.writer.foot_comment(comments.foot);
    emitter.writer.finish(foot);
    emitter.writer.out
}

/// The comments of a node, none being empty.
struct Text<'a> {
    head: &'a str,
    line: &'a str,
    foot: &'a str,
}

impl<'a> Text<'a> {
    fn of(node: &'a Node) -> Self {
        static NONE: Comments = Comments {
            head: String::new(),
            line: String::new(),
            foot: String::new(),
        };
        let comments = node.comments().unwrap_or(&NONE);
        Self {
            head: &comments.head,
            line: &comments.line,
            foot: &comments.foot,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Item,
    Key,
    Value,
}

struct Emitter {
    writer: Writer,
    sequences: SequenceIndent,
}

impl Emitter {
    /// Writes a node and its line comment.
    fn node(&mut self, node: &Node, place: Place, line_comment: &str) {
        if let Some(anchor) = node.anchor() {
            self.writer.property(&format!("&{anchor}"));
        }
        match &node.data {
            Data::Alias(name) => {
                self.writer.property(&format!("*{name}"));
                self.writer.line_comment(line_comment);
            }
            Data::Scalar(text) => self.scalar(node, text, place, line_comment),
            Data::Sequence(items) => {
                self.collection_tag(node, Tag::Seq);
                if self.writer.flow_level > 0 || node.style == Style::Flow || items.is_empty() {
                    self.flow_sequence(items);
                    self.writer.line_comment(line_comment);
                } else {
                    self.block_sequence(items, place);
                }
            }
            Data::Mapping(entries) => {
                self.collection_tag(node, Tag::Map);
                if self.writer.flow_level > 0 || node.style == Style::Flow || entries.is_empty() {
                    self.flow_mapping(entries);
                    self.writer.line_comment(line_comment);
                } else {
                    self.block_mapping(entries);
                }
            }
        }
    }

    fn collection_tag(&mut self, node: &Node, natural: Tag) {
        if node.tag_is_explicit || (node.tag != Tag::None && node.tag != natural) {
            self.tag(node.tag_text());
        }
    }

    fn tag(&mut self, text: &str) {
        if text.starts_with('!') {
            self.writer.property(text);
        } else if !text.is_empty() {
            self.writer.property(&format!("!<{text}>"));
        }
    }

    fn scalar(&mut self, node: &Node, text: &str, place: Place, line_comment: &str) {
        let (style, tag) = scalar_style(node, text);
        if let Some(tag) = tag {
            self.tag(tag);
        }
        let used = write(&mut self.writer, text, style, place == Place::Key, line_comment);
        if !used {
            self.writer.line_comment(line_comment);
        }
    }

    fn block_sequence(&mut self, items: &[Node], place: Place) {
        let below_key = place == Place::Value
            && self.sequences == SequenceIndent::Compact
            && (self.writer.at_line_start() || !self.writer.indention);
        let step = if below_key { Step::None } else { Step::Block };
        let before = self.writer.indent;
        self.writer.indent = deeper(before, step);
        for item in items {
            let comments = Text::of(item);
            self.writer.head_comment(comments.head);
            self.writer.write_indent();
            self.writer.indicator("-", true, false, true);
            self.node(item, Place::Item, comments.line);
            self.writer.foot_comment(comments.foot);
        }
        self.writer.indent = before;
    }

    fn block_mapping(&mut self, entries: &[(Node, Node)]) {
        let before = self.writer.indent;
        self.writer.indent = deeper(before, Step::Block);
        for (key, value) in entries {
            let of_key = Text::of(key);
            let of_value = Text::of(value);
            self.writer.head_comment(of_key.head);
            self.writer.write_indent();
            self.key(key);
            let mut line_comment = of_value.line;
            if !of_key.line.is_empty() {
                match &value.data {
                    Data::Scalar(_) | Data::Alias(_) if line_comment.is_empty() => {
                        line_comment = of_key.line;
                    }
                    Data::Sequence(_) | Data::Mapping(_) if value.style != Style::Flow => {
                        self.writer.line_comment(of_key.line);
                    }
                    _ => {}
                }
            }
            if !of_value.head.is_empty() && matches!(value.data, Data::Mapping(_) | Data::Sequence(_)) {
                self.writer.head_comment(of_value.head);
            }
            self.node(value, Place::Value, line_comment);
            self.writer.foot_comment(of_value.foot);
            self.writer.foot_comment(of_key.foot);
        }
        self.writer.indent = before;
    }

    /// Writes a key and its colon.
    fn key(&mut self, key: &Node) {
        if self.is_simple(key) {
            self.node(key, Place::Key, "");
            // kyaml leaves out the space behind an alias. YAML 1.2 would count the colon into its name.
            let alias = matches!(key.data, Data::Alias(_));
            self.writer.indicator(":", alias, false, false);
        } else {
            self.writer.indicator("?", true, false, true);
            self.node(key, Place::Value, "");
            if self.writer.flow_level == 0 {
                self.writer.write_indent();
            }
            self.writer.indicator(":", true, false, true);
        }
    }

    fn is_simple(&self, key: &Node) -> bool {
        let extra = key.anchor().map_or(0, |anchor| anchor.len());
        match &key.data {
            Data::Alias(_) => true,
            Data::Scalar(text) => text.len() + extra <= 128 && !analyze(text, self.writer.flavor).multiline,
            _ => key.is_null_or_empty(),
        }
    }

    fn flow_sequence(&mut self, items: &[Node]) {
        self.writer.indicator("[", true, true, false);
        self.flow(|emitter| {
            for (number, item) in items.iter().enumerate() {
                if number > 0 {
                    emitter.writer.indicator(",", false, false, false);
                }
                emitter.node(item, Place::Item, "");
            }
        });
        self.writer.indicator("]", false, false, false);
    }

    fn flow_mapping(&mut self, entries: &[(Node, Node)]) {
        self.writer.indicator("{", true, true, false);
        self.flow(|emitter| {
            for (number, (key, value)) in entries.iter().enumerate() {
                if number > 0 {
                    emitter.writer.indicator(",", false, false, false);
                }
                emitter.key(key);
                emitter.node(value, Place::Value, "");
            }
        });
        self.writer.indicator("}", false, false, false);
    }

    fn flow(&mut self, body: impl FnOnce(&mut Self)) {
        let before = self.writer.indent;
        self.writer.indent = deeper(before, Step::Flow);
        self.writer.flow_level += 1;
        body(self);
        self.writer.flow_level -= 1;
        self.writer.indent = before;
    }
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
    let mut tag = (node.tag != Tag::None).then(|| node.tag_text());
    let mut quote = false;
    if tag.is_some() && !node.tag_is_explicit {
        let quoted = !matches!(node.style, Style::Plain | Style::Flow);
        if node.tag == Tag::Str && quoted {
            tag = None;
        } else {
            let found = resolve(text, Dialect::Kyaml).tag();
            if found == node.tag {
                tag = None;
            } else if node.tag == Tag::Str {
                tag = None;
                quote = true;
            }
        }
    }
    let style = match node.style {
        Style::Plain | Style::Flow if text.contains('\n') => Style::Literal,
        Style::Plain | Style::Flow if quote => Style::DoubleQuoted,
        style => style,
    };
    (style, tag)
}
