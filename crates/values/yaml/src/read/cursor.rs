//! A place in a text that moves forward.

const BYTE_ORDER_MARK: char = '\u{feff}';

/// A place in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Bytes before it.
    pub(crate) byte: usize,
    /// Line breaks before it.
    pub(crate) line: u32,
    /// Characters before it on its line.
    pub(crate) column: u32,
}

/// Reads a text, a character or a line at a time. Behind its end there are zero bytes.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    pub(super) mark: Mark,
    /// Line breaks since the last character that is no blank.
    pub(super) newlines: u32,
}

impl<'a> Cursor<'a> {
    /// At the start of a text, behind the byte order mark that says how it is encoded.
    pub(super) fn new(text: &'a str) -> Self {
        let byte = if text.starts_with(BYTE_ORDER_MARK) {
            BYTE_ORDER_MARK.len_utf8()
        } else {
            0
        };
        Self {
            text,
            mark: Mark {
                byte,
                ..Mark::default()
            },
            newlines: 0,
        }
    }

    /// The byte at the cursor.
    #[inline]
    pub(super) fn byte(&self) -> u8 {
        self.byte_at(0)
    }

    /// The byte so many further on.
    #[inline]
    pub(super) fn byte_at(&self, offset: usize) -> u8 {
        let bytes = self.text.as_bytes();
        bytes.get(self.mark.byte + offset).copied().unwrap_or_default()
    }

    /// The bytes from the cursor on.
    #[inline]
    pub(super) fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.mark.byte..).unwrap_or_default()
    }

    /// The text from a place to the cursor.
    #[inline]
    pub(super) fn since(&self, start: usize) -> &'a str {
        self.slice(start, self.mark.byte)
    }

    /// A part of the text.
    #[inline]
    pub(super) fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    /// Bytes of the line break at an offset: YAML 1.1 has five, and CR LF is one of them. Nothing where there is none.
    #[inline]
    pub(super) fn break_at(&self, offset: usize) -> usize {
        match self.byte_at(offset) {
            b'\n' => 1,
            b'\r' => 1 + usize::from(self.byte_at(offset + 1) == b'\n'),
            0xC2 if self.byte_at(offset + 1) == 0x85 => 2,
            0xE2 if self.byte_at(offset + 1) == 0x80 && matches!(self.byte_at(offset + 2), 0xA8 | 0xA9) => 3,
            _ => 0,
        }
    }

    #[inline]
    pub(super) fn is_break_at(&self, offset: usize) -> bool {
        self.break_at(offset) != 0
    }

    #[inline]
    pub(super) fn is_blank_at(&self, offset: usize) -> bool {
        matches!(self.byte_at(offset), b' ' | b'\t')
    }

    /// Whether the text ends at an offset.
    #[inline]
    pub(super) fn is_end_at(&self, offset: usize) -> bool {
        self.byte_at(offset) == 0
    }

    /// Whether a line ends at an offset.
    #[inline]
    pub(super) fn is_line_end_at(&self, offset: usize) -> bool {
        self.is_end_at(offset) || self.is_break_at(offset)
    }

    /// Whether a word ends at an offset.
    #[inline]
    pub(super) fn is_word_end_at(&self, offset: usize) -> bool {
        self.is_blank_at(offset) || self.is_line_end_at(offset)
    }

    /// Whether `---` or `...` stands here, alone at the start of a line.
    #[inline]
    pub(super) fn is_at_document_mark(&self) -> bool {
        self.mark.column == 0
            && matches!(self.rest(), [b'-', b'-', b'-', ..] | [b'.', b'.', b'.', ..])
            && self.is_word_end_at(3)
    }

    /// Passes over a character that is no line break.
    #[inline]
    pub(super) fn skip(&mut self) {
        let byte = self.byte();
        if !matches!(byte, b' ' | b'\t') {
            self.newlines = 0;
        }
        self.mark.byte += match byte {
            0..0x80 => 1,
            0x80..0xE0 => 2,
            0xE0..0xF0 => 3,
            _ => 4,
        };
        self.mark.column += 1;
    }

    /// Passes over so many bytes of one line, and gives them.
    #[inline]
    pub(super) fn take(&mut self, bytes: usize) -> &'a str {
        let part = self.slice(self.mark.byte, self.mark.byte + bytes);
        let columns = if part.is_ascii() {
            part.len()
        } else {
            part.chars().count()
        };
        self.mark.byte += part.len();
        self.mark.column += u32::try_from(columns).unwrap_or(u32::MAX);
        if part.bytes().any(|byte| !matches!(byte, b' ' | b'\t')) {
            self.newlines = 0;
        }
        part
    }

    /// Passes over blanks of one line, and gives them.
    #[inline]
    pub(super) fn take_blanks(&mut self) -> &'a str {
        let start = self.mark.byte;
        while self.is_blank_at(0) {
            self.mark.byte += 1;
            self.mark.column += 1;
        }
        self.since(start)
    }

    /// Bytes up to the end of the line.
    #[inline]
    pub(super) fn line_length(&self) -> usize {
        // What may end a line, or begin a character that does.
        let may_end = |byte: u8| matches!(byte, 0 | b'\n' | b'\r' | 0xC2 | 0xE2);
        let rest = self.rest();
        let mut length = 0;
        // Lines of block scalars are long: as many bytes at once as a processor looks at.
        for chunk in rest.chunks_exact(16) {
            if chunk.iter().fold(false, |any, byte| any | may_end(*byte)) {
                break;
            }
            length += 16;
        }
        for byte in rest.get(length..).unwrap_or_default() {
            if may_end(*byte) && self.is_line_end_at(length) {
                break;
            }
            length += 1;
        }
        length
    }

    /// Passes over a line break, and gives what a scalar gets for it. Where there is none, nothing happens.
    #[inline]
    pub(super) fn take_break(&mut self) -> &'a str {
        let width = self.break_at(0);
        if width == 0 {
            return "";
        }
        let text = match width {
            3 => self.slice(self.mark.byte, self.mark.byte + width),
            _ => "\n",
        };
        self.mark.byte += width;
        self.mark.column = 0;
        self.mark.line += 1;
        self.newlines += 1;
        text
    }
}

/// The first character that no YAML text may have: control characters other than tab and line breaks, and U+FFFE and U+FFFF.
pub(super) fn first_forbidden(text: &str) -> Option<usize> {
    const CHUNK: usize = 64;
    let bytes = text.as_bytes();
    let suspicious = |byte: u8| {
        byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r') || matches!(byte, 0x7F | 0xC2 | 0xEF)
    };
    for (number, chunk) in bytes.chunks(CHUNK).enumerate() {
        if !chunk.iter().fold(false, |any, byte| any | suspicious(*byte)) {
            continue;
        }
        for (offset, byte) in chunk.iter().enumerate() {
            let at = number * CHUNK + offset;
            let next = |offset: usize| bytes.get(at + offset).copied().unwrap_or_default();
            let is_forbidden = match byte {
                0xC2 => matches!(next(1), 0x80..=0x84 | 0x86..=0x9F),
                0xEF => next(1) == 0xBF && matches!(next(2), 0xBE | 0xBF),
                byte => suspicious(*byte),
            };
            if is_forbidden {
                return Some(at);
            }
        }
    }
    None
}
