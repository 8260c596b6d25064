//! What a function can reach: the run that calls it.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use weir_re2::Pattern;

use crate::limits::Limits;
use crate::map::WeakMap;
use crate::parse::Tree;
use crate::quote::quote;
use crate::repeated::Repeated;
use crate::table::Table;
use crate::value::{holds_itself, is_container};
use crate::{CallError, ExecError, Host, Map, ParseError, Set, Str, Value, exec};

/// How many patterns and parsed texts a run remembers.
const REMEMBERED: usize = 4096;

/// A run: one host, one budget, any number of templates executed one after the other. Functions get it to call
/// back.
pub struct Env<'r> {
    pub(crate) set: Set,
    host: &'r mut dyn Host,
    pub(crate) limits: Limits,
    steps: u64,
    bytes: usize,
    pub(crate) depth: usize,
    /// Where the stack was when the outermost template began.
    stack: usize,
    /// How often each name is being included right now.
    pub(crate) includes: Table<Str, u32>,
    patterns: Table<Str, Result<Pattern, String>>,
    texts: Table<Str, Rc<[Arc<Tree>]>>,
    /// What `fromYaml` has read.
    pub(crate) yaml: Repeated,
    /// Maps that were given containers to hold: one of them may hold itself now.
    holders: BTreeMap<usize, WeakMap>,
    /// What templates wrote into that are done: the next ones find room there.
    buffers: Vec<Vec<u8>>,
}

/// A map that holds itself would never be freed. It is emptied when the run ends.
impl Drop for Env<'_> {
    fn drop(&mut self) {
        for map in std::mem::take(&mut self.holders)
            .into_values()
            .filter_map(|map| map.upgrade())
        {
            if holds_itself(&map) {
                map.clear();
            }
        }
    }
}

impl<'r> Env<'r> {
    /// A run over the set.
    pub fn new(set: &Set, host: &'r mut dyn Host, limits: &Limits) -> Self {
        Self {
            set: set.clone(),
            host,
            limits: *limits,
            steps: limits.steps,
            bytes: limits.output,
            depth: 0,
            stack: 0,
            includes: Table::default(),
            patterns: Table::default(),
            texts: Table::default(),
            yaml: Repeated::default(),
            holders: BTreeMap::new(),
            buffers: Vec::new(),
        }
    }

    /// Executes a template of the set by name, as Go's `ExecuteTemplate`.
    ///
    /// # Errors
    /// What the template says, or that there is none of that name.
    pub fn execute(&mut self, name: &str, data: &Value) -> Result<Str, ExecError> {
        self.execute_into(name, data, Str::from_bytes)
    }

    /// The same, with what it wrote given to `take`: for those who would copy the string.
    ///
    /// # Errors
    /// Those of [`Self::execute`].
    pub fn execute_into<T>(
        &mut self,
        name: &str,
        data: &Value,
        take: impl FnOnce(&[u8]) -> T,
    ) -> Result<T, ExecError> {
        let Some(tree) = self.set.lookup(name).map(Arc::clone) else {
            return Err(ExecError::new(format!(
                "template: no template {} associated with template {}",
                quote(name.as_bytes(), false),
                quote(self.set.options().name.as_bytes(), false)
            )));
        };
        self.execute_tree(&tree, data, take)
    }

    /// Parses a text on top of the set and executes it, as Helm's `tpl`: what it defines is there while it runs,
    /// and for what it calls.
    pub(crate) fn execute_text(
        &mut self,
        text: &Str,
        data: &Value,
    ) -> Result<Result<Str, ExecError>, ParseError> {
        let trees = if let Some(trees) = self.texts.get(text) {
            Rc::clone(trees)
        } else {
            let source = Arc::new(text.to_str().into_owned());
            let trees = self.set.parse_apart(&self.set.options().name, &source)?;
            let trees: Rc<[Arc<Tree>]> = trees.into();
            if self.texts.len() < REMEMBERED {
                self.texts.insert(text.clone(), Rc::clone(&trees));
            }
            trees
        };
        let before = self.set.clone();
        self.set.add(&trees);
        let result = match trees.last() {
            Some(tree) => self.execute_tree(tree, data, Str::from_bytes),
            None => Ok(Str::default()),
        };
        self.set = before;
        Ok(result)
    }

    fn execute_tree<T>(
        &mut self,
        tree: &Tree,
        data: &Value,
        take: impl FnOnce(&[u8]) -> T,
    ) -> Result<T, ExecError> {
        if self.depth == 0 {
            self.stack = exec::stack_address();
        }
        let mut out = self.buffers.pop().unwrap_or_default();
        // What a template is executed with is a copy, as an argument of a function is.
        let copied = match data {
            Value::Object(object) => object.copied(),
            _ => None,
        };
        let done = exec::run(self, tree, copied.as_ref().unwrap_or(data), &mut out);
        let done = done.map(|()| take(&out));
        out.clear();
        self.buffers.push(out);
        done
    }

    /// Whether one more level of nesting is within the limits.
    pub(crate) fn may_nest(&self) -> bool {
        self.depth <= self.limits.depth && self.stack.abs_diff(exec::stack_address()) < self.limits.stack
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
        match self.steps.checked_sub(steps as u64) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => Err(CallError::limit(format!(
                "the template takes more than {} steps",
                self.limits.steps
            ))),
        }
    }

    /// Takes bytes from the budget for text that a function makes.
    ///
    /// # Errors
    /// When the budget is used up.
    pub fn reserve(&mut self, bytes: usize) -> Result<(), CallError> {
        match self.bytes.checked_sub(bytes) {
            Some(left) => {
                self.bytes = left;
                Ok(())
            }
            None => Err(CallError::limit(format!(
                "the template makes more than {} bytes",
                self.limits.output
            ))),
        }
    }

    /// Takes note of a map that is given a value to hold.
    pub(crate) fn holds(&mut self, map: &Map, value: &Value) -> Result<(), CallError> {
        if is_container(value) {
            let map = map.downgrade();
            if self.holders.insert(map.address(), map).is_none() {
                self.reserve(64)?;
            }
        }
        Ok(())
    }

    /// The compiled pattern, remembered for the run.
    pub(crate) fn pattern(&mut self, source: &Str) -> Result<Pattern, CallError> {
        if let Some(known) = self.patterns.get(source) {
            return known.clone().map_err(CallError::new);
        }
        self.spend(100 + source.len())?;
        let compiled = Pattern::new(&source.to_str()).map_err(|error| error.to_string());
        if self.patterns.len() < REMEMBERED {
            self.patterns.insert(source.clone(), compiled.clone());
        }
        compiled.map_err(CallError::new)
    }
}
