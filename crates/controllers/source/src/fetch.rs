//! Step four: pull by digest, take the layer that the spec names, and make a file of it for the store.

use std::collections::BTreeMap;

use bytes::Bytes;
use weir_apis::reason;
use weir_oci::Digest;
use weir_runtime::Failure;
use weir_runtime::verdict::chain;
use weir_store::archive::{Form, pack_tree};
use weir_store::extract::{Layer, Symlinks, layer};
use weir_store::flux::{LayerSelector, Operation, PullError, pull};
use weir_store::ignore::IgnoreRules;
use weir_store::{Limits, Storable, Tree};
use weir_verify::{Admitted, Digested};

use crate::gather::Gathered;
use crate::resolve::failed;
use crate::status::Failed;

/// Largest layer that is taken, in bytes. Larger ones are no configuration.
const MAX_LAYER: u64 = 256 << 20;

/// What is to be stored.
#[derive(Debug, Clone)]
pub(crate) struct Pulled {
    /// The digest that was resolved: of an index, where the tag names one.
    resolved: Digest,
    /// The file.
    file: Bytes,
    /// Annotations of the manifest.
    pub(crate) metadata: BTreeMap<String, String>,
}

impl Digested for Pulled {
    fn digest(&self) -> Digest {
        self.resolved
    }
}

impl Storable for Pulled {
    fn content(&self) -> &Bytes {
        &self.file
    }
}

/// Pulls what was admitted, and nothing else: everything here goes by its digest.
pub(crate) async fn fetch(
    gathered: &Gathered,
    admitted: Admitted<Digest>,
) -> Result<Admitted<Pulled>, Failed> {
    let resolved = *admitted.get();
    let copy = gathered.layer.operation.as_deref() == Some("copy");
    let selector = LayerSelector {
        media_type: gathered.layer.media_type.clone(),
        operation: if copy { Operation::Copy } else { Operation::Extract },
    };
    let pulled = pull(
        &gathered.registry,
        &gathered.repository,
        &resolved,
        &selector,
        MAX_LAYER,
    )
    .await
    .map_err(|error| match &error {
        PullError::Registry(error) => failed(error),
        other => layer_failed(chain(other)),
    })?;
    let file = if copy {
        pulled.content
    } else {
        repack(pulled.content, gathered.ignore.clone()).await?
    };
    let pulled = Pulled {
        resolved,
        file,
        metadata: pulled.annotations,
    };
    admitted.bind(pulled).map_err(|e| layer_failed(chain(&e)))
}

/// Unpacks a layer and packs it again by the ignore rules, the same bytes for the same content.
async fn repack(content: Bytes, ignore: Option<String>) -> Result<Bytes, Failed> {
    let task = tokio::task::spawn_blocking(move || {
        let unpacked = layer(&content, &Limits::default(), Symlinks::Drop).map_err(|e| chain(&e))?;
        let tree: Tree = match unpacked {
            Layer::Tree(tree) => tree,
            Layer::File(_) => {
                return Err("the layer is no archive; use layerSelector.operation 'copy' for files".into());
            }
        };
        let rules = IgnoreRules::for_tree(&tree, ignore.as_deref());
        let kept = tree.filtered(|path, folder| rules.excludes(path, folder));
        pack_tree(&kept, Form::Source)
            .map(|packed| packed.bytes)
            .map_err(|e| chain(&e))
    });
    match task.await {
        Ok(result) => result.map_err(layer_failed),
        Err(error) => Err(layer_failed(format!("unpacking did not end: {error}"))),
    }
}

fn layer_failed(message: String) -> Failed {
    Failed::fetch(Failure::retry(
        reason::OCI_ARTIFACT_LAYER_OPERATION_FAILED,
        message,
    ))
}
