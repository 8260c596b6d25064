//! `patchesStrategicMerge` becomes `patches`: each path under `path`, each text under `patch`.

use weir_yaml::Node;

use super::text::{At, Edits, Lines, is_block_scalar};
use crate::lint::source::Source;
use crate::load;

pub(super) fn edit(source: &Source, lines: &Lines<'_>) -> Option<Edits> {
    let old = lines.section(source, "patchesStrategicMerge")?;
    let nodes = old.value.items().unwrap_or_default();
    let chunks = lines.items(&old)?;
    let mut items = Vec::new();
    for (node, chunk) in nodes.iter().zip(chunks) {
        items.push(item(node, &chunk, lines)?);
    }
    let mut edits = Edits::default();
    if source.field("patches").is_none() {
        // Where the list is a block, its dashes stay where they are.
        let wide = lines.line(old.key + 1).starts_with(' ') && old.key + 1 < old.stop;
        let indent = lines.line(old.key + 1).len() - lines.line(old.key + 1).trim_start_matches(' ').len();
        let lead = " ".repeat(if wide { indent } else { 0 });
        let body: String = items
            .iter()
            .flat_map(|item| item.split_inclusive('\n'))
            .map(|line| {
                if line.trim().is_empty() {
                    line.to_owned()
                } else {
                    format!("{lead}{line}")
                }
            })
            .collect();
        let key = lines.renamed(&old, "patches")?;
        let comment = lines.key_comment(&old);
        let (key, _) = key.split_once(':')?;
        edits.replace(old.key..old.stop, format!("{key}:{comment}{}{body}", lines.end));
        return Some(edits);
    }
    // They are applied before the others.
    let new = lines.section(source, "patches")?;
    let mut moved = lines.leftovers(&old);
    moved.extend(items);
    lines.add(&new, moved, At::Start, &mut edits)?;
    lines.remove(&old, &mut edits);
    Some(edits)
}

/// `- x` as `- path: x` or `- patch: x`, with its comments.
fn item(node: &Node, chunk: &str, lines: &Lines<'_>) -> Option<String> {
    let text = node.as_str()?;
    let key = if load::patches(text.as_bytes()).is_ok() {
        "patch"
    } else {
        "path"
    };
    let mut out = String::new();
    let mut rest = chunk.split_inclusive('\n');
    for line in rest.by_ref() {
        let Some(value) = line.strip_prefix("- ") else {
            // Comments above it; a dash on a line of its own is left to a person.
            if line.trim().is_empty() || line.trim_start().starts_with('#') {
                out.push_str(line);
                continue;
            }
            return None;
        };
        out.push_str("- ");
        out.push_str(key);
        out.push_str(": ");
        out.push_str(value.trim_start_matches(' '));
        break;
    }
    let body: Vec<&str> = rest.collect();
    let is_one_line = body
        .iter()
        .all(|line| line.trim().is_empty() || line.starts_with('#'));
    if !is_one_line && !is_block_scalar(node) {
        // A text over several lines that is no block.
        return Some(lines.printed(&Node::mapping(vec![(Node::plain(key), node.clone())])));
    }
    for line in body {
        if !line.trim().is_empty() && !line.starts_with('#') {
            out.push_str("  ");
        }
        out.push_str(line);
    }
    Some(out)
}
