//! Takes a text apart into YAML documents, as Kubernetes' reader of streams does it (k8s.io/apimachinery v0.36,
//! `util/yaml.YAMLReader`), by which Helm reads values and what it lints.

/// Text behind the three dashes of a line, where only a comment may stand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid Yaml document separator: {behind}")]
pub(crate) struct InvalidSeparator {
    behind: String,
    /// The line of the whole text, from 1.
    pub(crate) line: u32,
}

/// A document, and how many lines of the text are before it.
pub(crate) type Document = (u32, String);

/// What is left of a text, document by document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stream<'t> {
    rest: &'t str,
    /// Lines before the rest.
    line: u32,
}

impl<'t> Stream<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        Self { rest: text, line: 0 }
    }

    /// What has not been taken yet.
    pub(crate) fn rest(&self) -> &'t str {
        self.rest
    }

    /// How many lines have been taken.
    pub(crate) fn line(&self) -> u32 {
        self.line
    }

    /// Takes bytes off the front; all that is left where they end inside a character.
    pub(crate) fn take(&mut self, bytes: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        let lines = taken.bytes().filter(|byte| *byte == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        self.rest = rest;
        taken
    }

    /// The next document, with line feeds alone at the ends of its lines. The dashes before the first one belong to
    /// it; those between two belong to none.
    pub(crate) fn document(&mut self) -> Result<Option<Document>, InvalidSeparator> {
        let mut document = String::new();
        let first = self.line;
        let mut from = first;
        while !self.rest.is_empty() {
            let end = self.rest.find('\n').map_or(self.rest.len(), |at| at + 1);
            let line = self.take(end);
            let line = line.strip_suffix('\n').unwrap_or(line);
            let line = line.strip_suffix('\r').unwrap_or(line);
            if let Some(behind) = line.strip_prefix("---") {
                let behind = behind.trim();
                if !behind.is_empty() && !behind.starts_with('#') {
                    return Err(InvalidSeparator {
                        behind: behind.to_owned(),
                        line: self.line,
                    });
                }
                if !document.is_empty() {
                    return Ok(Some((from, document)));
                }
            }
            if document.is_empty() {
                from = self.line.saturating_sub(1).max(first);
            }
            document.push_str(line);
            document.push('\n');
        }
        Ok((!document.is_empty()).then_some((from, document)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<Vec<Document>, InvalidSeparator> {
        let mut stream = Stream::of(text);
        std::iter::from_fn(|| stream.document().transpose()).collect()
    }

    #[test]
    fn lines_of_dashes_take_documents_apart_whatever_comment_they_have() {
        let documents = all("a: 1\r\n---\nb: 2\n--- # more\nc: 3").expect("reads");
        assert_eq!(
            documents,
            [
                (0, "a: 1\n".to_owned()),
                (2, "b: 2\n".to_owned()),
                (4, "c: 3\n".to_owned())
            ]
        );
        assert_eq!(all("---\na: 1\n"), Ok(vec![(0, "---\na: 1\n".to_owned())]));
        assert_eq!(all(""), Ok(Vec::new()));
    }

    #[test]
    fn other_text_behind_the_dashes_is_refused() {
        let error = all("a: 1\n--- no\n").expect_err("no comment");
        assert_eq!(
            (error.to_string().as_str(), error.line),
            ("invalid Yaml document separator: no", 2)
        );
    }
}
