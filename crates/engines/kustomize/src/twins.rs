//! Scalars that kustomize holds once for several places.
//!
//! What sets a label at several places of an object (`metadata/labels`, selectors, templates) puts one and the same node
//! at all places where the label was not there before. Whatever writes one of them later, be it a label of an overlay
//! or a patch, writes all. Trees here hold values, not references, so twins are marked and brought in line after each
//! transformer.

use weir_yaml::{Data, List, Node, Span};

/// What an object's twins were when they were last in line; the place in the list is the mark.
#[derive(Clone, Debug, Default)]
pub(crate) struct Twins(List<Node>);

/// The mark of a twin, a column on line 0: nodes that were read have a line, and others no column.
fn mark(node: &Node) -> Option<usize> {
    let span = node.span();
    let column = usize::try_from(span.column).ok().filter(|_| span.line == 0)?;
    column.checked_sub(1)
}

/// Takes the mark off a copy, which is a node of its own.
pub(crate) fn unmark(node: &mut Node) {
    if mark(node).is_some() {
        node.set_span(Span::default());
    }
    match node.data_mut() {
        Data::Sequence(items) => items.iter_mut().for_each(unmark),
        Data::Mapping(entries) => entries.iter_mut().for_each(|(_, value)| unmark(value)),
        _ => {}
    }
}

impl Twins {
    /// A node to be put at several places.
    pub(crate) fn begin(&self, mut node: Node) -> Node {
        // Nodes have room for so many; an object that has more twins is none of this world.
        let column = u16::try_from(self.0.len() + 1)
            .ok()
            .filter(|column| *column < u16::MAX);
        node.set_span(Span {
            line: 0,
            column: column.unwrap_or_default().into(),
        });
        node
    }

    /// Takes note of a node that was put at several places.
    pub(crate) fn end(&mut self, node: Node) {
        self.0.add(node);
    }

    /// Brings twins in line: where one was written, all are. Says whether that was so.
    pub(crate) fn align(&mut self, root: &mut Node) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let mut changed = Vec::new();
        self.find_changed(root, &mut changed);
        for at in &changed {
            if let Some(value) = self.0.get(*at) {
                put(root, *at, value);
            }
        }
        !changed.is_empty()
    }

    fn find_changed(&mut self, node: &Node, changed: &mut Vec<usize>) {
        if let Some(at) = mark(node) {
            if let Some(last) = self.0.get_mut(at)
                && (last.as_str() != node.as_str()
                    || last.tag_text() != node.tag_text()
                    || last.style() != node.style())
                && !changed.contains(&at)
            {
                last.clone_from(node);
                changed.push(at);
            }
            return;
        }
        match node.data() {
            Data::Sequence(items) => items.iter().for_each(|item| self.find_changed(item, changed)),
            Data::Mapping(entries) => entries
                .iter()
                .for_each(|(_, value)| self.find_changed(value, changed)),
            _ => {}
        }
    }
}

fn put(node: &mut Node, at: usize, value: &Node) {
    if mark(node) == Some(at) {
        node.clone_from(value);
        return;
    }
    match node.data_mut() {
        Data::Sequence(items) => items.iter_mut().for_each(|item| put(item, at, value)),
        Data::Mapping(entries) => entries.iter_mut().for_each(|(_, node)| put(node, at, value)),
        _ => {}
    }
}
