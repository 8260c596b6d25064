//! Which styles a text can take.

use super::writer::{Flavor, Step, Writer};
use crate::{Dialect, Resolved, Style, resolve};

pub(super) fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// go-yaml's idea of printable: nothing beyond the basic plane, and no tab.
pub(super) fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}') && c != '\u{feff}'
}

/// What analysis finds out about a text.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "libyaml's own flags")]
pub(super) struct Analysis {
    pub(super) multiline: bool,
    flow_plain: bool,
    block_plain: bool,
    single_quoted: bool,
    block: bool,
}

pub(super) fn analyze(text: &str, flavor: Flavor) -> Analysis {
    if text.is_empty() {
        return Analysis {
            multiline: false,
            flow_plain: false,
            block_plain: true,
            single_quoted: true,
            block: false,
        };
    }
    let mut block_indicators = text.starts_with("---") || text.starts_with("...");
    let mut flow_indicators = block_indicators;
    let (mut line_breaks, mut special, mut tabs) = (false, false, false);
    let (mut leading, mut trailing_space, mut trailing) = (false, false, false);
    let (mut break_space, mut space_break) = (false, false);
    let (mut previous_space, mut previous_break) = (false, false);
    let mut after_blank = true;
    let mut chars = text.chars().peekable();
    let mut first = true;
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        let before_blank = next.is_none_or(|c| c == ' ' || c == '\t');
        match c {
            '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@'
            | '`'
                if first =>
            {
                flow_indicators = true;
                block_indicators = true;
            }
            '?' | ':' if first => {
                flow_indicators = true;
                block_indicators |= before_blank;
            }
            '-' if first && before_blank => {
                flow_indicators = true;
                block_indicators = true;
            }
            ',' | '?' | '[' | ']' | '{' | '}' => flow_indicators = true,
            ':' => {
                flow_indicators = true;
                block_indicators |= before_blank;
            }
            '#' if after_blank => {
                flow_indicators = true;
                block_indicators = true;
            }
            _ => {}
        }
        if c == '\t' && flavor == Flavor::V3 {
            tabs = true;
        } else if !is_printable(c) {
            special = true;
        }
        if c == ' ' {
            leading |= first;
            trailing_space |= next.is_none();
            trailing |= next.is_none();
            break_space |= previous_break;
            previous_space = true;
            previous_break = false;
        } else if is_break(c) {
            line_breaks = true;
            leading |= first;
            trailing |= next.is_none();
            space_break |= previous_space;
            previous_space = false;
            previous_break = true;
        } else {
            previous_space = false;
            previous_break = false;
        }
        after_blank = matches!(c, ' ' | '\t' | '\0') || is_break(c);
        first = false;
    }
    let no_plain = leading || trailing || break_space || space_break || tabs || special || line_breaks;
    Analysis {
        multiline: line_breaks,
        flow_plain: !no_plain && !flow_indicators,
        block_plain: !no_plain && !block_indicators,
        single_quoted: !(break_space || space_break || tabs || special),
        block: !(trailing_space || space_break || special),
    }
}

/// The style in which a text can be written, given the one that is wished for.
pub(super) fn select(text: &str, wish: Style, analysis: Analysis, flow: bool, simple_key: bool) -> Style {
    let mut style = wish;
    if simple_key && analysis.multiline {
        style = Style::DoubleQuoted;
    }
    if matches!(style, Style::Plain | Style::Flow) {
        let allowed = if flow {
            analysis.flow_plain
        } else {
            analysis.block_plain
        };
        let silent_empty = text.is_empty() && (flow || simple_key);
        style = if allowed && !silent_empty {
            Style::Plain
        } else {
            Style::SingleQuoted
        };
    }
    if style == Style::SingleQuoted && !analysis.single_quoted {
        style = Style::DoubleQuoted;
    }
    if matches!(style, Style::Literal | Style::Folded) && (!analysis.block || flow || simple_key) {
        style = Style::DoubleQuoted;
    }
    style
}

/// The style that yaml v3 gives a string of which nothing else is known, outside flow collections.
pub fn string_style(text: &str) -> Style {
    let is_string = |dialect| resolve(text, dialect) == Resolved::Str;
    let old_bool = || matches!(resolve(text, Dialect::Sigs), Resolved::Bool(_));
    let wish = if text.contains('\n') {
        Style::Literal
    } else if is_string(Dialect::Kyaml) && !is_base60(text) && !old_bool() {
        Style::Plain
    } else {
        Style::DoubleQuoted
    };
    select(text, wish, analyze(text, Flavor::V3), false, false)
}

/// Writes a scalar in the wished style or the next best. `line_comment` is written here only if
/// the scalar has a header line to put it on; the return value says whether it was.
pub(super) fn write(
    writer: &mut Writer,
    text: &str,
    wish: Style,
    simple_key: bool,
    line_comment: &str,
) -> bool {
    let analysis = analyze(text, writer.flavor);
    let style = select(text, wish, analysis, writer.flow_level > 0, simple_key);
    let mut used = false;
    writer.deeper(Step::Flow, |writer| match style {
        Style::Plain | Style::Flow => writer.plain(text, !simple_key),
        Style::SingleQuoted => writer.single_quoted(text, !simple_key),
        Style::DoubleQuoted => writer.double_quoted(text, !simple_key),
        Style::Literal => {
            writer.block_header("|", text);
            writer.end_header(line_comment);
            writer.literal_body(text);
            used = true;
        }
        Style::Folded => {
            writer.block_header(">", text);
            writer.end_header(line_comment);
            writer.folded_body(text);
            used = true;
        }
    });
    used
}

/// `1:30` and the like: a number to YAML 1.1, so it is quoted although nobody reads it so.
pub(super) fn is_base60(text: &str) -> bool {
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mut parts = body.split(':');
    let Some(first) = parts.next() else {
        return false;
    };
    if !first.starts_with(|c: char| c.is_ascii_digit())
        || !first.chars().all(|c| c.is_ascii_digit() || c == '_')
    {
        return false;
    }
    let mut rest: Vec<&str> = parts.collect();
    let Some(last) = rest.pop() else {
        return false;
    };
    let (last, fraction) = last.split_once('.').unwrap_or((last, ""));
    rest.push(last);
    fraction.chars().all(|c| c.is_ascii_digit() || c == '_')
        && rest.iter().all(|part| {
            let mut digits = part.bytes();
            matches!(
                (digits.next(), digits.next(), digits.next()),
                (Some(b'0'..=b'5'), Some(b'0'..=b'9'), None) | (Some(b'0'..=b'9'), None, None)
            )
        })
}
