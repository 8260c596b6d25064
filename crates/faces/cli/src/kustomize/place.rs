//! From the field that an error names to the line that a person can look at.

use std::fs;

use weir_kustomize::{Place, Step};
use weir_yaml::{Data, Node, parse_all};

/// A place in a file of the disk.
pub(super) struct Located {
    /// 1-based; 0 where only the file is known.
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) content: String,
}

/// Reads the file and finds the field, or the nearest one around it.
pub(super) fn locate(place: &Place) -> Option<Located> {
    let content = fs::read_to_string(&place.file).ok()?;
    let found = parse_all(&content).ok().and_then(|documents| {
        let root = documents.into_iter().next()?.root?;
        find(&root, &place.steps)
    });
    let (line, column) = found.unwrap_or_default();
    Some(Located {
        line,
        column,
        content,
    })
}

/// Line and column of the deepest step that is there.
fn find(node: &Node, steps: &[Step]) -> Option<(usize, usize)> {
    let (step, rest) = steps.split_first()?;
    let (at, inner) = match (step, node.data()) {
        (Step::Field(name), Data::Mapping(entries)) => {
            let is_it = |key: &Node| key.as_str().is_some_and(|key| key.eq_ignore_ascii_case(name));
            let (key, value) = entries.iter().find(|(key, _)| is_it(key))?;
            (key, value)
        }
        (Step::Item(number), Data::Sequence(items)) => {
            let item = items.get(*number)?;
            (item, item)
        }
        _ => return None,
    };
    let here = (
        usize::try_from(at.span().line).ok()?,
        usize::try_from(at.span().column).ok()?,
    );
    Some(find(inner, rest).unwrap_or(here))
}
