//! Comments of a node.

use crate::Node;

impl Node {
    /// What is below the node.
    pub(crate) fn foot(&self) -> &str {
        self.rare().map_or("", |rare| &rare.comments.foot)
    }

    /// Takes away what is below the node.
    pub(crate) fn take_foot(&mut self) -> String {
        if self.rare().is_none() {
            return String::new();
        }
        std::mem::take(&mut self.rare_mut().comments.foot)
    }
}
