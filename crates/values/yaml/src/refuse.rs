//! What YAML 1.2 allows and the Go libraries, which read most of 1.1, refuse. What Kubernetes' own tools cannot read is no
//! manifest, and whoever is told so here is not told by the next tool.

use granit_parser::{Event, ScalarStyle, StructureStyle};

use crate::{ParseError, Span};

/// A collection that is open.
struct Open {
    is_flow: bool,
    /// Whether it is a mapping whose next node is a key.
    at_key: bool,
    is_mapping: bool,
}

/// Watches the events of a text for what is to be refused.
pub(crate) struct Refusals<'a> {
    text: &'a str,
    /// Whether there is a tab anywhere.
    has_tabs: bool,
    /// The first tab of each line that has one before its first character, last line first.
    tabs: Vec<usize>,
    /// Flow collections that are open.
    flow: usize,
    /// Columns of the block collections that are open, from 1.
    blocks: Vec<u32>,
    /// All that are open.
    open: Vec<Open>,
    /// Where the last token ended, and, if it was a plain scalar, from which column on it might have gone on.
    last: (usize, Option<u32>),
    /// A key that is nothing at all, unless an anchor turns out to stand before it.
    key: Option<Span>,
}

impl<'a> Refusals<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let has_tabs = text.contains('\t');
        let mut tabs = Vec::new();
        if has_tabs {
            let mut start = 0;
            for line in text.split_inclusive('\n') {
                let spaces = line.len() - line.trim_start_matches(' ').len();
                if line.as_bytes().get(spaces) == Some(&b'\t') {
                    tabs.push(start + spaces);
                }
                start += line.len();
            }
            tabs.reverse();
        }
        Self {
            text,
            has_tabs,
            tabs,
            flow: 0,
            blocks: Vec::new(),
            open: Vec::new(),
            last: (0, None),
            key: None,
        }
    }

    /// Looks at the next event.
    pub(crate) fn check(&mut self, event: &Event<'_>, span: Span) -> Result<(), ParseError> {
        if let Some(key) = self.key.take()
            && !matches!(event, Event::Anchor(..))
        {
            return Err(ParseError::new(
                key,
                "did not find expected key: nothing stands before the colon",
            ));
        }
        if matches!(event, Event::Comment(..) | Event::Anchor(..)) {
            return Ok(());
        }
        let place = span.bytes();
        if self.has_tabs {
            self.check_lines(if matches!(event, Event::StreamEnd) {
                usize::MAX
            } else {
                place.start
            })?;
            self.check_indicator(event, span)?;
        }
        match event {
            Event::Scalar(_, style, _, tag) => {
                if place.is_empty()
                    && *style == ScalarStyle::Plain
                    && tag.is_none()
                    && self.open.last().is_some_and(|around| around.at_key)
                    && self.is_bare_key(place.start)
                {
                    self.key = Some(span);
                }
                self.step();
                if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
                    self.check_block_scalar(span)?;
                }
                while self.tabs.last().is_some_and(|tab| *tab < place.end) {
                    self.tabs.pop();
                }
                let is_plain = *style == ScalarStyle::Plain && !place.is_empty();
                let column = self.blocks.last().copied().unwrap_or_default();
                self.last = (place.end, is_plain.then_some(column));
            }
            Event::SequenceStart(style, ..) | Event::MappingStart(style, ..) => {
                let is_flow = *style == StructureStyle::Flow;
                self.step();
                let is_mapping = matches!(event, Event::MappingStart(..));
                self.open.push(Open {
                    is_flow,
                    is_mapping,
                    at_key: is_mapping,
                });
                if is_flow {
                    self.flow += 1;
                    self.last = (place.end, None);
                } else {
                    self.blocks.push(span.column);
                }
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open { is_flow: true, .. }) => {
                    self.flow = self.flow.saturating_sub(1);
                    self.last = (place.end, None);
                }
                _ => drop(self.blocks.pop()),
            },
            Event::Alias(..) => {
                self.step();
                self.last = (place.end, None);
            }
            Event::DocumentStart(..) => self.last = (place.end, None),
            _ => {}
        }
        Ok(())
    }

    /// A node comes: what it is in the collection around it, the next one is not.
    fn step(&mut self) {
        if let Some(around) = self.open.last_mut().filter(|around| around.is_mapping) {
            around.at_key = !around.at_key;
        }
    }

    /// A tab in the spaces that say how deep a block scalar is. The span starts behind them.
    fn check_block_scalar(&self, span: Span) -> Result<(), ParseError> {
        let (before, body) = self.text.split_at_checked(span.bytes().start).unwrap_or_default();
        if !body.starts_with('\t') {
            return Ok(());
        }
        let header = before.trim_end().rsplit('\n').next().unwrap_or_default();
        let header = header.split(" #").next().unwrap_or_default();
        let says_depth = header
            .rsplit(['|', '>'])
            .next()
            .is_some_and(|indicators| indicators.chars().any(|c| c.is_ascii_digit()));
        if says_depth {
            return Ok(());
        }
        let message = "found a tab character where an indentation space is expected";
        Err(ParseError::new(span, message))
    }

    /// Lines that a tab indents, up to a place that no token reaches. Within flow collections Go skips tabs, and behind a
    /// plain scalar, which might go on there, if they stand deeper than its collection; and v3 takes comments below a
    /// comment along.
    fn check_lines(&mut self, before: usize) -> Result<(), ParseError> {
        while let Some(tab) = self.tabs.last().copied().filter(|tab| *tab < before) {
            self.tabs.pop();
            let line = self
                .text
                .get(..tab)
                .map_or(0, |text| text.rfind('\n').map_or(0, |at| at + 1));
            let between = self.text.get(self.last.0..tab).unwrap_or_default();
            let column = u32::try_from(tab - line).unwrap_or(u32::MAX);
            let goes_on = self.last.1.is_some_and(|from| column >= from) && between.trim().is_empty();
            if self.flow > 0 || goes_on || self.is_below_comment(line, tab) {
                // Each line is looked at once.
                self.last.0 = tab;
                continue;
            }
            let span = Span {
                start: u32::try_from(tab).unwrap_or(u32::MAX),
                end: u32::try_from(tab + 1).unwrap_or(u32::MAX),
                line: u32::try_from(self.text.get(..tab).unwrap_or_default().matches('\n').count() + 1)
                    .unwrap_or(u32::MAX),
                column: column.saturating_add(1),
            };
            let message = "found a tab character where an indentation space is expected";
            return Err(ParseError::new(span, message));
        }
        Ok(())
    }

    fn is_below_comment(&self, line: usize, tab: usize) -> bool {
        let is_comment = |text: &str| text.trim_start_matches([' ', '\t']).starts_with('#');
        let above = self
            .text
            .get(..line.saturating_sub(1))
            .and_then(|text| text.rsplit('\n').next());
        above.is_some_and(is_comment) && self.text.get(tab..).is_some_and(is_comment)
    }

    /// A tab behind `-` or `?`, where a key could stand.
    fn check_indicator(&self, event: &Event<'_>, span: Span) -> Result<(), ParseError> {
        let is_node = matches!(
            event,
            Event::Scalar(..) | Event::SequenceStart(..) | Event::MappingStart(..) | Event::Alias(..)
        );
        if !is_node || self.flow > 0 {
            return Ok(());
        }
        let before = self.text.get(..span.bytes().start).unwrap_or_default();
        let indicator = before.trim_end_matches([' ', '\t']);
        let gap = before.get(indicator.len()..).unwrap_or_default();
        let starts = indicator
            .strip_suffix(['-', '?'])
            .is_some_and(|rest| rest.is_empty() || rest.ends_with([' ', '\t', '\n']));
        if gap.contains('\t') && starts {
            return Err(ParseError::new(
                span,
                "found a tab character that cannot start any token",
            ));
        }
        Ok(())
    }

    /// Whether a colon stands at a place, or behind it, with no `?` before it that would say that a key comes.
    fn is_bare_key(&self, at: usize) -> bool {
        let Some((before, behind)) = self.text.split_at_checked(at) else {
            return false;
        };
        if !behind.starts_with(':') {
            return false;
        }
        // What stands before it decides; only where that is a line break, the line above is looked at, too.
        let own = before.trim_end_matches([' ', '\t']);
        if !own.is_empty() && !own.ends_with('\n') {
            return own.ends_with(['-', '[', '{', ',']);
        }
        let is_empty = |line: &&str| {
            let text = line.trim();
            text.is_empty() || text.starts_with('#')
        };
        let above = own.rsplit('\n').find(|line| !is_empty(line)).unwrap_or_default();
        let above = above.split(" #").next().unwrap_or_default().trim_end();
        let says_key = above
            .strip_suffix('?')
            .is_some_and(|rest| rest.is_empty() || rest.ends_with([' ', '\t', '[', '{', ',']));
        !says_key
    }
}
