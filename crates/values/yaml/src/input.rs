//! The parser's input, with the things about it in which the Go libraries read YAML 1.1.
//!
//! To YAML 1.2 the colon in `[--x=a:]` ends a key, and the list holds the mapping `{--x=a: null}`. To Go it is part of
//! the text: there a colon within flow collections ends a key only before a blank. The parser asks its input where a plain
//! scalar ends, so that the place to say this is here: no text is changed, no event rewritten, and all spans stay.
//!
//! To YAML 1.2 a comment needs a blank before it. To Go it begins wherever a token could: behind a quoted text, a bracket
//! or a comma, as in `image: "nginx"#latest`. The parser asks whether there were blanks; in front of a `#` there were.

use granit_parser::input::{SkipTabs, WhitespaceResult, is_flow};
use granit_parser::{BorrowedInput, ErrorKind, Input, StrInput};

/// A text whose plain scalars end where they end for Go.
pub(crate) struct GoInput<'a>(StrInput<'a>);

impl<'a> GoInput<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self(StrInput::new(text))
    }

    /// Whether a colon comes that belongs to the text before it: within a flow collection, in front of one of its
    /// indicators.
    #[inline]
    fn at_colon_of_text(&self, in_flow: bool) -> bool {
        in_flow && self.0.peek() == ':' && is_flow(self.0.peek_nth(1))
    }
}

impl Input for GoInput<'_> {
    #[inline]
    fn lookahead(&mut self, count: usize) {
        self.0.lookahead(count);
    }

    #[inline]
    fn buflen(&self) -> usize {
        self.0.buflen()
    }

    #[inline]
    fn bufmaxlen(&self) -> usize {
        self.0.bufmaxlen()
    }

    #[inline]
    fn raw_read_ch(&mut self) -> char {
        self.0.raw_read_ch()
    }

    #[inline]
    fn raw_read_non_breakz_ch(&mut self) -> Option<char> {
        self.0.raw_read_non_breakz_ch()
    }

    #[inline]
    fn skip(&mut self) {
        self.0.skip();
    }

    #[inline]
    fn skip_n(&mut self, count: usize) {
        self.0.skip_n(count);
    }

    #[inline]
    fn peek(&self) -> char {
        self.0.peek()
    }

    #[inline]
    fn peek_nth(&self, n: usize) -> char {
        self.0.peek_nth(n)
    }

    #[inline]
    fn byte_offset(&self) -> Option<usize> {
        self.0.byte_offset()
    }

    #[inline]
    fn slice_bytes(&self, start: usize, end: usize) -> Option<&str> {
        self.0.slice_bytes(start, end)
    }

    #[inline]
    fn may_contain_comments(&self) -> bool {
        self.0.may_contain_comments()
    }

    #[inline]
    fn take_source_error(&mut self) -> Option<ErrorKind> {
        self.0.take_source_error()
    }

    #[inline]
    fn next_2_are(&self, c1: char, c2: char) -> bool {
        self.0.next_2_are(c1, c2)
    }

    #[inline]
    fn next_3_are(&self, c1: char, c2: char, c3: char) -> bool {
        self.0.next_3_are(c1, c2, c3)
    }

    #[inline]
    fn next_is_document_indicator(&self) -> bool {
        self.0.next_is_document_indicator()
    }

    #[inline]
    fn next_is_document_start(&self) -> bool {
        self.0.next_is_document_start()
    }

    #[inline]
    fn next_is_document_end(&self) -> bool {
        self.0.next_is_document_end()
    }

    #[inline]
    fn skip_ws_to_eol(&mut self, skip_tabs: SkipTabs) -> (usize, Result<WhitespaceResult, ErrorKind>) {
        self.0.skip_ws_to_eol(skip_tabs)
    }

    #[inline]
    fn skip_ws_to_eol_blanks(&mut self, skip_tabs: SkipTabs) -> (usize, WhitespaceResult) {
        let (count, blanks) = self.0.skip_ws_to_eol_blanks(skip_tabs);
        if count == 0 && self.0.peek() == '#' {
            return (0, WhitespaceResult::new(false, true));
        }
        (count, blanks)
    }

    #[inline]
    fn next_is_blank_or_break(&self) -> bool {
        self.0.next_is_blank_or_break()
    }

    #[inline]
    fn next_is_blank_or_breakz(&self) -> bool {
        self.0.next_is_blank_or_breakz()
    }

    #[inline]
    fn next_is_blank(&self) -> bool {
        self.0.next_is_blank()
    }

    #[inline]
    fn next_is_break(&self) -> bool {
        self.0.next_is_break()
    }

    #[inline]
    fn next_is_breakz(&self) -> bool {
        self.0.next_is_breakz()
    }

    #[inline]
    fn next_is_z(&self) -> bool {
        self.0.next_is_z()
    }

    #[inline]
    fn next_is_flow(&self) -> bool {
        self.0.next_is_flow()
    }

    #[inline]
    fn next_is_digit(&self) -> bool {
        self.0.next_is_digit()
    }

    #[inline]
    fn next_is_alpha(&self) -> bool {
        self.0.next_is_alpha()
    }

    #[inline]
    fn skip_while_non_breakz(&mut self) -> usize {
        self.0.skip_while_non_breakz()
    }

    #[inline]
    fn skip_while_blank(&mut self) -> usize {
        self.0.skip_while_blank()
    }

    #[inline]
    fn fetch_while_is_alpha(&mut self, out: &mut String) -> usize {
        self.0.fetch_while_is_alpha(out)
    }

    #[inline]
    fn fetch_while_is_yaml_non_space(&mut self, out: &mut String) -> usize {
        self.0.fetch_while_is_yaml_non_space(out)
    }

    #[inline]
    fn fetch_block_scalar_line(&mut self, out: &mut String) -> usize {
        self.0.fetch_block_scalar_line(out)
    }

    #[inline]
    fn take_quoted_scalar_ascii_chunk(&mut self, single: bool) -> &str {
        self.0.take_quoted_scalar_ascii_chunk(single)
    }

    #[inline]
    fn take_quoted_scalar_chunk(&mut self, single: bool) -> (&str, usize) {
        self.0.take_quoted_scalar_chunk(single)
    }

    #[inline]
    fn next_can_be_plain_scalar(&self, in_flow: bool) -> bool {
        self.at_colon_of_text(in_flow) || self.0.next_can_be_plain_scalar(in_flow)
    }

    fn fetch_plain_scalar_chunk(&mut self, out: &mut String, count: usize, in_flow: bool) -> (bool, usize) {
        let (ends, mut consumed) = self.0.fetch_plain_scalar_chunk(out, count, in_flow);
        if self.at_colon_of_text(in_flow) {
            out.push(':');
            self.0.skip();
            consumed += 1;
        }
        (ends, consumed)
    }

    fn skip_plain_scalar_chunk(&mut self, count: usize, in_flow: bool) -> (bool, usize) {
        let (ends, mut consumed) = self.0.skip_plain_scalar_chunk(count, in_flow);
        if self.at_colon_of_text(in_flow) {
            self.0.skip();
            consumed += 1;
        }
        (ends, consumed)
    }
}

impl<'a> BorrowedInput<'a> for GoInput<'a> {
    #[inline]
    fn slice_borrowed(&self, start: usize, end: usize) -> Option<&'a str> {
        self.0.slice_borrowed(start, end)
    }
}
