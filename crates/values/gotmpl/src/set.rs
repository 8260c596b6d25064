//! Sets of named templates.

use std::sync::Arc;

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
}

impl Set {
    /// An empty set.
    pub fn new(functions: Arc<Functions>, options: Options) -> Self {
        Self {
            functions,
            options: Arc::new(options),
        }
    }

    /// Parses a text under a name, with the templates that it defines. As in Go, a later definition replaces an
    /// earlier one unless it is empty.
    ///
    /// # Errors
    /// When the text is no template; the set is then as before.
    pub fn parse(&mut self, name: &str, text: &str) -> Result<(), ParseError> {
        let _ = (name, text, &self.functions, &self.options);
        Ok(())
    }

    /// Whether there is a template of that name.
    pub fn contains(&self, name: &str) -> bool {
        let _ = name;
        false
    }

    /// The names of all templates, sorted.
    pub fn names(&self) -> Vec<String> {
        Vec::new()
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
