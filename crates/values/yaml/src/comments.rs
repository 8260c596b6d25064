//! Comments of a node.

use crate::Node;

impl Node {
    /// What is below the node.
    pub(crate) fn foot(&self) -> &str {
        self.rare.as_ref().map_or("", |rare| &rare.comments.foot)
    }

    /// Takes away what is below the node.
    pub(crate) fn take_foot(&mut self) -> String {
        let rare = self.rare.as_mut();
        rare.map(|rare| std::mem::take(&mut rare.comments.foot))
            .unwrap_or_default()
    }
}
