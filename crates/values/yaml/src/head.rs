//! What a node has besides its content, in seven bytes.

use crate::{Span, Style, Tag};

/// Type, notation and place of a node. They lie beside its content within two words, so they are packed: lines beyond
/// 16,777,215 and columns beyond 65,535 are cut.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) tag: Tag,
    /// The style, and [`EXPLICIT`].
    notation: u8,
    line: [u8; 3],
    column: [u8; 2],
}

/// Whether the tag was written.
const EXPLICIT: u8 = 1 << 7;

impl Head {
    pub(crate) const fn new(tag: Tag) -> Self {
        Self {
            tag,
            notation: Style::Plain as u8,
            line: [0; 3],
            column: [0; 2],
        }
    }

    pub(crate) const fn tag_is_explicit(self) -> bool {
        self.notation & EXPLICIT != 0
    }

    pub(crate) const fn set_tag_is_explicit(&mut self, is_explicit: bool) {
        self.notation = self.style() as u8 | if is_explicit { EXPLICIT } else { 0 };
    }

    pub(crate) const fn style(self) -> Style {
        const SINGLE_QUOTED: u8 = Style::SingleQuoted as u8;
        const DOUBLE_QUOTED: u8 = Style::DoubleQuoted as u8;
        const LITERAL: u8 = Style::Literal as u8;
        const FOLDED: u8 = Style::Folded as u8;
        const FLOW: u8 = Style::Flow as u8;
        match self.notation & !EXPLICIT {
            SINGLE_QUOTED => Style::SingleQuoted,
            DOUBLE_QUOTED => Style::DoubleQuoted,
            LITERAL => Style::Literal,
            FOLDED => Style::Folded,
            FLOW => Style::Flow,
            _ => Style::Plain,
        }
    }

    pub(crate) const fn set_style(&mut self, style: Style) {
        self.notation = style as u8 | self.notation & EXPLICIT;
    }

    pub(crate) const fn span(self) -> Span {
        let line = self.line;
        Span {
            line: u32::from_le_bytes([line[0], line[1], line[2], 0]),
            column: u16::from_le_bytes(self.column) as u32,
        }
    }

    pub(crate) fn set_span(&mut self, span: Span) {
        const LINES: u32 = (1 << 24) - 1;
        let [line @ .., _] = span.line.min(LINES).to_le_bytes();
        self.line = line;
        self.column = u16::try_from(span.column).unwrap_or(u16::MAX).to_le_bytes();
    }
}
