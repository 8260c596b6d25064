//! Digests by which Flux tells whether a release is the one it made.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;

use super::{Release, encode};
use crate::gojson::{self, Object};
use crate::values::Table;

/// The digest of a revision, as the history in a HelmRelease's status has it (flux-controllers.md, 4.8).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SnapshotDigest<'r> {
    /// The revision.
    pub release: &'r Release,
    /// Digest of the artifact that the chart came from; empty if it is not tracked.
    pub oci_digest: &'r str,
}

impl SnapshotDigest<'_> {
    /// `sha256:` and the digest in hex.
    pub fn compute(&self) -> String {
        let release = self.release;
        let mut out = String::with_capacity(release.manifest.len() * 2);
        let mut object = Object::new(&mut out);
        object.text("name", &release.name);
        object.key("version").push_str(&release.version.to_string());
        encode::info(&release.info.clone().unwrap_or_default(), object.key("info"));
        let metadata = release.chart.as_ref().and_then(|chart| chart.metadata.as_ref());
        match metadata {
            Some(metadata) => encode::metadata(metadata, object.key("chartMetadata")),
            None => object.key("chartMetadata").push_str("{}"),
        }
        // No values are none, whether the record was made just now or read back.
        match release.config.as_ref().filter(|config| !config.is_empty()) {
            Some(config) => gojson::table(config, object.key("config")),
            None => object.key("config").push_str("null"),
        }
        object.text("manifest", &release.manifest);
        // Tests run at any time; they do not make another release.
        let hooks: Vec<_> = release.hooks.iter().filter(|hook| !hook.is_test()).collect();
        if hooks.is_empty() {
            object.key("hooks").push_str("null");
        } else {
            gojson::list(&hooks, object.key("hooks"), |hook, out| encode::hook(hook, out));
        }
        object.text("namespace", &release.namespace);
        object.some_text("ociDigest", self.oci_digest);
        object.end();
        out.push('\n');
        sha256(out.as_bytes())
    }
}

/// The digest of values, as the status of a HelmRelease has it: of their YAML with keys in the order of their bytes; of
/// the empty text if there are none.
pub fn config_digest(values: &Table) -> String {
    if values.is_empty() {
        return sha256(b"");
    }
    let text = weir_yaml::emit::sigs_by_bytes(&serde_json::Value::Object(values.clone()));
    sha256(text.as_bytes())
}

/// `sha256:` and the digest of bytes in hex.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", HEXLOWER.encode(digest(&SHA256, bytes).as_ref()))
}
