//! .helmignore.

use crate::glob;

/// The name of the file.
pub const IGNORE_FILE: &str = ".helmignore";

/// Which files of a chart's folder do not belong to the chart.
#[derive(Clone, Debug, Default)]
pub struct Ignore {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    /// Without `!`, the slash at the start and the one at the end.
    pattern: String,
    form: Form,
    negated: bool,
    folders_only: bool,
    /// Whether the whole path must match; else only the last part of it.
    whole: bool,
}

/// How a pattern looks. Most are so simple that matching is comparing, and each file is held against each of them.
#[derive(Clone, Copy, Debug)]
enum Form {
    /// No character of it stands for others.
    Literal,
    /// A star, and behind it none that stands for others.
    Suffix,
    Any,
}

impl Form {
    fn of(pattern: &str) -> Self {
        let is_literal = |pattern: &str| !pattern.contains(['*', '?', '[', '\\']);
        match pattern.strip_prefix('*') {
            _ if is_literal(pattern) => Self::Literal,
            Some(rest) if is_literal(rest) => Self::Suffix,
            _ => Self::Any,
        }
    }
}

/// A rule that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(".helmignore: line {line}: {message}")]
pub struct IgnoreError {
    /// Line of the rule, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
}

impl Ignore {
    /// The rules of a .helmignore, without Helm's own.
    pub fn parse(text: &str) -> Result<Self, IgnoreError> {
        let mut ignore = Self::default();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (line, rule) in text.lines().enumerate() {
            ignore.add(rule).map_err(|message| IgnoreError {
                line: line + 1,
                message,
            })?;
        }
        Ok(ignore)
    }

    /// The rules that hold for a chart's folder: those of its .helmignore, if it has one, and Helm's own, which leaves
    /// files below `templates` out whose name starts with a dot.
    pub fn of_chart(text: Option<&str>) -> Result<Self, IgnoreError> {
        let mut ignore = text.map_or_else(|| Ok(Self::default()), Self::parse)?;
        // A constant that parses.
        ignore.add("templates/.?*").unwrap_or_default();
        Ok(ignore)
    }

    fn add(&mut self, rule: &str) -> Result<(), String> {
        let rule = rule.trim();
        if rule.is_empty() || rule.starts_with('#') {
            return Ok(());
        }
        if rule.contains("**") {
            return Err("double-star (**) syntax is not supported".into());
        }
        glob::matches(rule, "abc").map_err(|error| error.to_string())?;
        let (negated, rule) = rule.strip_prefix('!').map_or((false, rule), |rule| (true, rule));
        let (folders_only, rule) = rule.strip_suffix('/').map_or((false, rule), |rule| (true, rule));
        let (rooted, rule) = rule.strip_prefix('/').map_or((false, rule), |rule| (true, rule));
        self.rules.push(Rule {
            pattern: rule.to_owned(),
            form: Form::of(rule),
            negated,
            folders_only,
            whole: rooted || rule.contains('/'),
        });
        Ok(())
    }

    /// Whether a file or a folder stays out. The path is relative to the chart's folder.
    ///
    /// The first rule that says so decides; a negated rule says so of everything that it does not match.
    pub fn ignores(&self, path: &str, is_folder: bool) -> bool {
        if matches!(path, "" | "." | "./") {
            return false;
        }
        self.rules.iter().any(|rule| {
            if rule.folders_only && !is_folder {
                return rule.negated;
            }
            rule.matches(path) != rule.negated
        })
    }

    /// Whether a file stays out for itself or because a folder that it lies in does.
    pub fn leaves_out(&self, file: &str) -> bool {
        let above = file.match_indices('/').filter_map(|(at, _)| file.get(..at));
        above.into_iter().any(|folder| self.ignores(folder, true)) || self.ignores(file, false)
    }
}

impl Rule {
    fn matches(&self, path: &str) -> bool {
        let name = if self.whole {
            path
        } else {
            path.trim_end_matches('/').rsplit('/').next().unwrap_or(path)
        };
        match self.form {
            Form::Literal => name == self.pattern,
            Form::Suffix => {
                let suffix = self.pattern.get(1..).unwrap_or_default();
                let before = name.strip_suffix(suffix);
                before.is_some_and(|before| !before.contains('/'))
            }
            Form::Any => glob::matches(&self.pattern, name).unwrap_or(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simple_pattern_matches_what_it_matches_as_any_other() {
        let patterns = [
            "*", "*.swp", "*~", "a", ".git", "a.b", "*/x", "/", "*a*", "a*", "?", "[a]", "\\a", "a/b",
        ];
        let paths = [
            "a", "a.b", ".git", "x.swp", ".swp", "d/x.swp", "a~", "~", "x", "d/x", "d/e/x", "a/b", "b", "",
        ];
        for pattern in patterns {
            for path in paths {
                let rule = Rule {
                    pattern: pattern.to_owned(),
                    form: Form::of(pattern),
                    negated: false,
                    folders_only: false,
                    whole: true,
                };
                let expected = glob::matches(pattern, path).unwrap_or(false);
                assert_eq!(rule.matches(path), expected, "{pattern} on {path}");
            }
        }
    }
}
