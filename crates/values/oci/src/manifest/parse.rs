//! Reading a manifest strictly by what it says it is.
//!
//! The same bytes can be made to read as an image and as an index, and a registry can announce one while the
//! body says the other; a verifier and a puller that disagree are then each fooled. So the announced type
//! decides, the body must agree with it, and a body that holds the parts of both is refused.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{ImageIndex, ImageManifest, Manifest};
use crate::media_type;

/// The fields that tell the kinds apart.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    schema_version: u32,
    #[serde(default)]
    media_type: Option<String>,
    #[serde(default)]
    config: Option<IgnoredAny>,
    #[serde(default)]
    layers: Option<IgnoredAny>,
    #[serde(default)]
    fs_layers: Option<IgnoredAny>,
    #[serde(default)]
    manifests: Option<IgnoredAny>,
}

impl Manifest {
    /// Reads `body`, announced as `announced` (a `Content-Type` or a descriptor's media type; empty when
    /// nothing was announced, and then the body's own word counts).
    ///
    /// # Errors
    /// When the type is unknown, the body says another, or the body is no such manifest. See [`InvalidManifest`].
    pub fn parse(announced: &str, body: &[u8]) -> Result<Self, InvalidManifest> {
        let shape: Shape = serde_json::from_slice(body)?;
        let announced = media_type::essence(announced);
        if shape.fs_layers.is_some()
            || [media_type::DOCKER_SCHEMA1, media_type::DOCKER_SCHEMA1_SIGNED].contains(&announced.as_str())
        {
            return Err(InvalidManifest::Schema1);
        }
        if shape.schema_version != 2 {
            return Err(InvalidManifest::SchemaVersion(shape.schema_version));
        }
        let own = shape.media_type.as_deref().filter(|own| !own.is_empty());
        let kind = match (announced.as_str(), own) {
            ("", Some(own)) => own.to_owned(),
            ("", None) => return Err(InvalidManifest::NoMediaType),
            (_, Some(own)) if own != announced => {
                return Err(InvalidManifest::Disagree {
                    announced,
                    own: own.to_owned(),
                });
            }
            _ => announced,
        };
        let image_parts = shape.config.is_some() || shape.layers.is_some();
        let index_parts = shape.manifests.is_some();
        if image_parts && index_parts {
            return Err(InvalidManifest::BothKinds);
        }
        if media_type::is_image(&kind) {
            if index_parts {
                return Err(InvalidManifest::OtherKind(kind));
            }
            Ok(Self::Image(serde_json::from_slice::<ImageManifest>(body)?))
        } else if media_type::is_index(&kind) {
            if image_parts {
                return Err(InvalidManifest::OtherKind(kind));
            }
            Ok(Self::Index(serde_json::from_slice::<ImageIndex>(body)?))
        } else {
            Err(InvalidManifest::UnknownMediaType(
                kind.chars().take(200).collect(),
            ))
        }
    }
}

/// Why bytes are no manifest that weir reads.
#[derive(Debug, thiserror::Error)]
pub enum InvalidManifest {
    /// The body is no JSON of the right shape.
    #[error("the manifest cannot be read")]
    Read(#[from] serde_json::Error),
    /// Docker schema 1.
    #[error("the manifest is of Docker schema 1, which no longer names its content safely")]
    Schema1,
    /// `schemaVersion` is not 2.
    #[error("the manifest has schemaVersion {0}, expected 2")]
    SchemaVersion(u32),
    /// Neither the registry nor the body say what it is.
    #[error("neither the registry nor the manifest says of which media type it is")]
    NoMediaType,
    /// A media type that is neither image nor index.
    #[error("{0:?} is no manifest media type that weir reads")]
    UnknownMediaType(String),
    /// The registry announced one type and the body says another.
    #[error("the manifest was announced as {announced:?} but says that it is {own:?}")]
    Disagree {
        /// What the registry or the descriptor said.
        announced: String,
        /// What the body says.
        own: String,
    },
    /// The body has an image's parts and an index's.
    #[error("the manifest reads as an image and as an index at once")]
    BothKinds,
    /// The body is of the other kind than its media type.
    #[error("the body does not have the parts of a {0:?}")]
    OtherKind(String),
}
