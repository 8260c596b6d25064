//! One pattern, matched as Flux's matcher does.

use super::glob::Glob;

/// What a pattern says of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Silent,
    Exclude,
    Include,
}

/// A line of an ignore file.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    /// The folder it applies below.
    domain: Vec<String>,
    parts: Vec<Part>,
    includes: bool,
    folders_only: bool,
    /// With a slash inside, it is matched from the domain on; without, against every component.
    anchored: bool,
}

#[derive(Debug, Clone)]
enum Part {
    /// Before a leading slash, and between two.
    Empty,
    /// `**`
    AnyDepth,
    /// `**` with something beside it, which matches nothing.
    Never,
    Glob(Glob),
}

impl Pattern {
    pub(super) fn parse(line: &str, domain: &[String]) -> Self {
        let (includes, text) = match line.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        let text = if text.ends_with("\\ ") {
            text
        } else {
            text.trim_end_matches(' ')
        };
        let (folders_only, text) = match text.strip_suffix('/') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let anchored = text.contains('/');
        let part = |part: &str| match part {
            "" if anchored => Part::Empty,
            "**" if anchored => Part::AnyDepth,
            part if anchored && part.contains("**") => Part::Never,
            part => Part::Glob(Glob::new(part)),
        };
        let parts = text.split('/').map(part).collect();
        Self {
            domain: domain.to_vec(),
            parts,
            includes,
            folders_only,
            anchored,
        }
    }

    pub(super) fn verdict(&self, path: &[&str], is_folder: bool) -> Verdict {
        let below = path
            .get(self.domain.len()..)
            .filter(|below| !below.is_empty() && path.iter().zip(&self.domain).all(|(a, b)| a == b));
        let Some(below) = below else {
            return Verdict::Silent;
        };
        let matched = if self.anchored {
            self.matches_path(below, is_folder)
        } else {
            self.matches_name(below, is_folder)
        };
        match (matched, self.includes) {
            (false, _) => Verdict::Silent,
            (true, true) => Verdict::Include,
            (true, false) => Verdict::Exclude,
        }
    }

    /// A name matches the thing itself and everything below a folder of that name.
    fn matches_name(&self, path: &[&str], is_folder: bool) -> bool {
        let Some(Part::Glob(glob)) = self.parts.first() else {
            return false;
        };
        match path.iter().position(|name| glob.matches(name)) {
            None => false,
            Some(at) => !(self.folders_only && !is_folder && at + 1 == path.len()),
        }
    }

    /// A path matches when its beginning does: what follows lies below.
    fn matches_path(&self, path: &[&str], is_folder: bool) -> bool {
        let mut rest = path;
        let mut matched = false;
        let mut any_depth = false;
        let last = self.parts.len().saturating_sub(1);
        for (at, part) in self.parts.iter().enumerate() {
            let glob = match part {
                Part::Empty => {
                    any_depth = false;
                    continue;
                }
                Part::AnyDepth if at == last => break,
                Part::AnyDepth => {
                    any_depth = true;
                    continue;
                }
                Part::Never => return false,
                Part::Glob(glob) => glob,
            };
            let Some((first, after)) = rest.split_first() else {
                return false;
            };
            if any_depth {
                any_depth = false;
                let found = rest.iter().position(|name| glob.matches(name));
                matched = found.is_some();
                rest = found.and_then(|found| rest.get(found + 1..)).unwrap_or_default();
            } else {
                if !glob.matches(first) {
                    return false;
                }
                matched = true;
                rest = after;
            }
        }
        matched && !(self.folders_only && !is_folder && rest.is_empty())
    }
}
