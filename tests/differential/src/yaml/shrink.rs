//! Makes a text that shows a difference as small as it gets.

use anyhow::Result;

use super::answers::Answers;
use super::compare::{Aspect, Outcome, compare};
use crate::oracle::Oracle;

/// Which sort of difference it is; a smaller text must show the same sort.
fn sort(outcome: &Outcome) -> Option<(bool, bool)> {
    match outcome {
        Outcome::Differ { theirs, ours } => Some((theirs.is_ok(), ours.is_ok())),
        _ => None,
    }
}

/// Drops lines, then characters, as long as the difference stays.
pub(crate) fn shrink(oracle: &mut Oracle, text: &str, aspect: Aspect) -> Result<String> {
    let wanted = sort(&compare(text, &Answers::about(oracle, text)?, aspect));
    let mut best = text.to_owned();
    for by_line in [true, false, true, false] {
        let mut size = 32;
        while size > 0 {
            let mut at = 0;
            loop {
                let pieces: Vec<&str> = if by_line {
                    best.split_inclusive('\n').collect()
                } else {
                    best.split_inclusive(|_| true).collect()
                };
                if at >= pieces.len() {
                    break;
                }
                let kept = |number: usize| number < at || number >= at + size;
                let smaller: String = pieces
                    .iter()
                    .enumerate()
                    .filter(|(number, _)| kept(*number))
                    .map(|(_, piece)| *piece)
                    .collect();
                let outcome = compare(&smaller, &Answers::about(oracle, &smaller)?, aspect);
                if wanted.is_some() && sort(&outcome) == wanted {
                    best = smaller;
                } else {
                    at += size;
                }
            }
            size /= 2;
        }
    }
    Ok(best)
}
