//! A manifest is read by what it says it is.

use weir_oci::{Descriptor, ImageIndex, ImageManifest, InvalidManifest, Manifest, media_type};

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn descriptor() -> String {
    format!(r#"{{"mediaType":"application/x","size":0,"digest":"{DIGEST}"}}"#)
}

#[test]
fn what_is_written_is_read_again() {
    let image = ImageManifest::new(
        Descriptor::empty(),
        vec![Descriptor::of(media_type::FLUX_CONTENT, b"x")],
    );
    let read = Manifest::parse(media_type::OCI_MANIFEST, &image.to_bytes().unwrap()).unwrap();
    assert_eq!(read.as_image(), Some(&image));
    let index = ImageIndex::new(vec![Descriptor::of(media_type::OCI_MANIFEST, b"{}")]);
    let read = Manifest::parse("", &index.to_bytes().unwrap()).unwrap();
    assert_eq!(read.as_index(), Some(&index));
}

#[test]
fn descriptors_are_written_in_the_order_flux_writes_them() {
    let text = serde_json::to_string(&Descriptor::empty()).unwrap();
    assert_eq!(
        text,
        r#"{"mediaType":"application/vnd.oci.empty.v1+json","size":2,"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}"#
    );
}

#[test]
fn nulls_read_as_nothing_there() {
    let body = format!(
        r#"{{"schemaVersion":2,"config":{},"layers":null,"annotations":null}}"#,
        descriptor()
    );
    let manifest = Manifest::parse(media_type::OCI_MANIFEST, body.as_bytes()).unwrap();
    assert!(manifest.as_image().unwrap().layers.is_empty());
}

#[test]
fn n24_index_and_image_are_not_confused() {
    let image = format!(
        r#"{{"schemaVersion":2,"config":{0},"layers":[{0}]}}"#,
        descriptor()
    );
    let index = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, descriptor());
    let both = format!(
        r#"{{"schemaVersion":2,"config":{0},"layers":[],"manifests":[{0}]}}"#,
        descriptor()
    );
    let lying = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","config":{},"layers":[]}}"#,
        media_type::OCI_INDEX,
        descriptor()
    );
    let parse = |kind: &str, body: &str| Manifest::parse(kind, body.as_bytes());
    assert!(matches!(
        parse(media_type::OCI_INDEX, &image),
        Err(InvalidManifest::OtherKind(_))
    ));
    assert!(matches!(
        parse(media_type::OCI_MANIFEST, &index),
        Err(InvalidManifest::OtherKind(_))
    ));
    for kind in media_type::MANIFESTS {
        assert!(
            matches!(parse(kind, &both), Err(InvalidManifest::BothKinds)),
            "{kind}"
        );
    }
    assert!(matches!(
        parse(media_type::OCI_MANIFEST, &lying),
        Err(InvalidManifest::Disagree { .. })
    ));
    assert!(matches!(parse("", &lying), Err(InvalidManifest::OtherKind(_))));
    assert!(matches!(parse("", &image), Err(InvalidManifest::NoMediaType)));
    assert!(matches!(
        parse("application/json", &image),
        Err(InvalidManifest::UnknownMediaType(_))
    ));
}

#[test]
fn n24_duplicate_keys_and_wrong_sizes_are_refused() {
    let twice = format!(
        r#"{{"schemaVersion":2,"config":{0},"config":{0},"layers":[]}}"#,
        descriptor()
    );
    assert!(Manifest::parse(media_type::OCI_MANIFEST, twice.as_bytes()).is_err());
    let negative = r#"{"schemaVersion":2,"config":{"mediaType":"x","size":-1,"digest":"x"},"layers":[]}"#;
    assert!(Manifest::parse(media_type::OCI_MANIFEST, negative.as_bytes()).is_err());
}

#[test]
fn docker_schema_1_is_refused_by_name() {
    let body = r#"{"schemaVersion":1,"fsLayers":[]}"#;
    assert!(matches!(
        Manifest::parse(media_type::DOCKER_SCHEMA1, body.as_bytes()),
        Err(InvalidManifest::Schema1)
    ));
}

#[test]
fn an_index_gives_linux_amd64() {
    let entry = |os: &str, architecture: &str| {
        let mut entry = Descriptor::of(media_type::OCI_MANIFEST, architecture.as_bytes());
        entry.platform = Some(weir_oci::Platform {
            os: os.into(),
            architecture: architecture.into(),
            ..Default::default()
        });
        entry
    };
    let index = ImageIndex::new(vec![
        entry("linux", "arm64"),
        entry("linux", "amd64"),
        entry("windows", "amd64"),
    ]);
    assert_eq!(index.default_platform(), index.manifests.get(1));
    assert_eq!(
        ImageIndex::new(vec![entry("linux", "arm64")]).default_platform(),
        None
    );
}
