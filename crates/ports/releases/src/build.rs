//! Objects of a manifest as this cluster knows them.

use weir_apis::Object;
use weir_cluster::{ApiError, chain};
use weir_helm::action::{self, ManifestObjectError};

use crate::Context;
use crate::error::{Failure, Reason};

impl Context<'_> {
    /// The objects of a release's manifest, each with the namespace that its scope allows. Values of Secrets among them
    /// are hidden from now on.
    pub(crate) async fn build(&self, manifest: &str) -> Result<Vec<Object>, Failure> {
        self.scoped(action::from_manifest(manifest)).await
    }

    /// The same of one document.
    pub(crate) async fn build_document(&self, document: &str) -> Result<Vec<Object>, Failure> {
        self.scoped(action::from_document(document)).await
    }

    async fn scoped(
        &self,
        objects: Result<Vec<Object>, ManifestObjectError>,
    ) -> Result<Vec<Object>, Failure> {
        let mut objects = objects.map_err(|error| Failure::new(Reason::Objects, error.to_string()))?;
        self.log.learn(|mask| {
            for object in &objects {
                weir_plan::add_secret_values(object, mask);
            }
        });
        for object in &mut objects {
            if object.namespace().is_empty() {
                object.set_namespace(self.namespace);
            }
            match self.client.scoped(&object.reference()).await {
                Ok(reference) => object.set_namespace(&reference.namespace),
                Err(error @ ApiError::UnknownKind(_)) => {
                    return Err(Failure::new(
                        Reason::Objects,
                        format!(
                            "resource mapping not found for name: {:?} namespace: {:?} from \"\": {error}\nensure CRDs are \
                             installed first",
                            object.name(),
                            object.namespace(),
                        ),
                    ));
                }
                Err(error) => return Err(Failure::new(Reason::Cluster, chain(&error))),
            }
        }
        Ok(objects)
    }
}
