//! Values that are to be written as YAML, and text that is written as it stands.

/// A value of a generated file.
#[derive(Clone, Debug)]
pub(crate) enum Y {
    /// Text that stands in the file as it is, on one line.
    Raw(String),
    /// A block scalar: its header and its lines.
    Block(String, String),
    /// A string, in whatever style the writer chooses.
    Str(String),
    Seq(Vec<Self>),
    Map(Vec<(String, Self)>),
}

impl From<&str> for Y {
    fn from(text: &str) -> Self {
        Self::Str(text.to_owned())
    }
}

impl From<String> for Y {
    fn from(text: String) -> Self {
        Self::Str(text)
    }
}

impl From<Vec<Self>> for Y {
    fn from(items: Vec<Self>) -> Self {
        Self::Seq(items)
    }
}

/// Text as it stands.
pub(crate) fn raw(text: impl Into<String>) -> Y {
    Y::Raw(text.into())
}

/// A mapping.
pub(crate) fn map<const N: usize>(entries: [(&str, Y); N]) -> Y {
    Y::Map(
        entries
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    )
}

impl Y {
    /// Adds an entry to a mapping.
    pub(crate) fn push(&mut self, key: &str, value: impl Into<Self>) {
        if let Self::Map(entries) = self {
            entries.push((key.to_owned(), value.into()));
        }
    }

    /// With one more entry.
    pub(crate) fn with(mut self, key: &str, value: impl Into<Self>) -> Self {
        self.push(key, value);
        self
    }

    /// An entry of a mapping, to change; made if it is not there.
    pub(crate) fn entry(&mut self, key: &str) -> &mut Self {
        if !matches!(self, Self::Map(_)) {
            *self = Self::Map(Vec::new());
        }
        let Self::Map(entries) = self else {
            unreachable!("it was just made a mapping")
        };
        let at = entries.iter().position(|(name, _)| name == key);
        let at = at.unwrap_or_else(|| {
            entries.push((key.to_owned(), Self::Map(Vec::new())));
            entries.len() - 1
        });
        &mut entries.get_mut(at).expect("found or just pushed").1
    }

    /// Adds an item to a sequence.
    pub(crate) fn item(&mut self, value: impl Into<Self>) {
        if !matches!(self, Self::Seq(_)) {
            *self = Self::Seq(Vec::new());
        }
        if let Self::Seq(items) = self {
            items.push(value.into());
        }
    }
}

impl Y {
    /// What is at a path.
    pub(crate) fn at(&self, path: &[Step]) -> Option<&Self> {
        path.iter().try_fold(self, |value, step| match (value, step) {
            (Self::Map(entries), Step::Key(key)) => entries
                .iter()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value),
            (Self::Seq(items), Step::Item(item, _)) => items.get(*item),
            _ => None,
        })
    }

    /// Whether it is a scalar that is no null, whoever reads it.
    pub(crate) fn is_text(&self) -> bool {
        matches!(self, Self::Str(_) | Self::Block(..))
    }
}

/// A step into a value.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Key(String),
    /// The number of an item, and its name if it has one.
    Item(usize, Option<String>),
}

impl Y {
    /// The paths of everything in a value.
    pub(crate) fn paths(&self) -> Vec<Vec<Step>> {
        let mut all = Vec::new();
        self.walk(&mut Vec::new(), &mut all);
        all
    }

    fn walk(&self, at: &mut Vec<Step>, all: &mut Vec<Vec<Step>>) {
        if !at.is_empty() {
            all.push(at.clone());
        }
        match self {
            Self::Map(entries) => {
                for (key, value) in entries {
                    at.push(Step::Key(key.clone()));
                    value.walk(at, all);
                    at.pop();
                }
            }
            Self::Seq(items) => {
                for (number, item) in items.iter().enumerate() {
                    let name = match item {
                        Self::Map(entries) => entries.iter().find_map(|(key, value)| match value {
                            Self::Str(text) if key == "name" => Some(text.clone()),
                            _ => None,
                        }),
                        _ => None,
                    };
                    at.push(Step::Item(number, name));
                    item.walk(at, all);
                    at.pop();
                }
            }
            _ => {}
        }
    }
}
