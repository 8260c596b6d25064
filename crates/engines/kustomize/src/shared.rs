//! What the directories of one build share: the schema in use, and remarks.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use weir_yaml::Texts;

use crate::cache::Cache;
use crate::charts::Charts;
use crate::config::Config;
use crate::decode;
use crate::effects::{Effects, Trace};
use crate::error::{Error, Result};
use crate::id::builtin_cluster_scope;
use crate::load;
use crate::loader::Loader;
use crate::resource::Resource;
use crate::schema::{Embedded, Schema};

/// What the directories of one build share.
#[derive(Default)]
pub(crate) struct Build<'a> {
    /// Files that other builds have parsed.
    cache: Option<&'a Cache>,
    /// Who renders charts, if charts are allowed.
    pub(crate) charts: Option<&'a dyn Charts>,
    /// The schema that the first `openapi` field brought.
    schema: RefCell<Option<Rc<Schema>>>,
    schema_is_set: Cell<bool>,
    /// An object was read whose scope had to be looked up before any schema was set. From then on
    /// kustomize keeps its embedded schema beside one that comes later.
    keep_builtin: Cell<bool>,
    /// A merge asked for the embedded schema before any schema was set.
    builtin_is_read: Cell<bool>,
    /// kustomize's own rules, merged once for all directories that add none.
    builtin: OnceCell<Rc<Config>>,
    /// The words of all objects, each of them once.
    texts: RefCell<Texts>,
    /// Remarks on deprecated fields.
    pub(crate) warnings: RefCell<Vec<String>>,
    /// What transformers did, if somebody wants to know.
    trace: Option<RefCell<Trace>>,
}

/// The schema in use.
pub(crate) enum SchemaInUse {
    Builtin(&'static Schema),
    Custom(Rc<Schema>),
}

impl std::ops::Deref for SchemaInUse {
    type Target = Schema;

    fn deref(&self) -> &Schema {
        match self {
            Self::Builtin(schema) => schema,
            Self::Custom(schema) => schema,
        }
    }
}

impl<'a> Build<'a> {
    pub(crate) fn new(cache: Option<&'a Cache>, charts: Option<&'a dyn Charts>) -> Self {
        Self {
            cache,
            charts,
            ..Self::default()
        }
    }

    /// Keeps what transformers do.
    pub(crate) fn watched(mut self) -> Self {
        self.trace = Some(RefCell::default());
        self
    }

    /// What a transformer is to note its effects in.
    pub(crate) fn effects(&self) -> Effects {
        match self.trace {
            Some(_) => Trace::effects(),
            None => Effects::unwatched(),
        }
    }

    /// Adds to what is kept, if anything is.
    pub(crate) fn note_effects(&self, note: impl FnOnce(&mut Trace)) {
        if let Some(trace) = &self.trace {
            note(&mut trace.borrow_mut());
        }
    }

    /// All that was kept.
    pub(crate) fn take_trace(&self) -> Trace {
        self.trace.as_ref().map(RefCell::take).unwrap_or_default()
    }

    /// Reads all objects of a file.
    pub(crate) fn resources(&self, bytes: &[u8]) -> Result<Vec<Resource>> {
        match self.cache {
            Some(cache) => {
                let objects = cache.objects(bytes, load::objects)?;
                Ok(objects.into_iter().map(Resource::new).collect())
            }
            None => load::resources_shared(bytes, &mut self.texts.borrow_mut()),
        }
    }

    /// Makes what was generated share its words with all other objects.
    pub(crate) fn share(&self, resources: &mut [Resource]) {
        let mut texts = self.texts.borrow_mut();
        let nodes = resources.iter_mut().filter_map(|resource| resource.node.as_mut());
        nodes.for_each(|node| texts.share_all(node));
    }

    /// Forgets the words: all objects are there.
    pub(crate) fn forget_texts(&self) {
        self.texts.take();
    }

    pub(crate) fn schema(&self) -> SchemaInUse {
        match &*self.schema.borrow() {
            Some(schema) => SchemaInUse::Custom(Rc::clone(schema)),
            None => SchemaInUse::Builtin(Schema::builtin()),
        }
    }

    /// kustomize's own rules.
    pub(crate) fn builtin_config(&self) -> Result<Rc<Config>> {
        if let Some(config) = self.builtin.get() {
            return Ok(Rc::clone(config));
        }
        let config = Rc::new(Config::builtin().merged()?);
        Ok(Rc::clone(self.builtin.get_or_init(|| config)))
    }

    /// Takes note of objects that were read.
    pub(crate) fn note(&self, resources: &[Resource]) {
        let unknown =
            |resource: &Resource| builtin_cluster_scope(resource.api_version(), resource.kind()).is_none();
        if !self.schema_is_set.get() && resources.iter().any(unknown) {
            self.keep_builtin.set(true);
        }
    }

    /// Takes note of a run in which objects were merged.
    pub(crate) fn note_merges(&self, effects: &Effects) {
        if effects.merges() && !self.schema_is_set.get() {
            self.builtin_is_read.set(true);
        }
    }

    /// Takes up an `openapi` field; the first one counts.
    pub(crate) fn set_schema(&self, openapi: &BTreeMap<String, String>, loader: &Loader<'_>) -> Result<()> {
        // The file is read, and so must exist, even if it comes too late.
        let text = openapi
            .get("path")
            .map(|path| loader.load_text(path))
            .transpose()?;
        if self.schema_is_set.get() {
            return Ok(());
        }
        match (text, openapi.get("version").map(String::as_str)) {
            (Some(_), Some(_)) => Err(Error::invalid(
                "builtin version and custom schema provided, cannot use both",
            )),
            (Some(text), None) => {
                let embedded = match (self.builtin_is_read.get(), self.keep_builtin.get()) {
                    (true, _) => Embedded::Yields,
                    (false, true) => Embedded::Decides,
                    (false, false) => Embedded::Absent,
                };
                let schema = Schema::parse(&decode::yaml(&text)?, embedded)?;
                *self.schema.borrow_mut() = Some(Rc::new(schema));
                self.schema_is_set.set(true);
                Ok(())
            }
            (None, None | Some("")) => Ok(()),
            (None, Some("v1.21.2")) => {
                self.schema_is_set.set(true);
                Ok(())
            }
            (None, Some(version)) => Err(Error::invalid(format!(
                "the specified OpenAPI version is not built in: '{version}', only v1.21.2 is"
            ))),
        }
    }
}
