//! Sets of named templates.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::parse::{Mode, Tree, parse};
use crate::table::Table;
use crate::{Env, ExecError, Functions, Host, Limits, ParseError, Str, Value};

/// What `.missing` on a map gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingKey {
    /// No value: prints `<no value>`, and further fields of it are no value either.
    #[default]
    Default,
    /// The zero of the map's element type, Helm's choice. For `interface {}` that is nil: prints `<no value>`,
    /// and a field of it is an error.
    Zero,
    /// An error.
    Error,
}

/// What encloses actions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delimiters {
    /// `{{`
    pub left: String,
    /// `}}`
    pub right: String,
}

impl Default for Delimiters {
    fn default() -> Self {
        Self {
            left: "{{".to_owned(),
            right: "}}".to_owned(),
        }
    }
}

/// How a set parses and executes.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What Go calls the template that all others are associated with; some messages name it, and the text of a
    /// `tpl` goes by it. Helm's is `gotpl`.
    pub name: String,
    /// What a missing key gives.
    pub missing_key: MissingKey,
    /// What encloses actions.
    pub delimiters: Delimiters,
}

/// Named templates that can call each other. Cheap to clone; a clone that parses more does not change the other.
#[derive(Clone, Debug)]
pub struct Set {
    functions: Arc<Functions>,
    options: Arc<Options>,
    layer: Arc<Layer>,
}

/// Templates over those of another layer, so that a clone with a few more need not copy thousands.
#[derive(Clone, Debug, Default)]
struct Layer {
    templates: Table<Arc<str>, Arc<Tree>>,
    below: Option<Arc<Self>>,
}

/// The templates of one text, parsed for a set and not yet part of it. Copies share them.
#[derive(Clone, Debug)]
pub struct Parsed(Vec<Arc<Tree>>);

/// Bytes of templates from which on they are parsed on two threads.
const WORTH_A_THREAD: usize = 128 << 10;

/// Where to part texts so that both parts have about as many bytes.
fn middle(texts: &[(&str, Arc<String>)], size: usize) -> usize {
    let mut before = 0;
    let at = texts.iter().position(|(_, text)| {
        before += text.len();
        before > size / 2
    });
    at.unwrap_or(texts.len())
}

impl Set {
    /// An empty set.
    pub fn new(functions: Arc<Functions>, options: Options) -> Self {
        Self {
            functions,
            options: Arc::new(options),
            layer: Arc::default(),
        }
    }

    /// Parses a text under a name, with the templates that it defines. As in Go, a later definition replaces an
    /// earlier one unless it is empty.
    ///
    /// # Errors
    /// When the text is no template; the set is then as before.
    pub fn parse(&mut self, name: &str, text: &str) -> Result<(), ParseError> {
        let trees = self.parse_apart(name, &Arc::new(text.to_owned()))?;
        self.add(&trees);
        Ok(())
    }

    /// Parses a text under a name and changes nothing: the first half of [`Set::parse`], which may be done at any time and on any
    /// thread. What is parsed points into the text, which is not copied.
    ///
    /// # Errors
    /// When the text is no template.
    pub fn read(&self, name: &str, text: &Arc<String>) -> Result<Parsed, ParseError> {
        self.parse_apart(name, text).map(Parsed)
    }

    /// Adds what this set or a copy of it has read: the other half of [`Set::parse`].
    pub fn put(&mut self, parsed: &Parsed) {
        self.add(&parsed.0);
    }

    /// Parses texts under their names, with the same result as one after the other with [`Set::parse`]; many are parsed
    /// on two threads. What is parsed points into the texts, which are not copied.
    ///
    /// # Errors
    /// Of the first text that is no template; the set is then as before.
    pub fn parse_all(&mut self, texts: &[(&str, Arc<String>)]) -> Result<(), ParseError> {
        for tree in self.trees(texts)? {
            self.add(&tree);
        }
        Ok(())
    }

    fn trees(&self, texts: &[(&str, Arc<String>)]) -> Result<Vec<Vec<Arc<Tree>>>, ParseError> {
        let parse = |texts: &[(&str, Arc<String>)]| -> Result<Vec<_>, ParseError> {
            texts
                .iter()
                .map(|(name, text)| self.parse_apart(name, text))
                .collect()
        };
        let size: usize = texts.iter().map(|(_, text)| text.len()).sum();
        let (first, second) = texts.split_at(middle(texts, size));
        if size < WORTH_A_THREAD || second.is_empty() {
            return parse(texts);
        }
        std::thread::scope(|scope| {
            let spawned = std::thread::Builder::new().spawn_scoped(scope, || parse(second));
            let mut trees = parse(first)?;
            let rest = match spawned {
                Ok(thread) => thread
                    .join()
                    .unwrap_or_else(|broken| std::panic::resume_unwind(broken)),
                // Without another thread this one does it all.
                Err(_) => parse(second),
            };
            trees.append(&mut rest?);
            Ok(trees)
        })
    }

    /// Parses without adding. The tree of the text itself is the last one.
    pub(crate) fn parse_apart(&self, name: &str, text: &Arc<String>) -> Result<Vec<Arc<Tree>>, ParseError> {
        let trees = parse(
            name,
            text,
            &self.options.delimiters,
            &self.functions,
            Mode::default(),
        )?;
        let (own, mut rest): (Vec<_>, Vec<_>) = trees
            .into_iter()
            .map(Arc::new)
            .partition(|tree| *tree.name == *name);
        rest.extend(own);
        Ok(rest)
    }

    pub(crate) fn add(&mut self, trees: &[Arc<Tree>]) {
        for tree in trees {
            // An empty template replaces nothing.
            if tree.root.is_empty(&tree.text) && self.contains(&tree.name) {
                continue;
            }
            if Arc::get_mut(&mut self.layer).is_none() {
                self.layer = Arc::new(Layer {
                    templates: Table::default(),
                    below: Some(Arc::clone(&self.layer)),
                });
            }
            if let Some(layer) = Arc::get_mut(&mut self.layer) {
                layer.templates.insert(Arc::clone(&tree.name), Arc::clone(tree));
            }
        }
    }

    pub(crate) fn lookup(&self, name: &str) -> Option<&Arc<Tree>> {
        let mut layer = &self.layer;
        loop {
            if let Some(tree) = layer.templates.get(name) {
                return Some(tree);
            }
            layer = layer.below.as_ref()?;
        }
    }

    /// Whether there is a template of that name.
    pub fn contains(&self, name: &str) -> bool {
        self.lookup(name).is_some()
    }

    /// The names of all templates, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names = BTreeSet::new();
        let mut layer = Some(&self.layer);
        while let Some(here) = layer {
            names.extend(here.templates.keys().map(ToString::to_string));
            layer = here.below.as_ref();
        }
        names.into_iter().collect()
    }

    /// How it parses and executes.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Its functions.
    pub fn functions(&self) -> &Arc<Functions> {
        &self.functions
    }

    /// Executes one template in a run of its own. For several with one budget, see [`Env`].
    ///
    /// # Errors
    /// What the template says, or that there is none of that name.
    pub fn execute(
        &self,
        name: &str,
        data: &Value,
        host: &mut dyn Host,
        limits: &Limits,
    ) -> Result<Str, ExecError> {
        Env::new(self, host, limits).execute(name, data)
    }
}
