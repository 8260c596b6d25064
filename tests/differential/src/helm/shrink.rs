//! Makes texts that show a difference as small as they get.

use std::collections::BTreeMap;

use anyhow::Result;

/// Drops files, then lines, then characters, as long as the difference stays. `still` says whether it does.
pub(super) fn shrink(
    files: &BTreeMap<String, String>,
    mut budget: usize,
    by_character: bool,
    mut still: impl FnMut(&BTreeMap<String, String>) -> Result<bool>,
) -> Result<BTreeMap<String, String>> {
    let mut best = files.clone();
    let mut try_it = |candidate: &BTreeMap<String, String>, best: &mut BTreeMap<String, String>| {
        if budget == 0 {
            return Ok(false);
        }
        budget -= 1;
        let stays = still(candidate)?;
        if stays {
            best.clone_from(candidate);
        }
        anyhow::Ok(stays)
    };
    for path in files.keys().filter(|path| !path.ends_with("Chart.yaml")) {
        let mut candidate = best.clone();
        candidate.remove(path);
        try_it(&candidate, &mut best)?;
    }
    for by_line in [true, false, true, false] {
        if !by_line && !by_character {
            continue;
        }
        for path in files.keys().filter(|path| !path.ends_with("Chart.yaml")) {
            let mut size = 32;
            while size > 0 {
                let mut at = 0;
                while let Some(text) = best.get(path) {
                    let pieces: Vec<&str> = if by_line {
                        text.split_inclusive('\n').collect()
                    } else {
                        text.split_inclusive(|_| true).collect()
                    };
                    if at >= pieces.len() {
                        break;
                    }
                    let smaller: String = pieces
                        .iter()
                        .enumerate()
                        .filter(|(number, _)| *number < at || *number >= at + size)
                        .map(|(_, piece)| *piece)
                        .collect();
                    let mut candidate = best.clone();
                    candidate.insert(path.clone(), smaller);
                    if !try_it(&candidate, &mut best)? {
                        at += size;
                    }
                }
                size /= 2;
            }
        }
    }
    Ok(best)
}
