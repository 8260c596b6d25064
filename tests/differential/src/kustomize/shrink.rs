//! Makes a tree that shows a difference as small as it gets.

use std::path::Path;

use anyhow::Result;

use super::compare::{Outcome, compare};
use super::tree::Tree;

/// Which sort of difference it is; a smaller tree must show the same sort.
fn sort(outcome: &Outcome) -> Option<(bool, bool)> {
    match outcome {
        Outcome::Differ { theirs, ours } => Some((theirs.is_ok(), ours.is_ok())),
        _ => None,
    }
}

/// Drops files, then chunks of lines, as long as the difference stays. Takes up to `budget` comparisons.
pub(crate) fn shrink(program: &Path, tree: &Tree, mut budget: usize) -> Result<Tree> {
    let mut best = tree.clone();
    let wanted = sort(&compare(program, &best)?);
    let still = |candidate: &Tree, budget: &mut usize| -> Result<bool> {
        if *budget == 0 {
            return Ok(false);
        }
        *budget -= 1;
        let outcome = compare(program, candidate)?;
        Ok(sort(&outcome) == wanted && wanted.is_some())
    };
    let mut changed = true;
    while changed && budget > 0 {
        changed = false;
        for path in best.files.keys().cloned().collect::<Vec<_>>() {
            let mut candidate = best.clone();
            candidate.files.remove(&path);
            if still(&candidate, &mut budget)? {
                best = candidate;
                changed = true;
            }
        }
        for path in best.files.keys().cloned().collect::<Vec<_>>() {
            let mut size = 16;
            while size > 0 {
                let mut at = 0;
                while let Some(content) = best.files.get(&path) {
                    let text = String::from_utf8_lossy(content).into_owned();
                    let lines: Vec<&str> = text.split_inclusive('\n').collect();
                    if at >= lines.len() || lines.len() < size {
                        break;
                    }
                    let kept: String = lines
                        .iter()
                        .enumerate()
                        .filter(|(number, _)| *number < at || *number >= at + size)
                        .map(|(_, line)| *line)
                        .collect();
                    let mut candidate = best.clone();
                    candidate.files.insert(path.clone(), kept.into_bytes());
                    if still(&candidate, &mut budget)? {
                        best = candidate;
                        changed = true;
                    } else {
                        at += size;
                    }
                }
                size /= 2;
            }
        }
    }
    Ok(best)
}
