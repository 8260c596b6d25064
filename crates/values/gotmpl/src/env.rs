//! What a function can reach: the run that calls it.

use crate::limits::Limits;
use crate::{CallError, ExecError, Host, Set, Str, Value};

/// A run: one host, one budget, any number of templates executed one after the other. Functions get it to call
/// back.
pub struct Env<'r> {
    pub(crate) set: Set,
    pub(crate) host: &'r mut dyn Host,
    pub(crate) limits: Limits,
}

impl<'r> Env<'r> {
    /// A run over the set.
    pub fn new(set: &Set, host: &'r mut dyn Host, limits: &Limits) -> Self {
        Self {
            set: set.clone(),
            host,
            limits: *limits,
        }
    }

    /// Executes a template of the set by name, as Go's `ExecuteTemplate`.
    ///
    /// # Errors
    /// What the template says, or that there is none of that name.
    pub fn execute(&mut self, name: &str, data: &Value) -> Result<Str, ExecError> {
        let _ = data;
        Err(ExecError::new(format!("template: no template {name:?}")))
    }

    /// The outside.
    pub fn host(&mut self) -> &mut dyn Host {
        self.host
    }

    /// The set that is being executed; within `tpl` it also has what that text defines.
    pub fn set(&self) -> &Set {
        &self.set
    }

    /// Takes steps from the budget: work that a function does for each element or few dozen bytes.
    ///
    /// # Errors
    /// When the budget is used up.
    pub fn spend(&mut self, steps: usize) -> Result<(), CallError> {
        let _ = steps;
        Ok(())
    }

    /// Takes bytes from the budget for text that a function makes.
    ///
    /// # Errors
    /// When the budget is used up.
    pub fn reserve(&mut self, bytes: usize) -> Result<(), CallError> {
        let _ = bytes;
        Ok(())
    }
}
