//! What a directory has accumulated so far.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::kustomization::Var;
use crate::resmap::ResMap;
use crate::schema::Schema;

/// Objects, and the rules that are still to be applied to them.
#[derive(Default)]
pub(crate) struct Accumulator {
    pub(crate) map: ResMap,
    /// Nothing yet, or the rules of all directories so far. Most directories have the built-in ones
    /// and share them.
    pub(crate) config: Option<Rc<Config>>,
    pub(crate) vars: BTreeMap<String, Var>,
}

impl Accumulator {
    pub(crate) fn merge(&mut self, other: Self, schema: &Schema) -> Result<()> {
        self.map.append_map(other.map, schema)?;
        if let Some(config) = other.config {
            self.merge_config(config)?;
        }
        other.vars.into_values().try_for_each(|var| self.add_var(var))
    }

    /// Adds rules that may be shared with others.
    pub(crate) fn merge_config(&mut self, config: Rc<Config>) -> Result<()> {
        match &mut self.config {
            Some(own) if Rc::ptr_eq(own, &config) && config.is_settled() => Ok(()),
            Some(own) => Rc::make_mut(own).merge(&config),
            none if !config.is_settled() => {
                *none = Some(Rc::new(config.merged()?));
                Ok(())
            }
            none => {
                *none = Some(config);
                Ok(())
            }
        }
    }

    /// Adds rules as they were written. What comes into nothing is merged rule by rule; what comes to other rules is held
    /// against those, so that it depends on them whether two rules contradict each other.
    pub(crate) fn add_config(&mut self, config: &Config) -> Result<()> {
        match &mut self.config {
            Some(own) => Rc::make_mut(own).merge(config),
            none => {
                *none = Some(Rc::new(config.merged()?));
                Ok(())
            }
        }
    }

    fn add_var(&mut self, var: Var) -> Result<()> {
        if self.vars.contains_key(&var.name) {
            return Err(Error::invalid(format!("var '{}' already encountered", var.name)));
        }
        self.vars.insert(var.name.clone(), var);
        Ok(())
    }

    /// Notes on the objects which vars read from them.
    pub(crate) fn merge_vars(&mut self, vars: &[Var], schema: &Schema) -> Result<()> {
        for var in vars {
            let gvk = var.objref.gvk();
            let namespace = &var.objref.namespace;
            let found = self.map.named(&var.objref.name, schema, |id| {
                id.group == gvk.group
                    && id.version == gvk.version
                    && id.kind == gvk.kind
                    && (namespace.is_empty() || id.effective_namespace() == namespace)
            });
            match found.as_slice() {
                [] => {}
                [at] => {
                    if let Some(resource) = self.map.notes_mut().nth(*at) {
                        resource.vars.push(var.name.clone());
                    }
                }
                _ => {
                    return Err(Error::invalid(format!(
                        "found {} resId matches for var {} (unable to disambiguate)",
                        found.len(),
                        var.name
                    )));
                }
            }
            self.add_var(var.clone())?;
        }
        Ok(())
    }
}
