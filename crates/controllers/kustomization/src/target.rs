//! The cluster that a Kustomization applies to, and what is known of it.

use std::sync::Arc;

use weir_apis::{Object, ObjectRef};
use weir_cluster::carry_out::View;
use weir_cluster::{ApiError, Client, Lookup, Memory};

use crate::watched::Watched;

/// Where to apply, and the rights to do it with.
#[derive(Debug)]
pub(crate) struct Target {
    /// Acts as the ServiceAccount of the spec.
    pub(crate) client: Client,
    /// What is known of live objects.
    pub(crate) view: Sight,
}

/// What is known of live objects.
#[derive(Debug)]
pub(crate) enum Sight {
    /// This cluster: watched.
    Watched(Arc<Watched>),
    /// Another cluster: asked each time.
    Blind(Memory),
}

impl View for Sight {
    fn look(&self, object: &ObjectRef) -> Lookup {
        match self {
            Self::Watched(watched) => watched.live(object),
            Self::Blind(_) => Lookup::Unsynced,
        }
    }

    fn note(&self, object: &Object) {
        if let Self::Watched(watched) = self {
            watched.note(object);
        }
    }

    fn memory(&self) -> &Memory {
        match self {
            Self::Watched(watched) => watched.memory(),
            Self::Blind(memory) => memory,
        }
    }
}

impl Target {
    /// Sees to it that the types of these objects are watched. A type that nothing serves yet is left out: applying
    /// its objects will say so.
    pub(crate) async fn watch<'a>(
        &self,
        objects: impl IntoIterator<Item = &'a ObjectRef>,
    ) -> Result<(), ApiError> {
        let Sight::Watched(watched) = &self.view else {
            return Ok(());
        };
        let kinds: std::collections::BTreeSet<_> = objects.into_iter().map(|o| &o.gvk).collect();
        for gvk in kinds {
            match watched.mirror(gvk).await {
                Ok(_) | Err(ApiError::UnknownKind(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
