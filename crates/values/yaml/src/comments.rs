//! Which node a comment belongs to.
//!
//! The rules follow yaml v3: lines right above a key or an item are its head, text behind it on
//! the line is its line comment, and lines that a blank line separates from what follows are the
//! foot of the nearest entry before them that is not indented deeper.

use crate::{Comments, Node};

impl Node {
    fn comments_mut(&mut self) -> &mut Comments {
        &mut self.rare_mut().comments
    }

    pub(crate) fn add_head(&mut self, text: String) {
        append(&mut self.comments_mut().head, &text);
    }

    pub(crate) fn add_line(&mut self, text: &str) {
        append(&mut self.comments_mut().line, text);
    }

    pub(crate) fn add_foot(&mut self, text: &str) {
        append(&mut self.comments_mut().foot, text);
    }
}

/// Adds a line to a comment.
pub(crate) fn append(comment: &mut String, text: &str) {
    if !comment.is_empty() {
        comment.push('\n');
    }
    comment.push_str(text);
}
