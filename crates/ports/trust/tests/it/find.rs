//! Finding signatures among other things, in the right order, with caps.

use http::{Method, StatusCode};
use weir_oci::{Descriptor, Digest, ImageManifest, media_type};
use weir_standin_registry::{Effect, Fault};
use weir_trust::{FindError, Sizes, find, find_all, legacy_tag, sign};
use weir_verify::{Layout, MAX_SIGNATURES, Rejection, Target, verify};

use crate::support::{REPOSITORY, Setup, now, options, plain_key, policy};

#[tokio::test]
async fn n36_an_unsigned_artifact_has_no_signatures() {
    for setup in [Setup::new().await, Setup::without_referrers_api().await] {
        let found = find(&setup.client, &setup.target).await.unwrap();
        assert!(found.bundles.is_empty() && found.payloads.is_empty());
        assert!(verify(&setup.target, &found, &policy(&plain_key("p256")), now()).is_err());
        setup.handle.shutdown().await;
    }
}

#[tokio::test]
async fn other_attached_things_are_passed_over() {
    let setup = Setup::new().await;
    setup.attach("application/spdx+json", b"an sbom").await;
    let bundle = setup.push(media_type::SIGSTORE_BUNDLE_V03, b"{}").await;
    setup.attach_layers(vec![bundle.clone(), bundle]).await;
    sign(&setup.client, &setup.target, &plain_key("p256"), &options())
        .await
        .unwrap();
    let found = find(&setup.client, &setup.target).await.unwrap();
    assert_eq!(found.bundles.len(), 1);
    setup.handle.shutdown().await;
}

#[tokio::test]
async fn payloads_are_not_fetched_when_a_bundle_can_be_read() {
    let setup = Setup::new().await;
    let key = plain_key("p256");
    sign(
        &setup.client,
        &setup.target,
        &key,
        &options().in_layout(Layout::Legacy),
    )
    .await
    .unwrap();
    assert_eq!(
        find(&setup.client, &setup.target).await.unwrap().payloads.len(),
        1
    );
    // A document that cannot be read is no bundle that counts.
    setup
        .attach(media_type::SIGSTORE_BUNDLE_V03, b"not a bundle")
        .await;
    let found = find(&setup.client, &setup.target).await.unwrap();
    assert_eq!((found.bundles.len(), found.payloads.len()), (1, 1));
    assert!(verify(&setup.target, &found, &policy(&key), now()).is_ok());

    sign(&setup.client, &setup.target, &plain_key("rsa"), &options())
        .await
        .unwrap();
    let found = find(&setup.client, &setup.target).await.unwrap();
    assert_eq!((found.bundles.len(), found.payloads.len()), (2, 0));
    assert!(verify(&setup.target, &found, &policy(&key), now()).is_err());
    setup.handle.shutdown().await;
}

#[tokio::test]
async fn n40_a_signature_image_moved_under_another_artifacts_tag_does_not_count() {
    let setup = Setup::new().await;
    let key = plain_key("p256");
    let stored = sign(
        &setup.client,
        &setup.target,
        &key,
        &options().in_layout(Layout::Legacy),
    )
    .await
    .unwrap();

    let repository = setup.target.repository();
    let other = ImageManifest::new(
        setup.push(media_type::FLUX_CONFIG, b"{}").await,
        vec![setup.push(media_type::FLUX_CONTENT, b"evil").await],
    );
    let raw = other.to_bytes().unwrap();
    let other = setup
        .client
        .push_manifest(repository, None, raw, media_type::OCI_MANIFEST)
        .await
        .unwrap();
    setup
        .client
        .tag(repository, &stored.manifest, &legacy_tag(&other))
        .await
        .unwrap();

    let target = Target::new(repository.clone(), other);
    let found = find(&setup.client, &target).await.unwrap();
    assert_eq!(found.payloads.len(), 1);
    let error = verify(&target, &found, &policy(&key), now()).unwrap_err();
    assert!(
        error.to_string().contains("signed for another artifact"),
        "{error}"
    );
    setup.handle.shutdown().await;
}

#[tokio::test]
async fn n24_a_bundle_whose_bytes_were_changed_is_passed_over() {
    let setup = Setup::new().await;
    let bundle = setup.push(media_type::SIGSTORE_BUNDLE_V03, b"{\"a\":1}").await;
    setup.attach_layers(vec![bundle.clone()]).await;
    assert!(
        setup
            .registry
            .tamper_blob(&bundle.digest, b"{\"a\":2}".as_slice())
    );
    assert!(
        find(&setup.client, &setup.target)
            .await
            .unwrap()
            .bundles
            .is_empty()
    );
    setup.handle.shutdown().await;
}

#[tokio::test]
async fn n25_a_bundle_past_the_limit_is_not_fetched_and_told() {
    let setup = Setup::new().await;
    let limit = Sizes::default().one;
    let mut content = vec![b' '; usize::try_from(limit).unwrap()];
    setup.attach(media_type::SIGSTORE_BUNDLE_V03, &content).await;
    let found = find(&setup.client, &setup.target).await.unwrap();
    assert_eq!((found.bundles.len(), found.unread.len()), (1, 0));
    content.push(b' ');
    setup.attach(media_type::SIGSTORE_BUNDLE_V03, &content).await;
    let found = find(&setup.client, &setup.target).await.unwrap();
    assert_eq!((found.bundles.len(), found.unread.len()), (1, 1));
    let bytes = limit + 1;
    assert_eq!(found.unread[0].reason, Rejection::TooLarge { bytes, limit });
    let error = verify(&setup.target, &found, &policy(&plain_key("p256")), now()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("it has 33554433 bytes, and no more than 33554432 are read"),
        "{error}"
    );
    setup.handle.shutdown().await;
}

#[tokio::test]
async fn n25_what_is_small_is_fetched_first_and_all_of_it_is_bounded() {
    let setup = Setup::new().await;
    let sizes = Sizes { one: 100, all: 250 };
    // The small one last, as a signature would be that somebody buries.
    for size in [100, 90, 80, 101, 70, 20] {
        let content = vec![b' '; size];
        setup.attach(media_type::SIGSTORE_BUNDLE_V03, &content).await;
    }
    let found = find_all(&setup.client, &setup.target, sizes).await.unwrap();
    let mut fetched: Vec<usize> = found.bundles.iter().map(|one| one.content.len()).collect();
    fetched.sort_unstable();
    assert_eq!(fetched, [20, 70, 80]);
    let reasons: Vec<&Rejection> = found.unread.iter().map(|one| &one.reason).collect();
    let too_much = Rejection::TooMuch { limit: 250 };
    let count = |wanted: &Rejection| reasons.iter().filter(|one| **one == wanted).count();
    assert_eq!((reasons.len(), count(&too_much)), (3, 2), "{reasons:?}");
    setup.handle.shutdown().await;
}

#[tokio::test]
async fn n25_more_attached_manifests_than_the_limit_are_an_error() {
    let setup = Setup::without_referrers_api().await;
    // A list that anyone with push rights could write; what it names need not be there.
    let list = |count: usize| {
        let entries = (0..count).map(|index| {
            let content = index.to_string();
            Descriptor::new(media_type::OCI_MANIFEST, Digest::of(content.as_bytes()), 1)
        });
        weir_oci::ImageIndex::new(entries.collect()).to_bytes().unwrap()
    };
    let tag = setup.target.digest().referrers_tag();
    for (count, fits) in [(MAX_SIGNATURES, true), (MAX_SIGNATURES + 1, false)] {
        let raw = list(count);
        setup
            .registry
            .put_manifest(REPOSITORY, Some(tag.as_str()), raw, media_type::OCI_INDEX)
            .unwrap();
        let found = find(&setup.client, &setup.target).await;
        match found {
            Ok(found) => assert!(fits && found.bundles.is_empty()),
            Err(error) => assert!(!fits && matches!(error, FindError::TooMany { .. }), "{error:?}"),
        }
    }
    setup.handle.shutdown().await;
}

#[tokio::test]
async fn a_registry_that_fails_is_an_error_and_not_an_unsigned_artifact() {
    let setup = Setup::new().await;
    let key = plain_key("p256");
    setup.registry.inject(
        Fault::new(Effect::Status(StatusCode::SERVICE_UNAVAILABLE))
            .on(Method::GET)
            .at("/referrers/")
            .always(),
    );
    assert!(matches!(
        find(&setup.client, &setup.target).await,
        Err(FindError::List { .. })
    ));

    // With payloads of the older layout there is something to judge.
    sign(
        &setup.client,
        &setup.target,
        &key,
        &options().in_layout(Layout::Legacy),
    )
    .await
    .unwrap();
    let found = find(&setup.client, &setup.target).await.unwrap();
    assert!(verify(&setup.target, &found, &policy(&key), now()).is_ok());

    setup.registry.clear_faults();
    sign(&setup.client, &setup.target, &key, &options())
        .await
        .unwrap();
    setup.registry.inject(
        Fault::new(Effect::Status(StatusCode::SERVICE_UNAVAILABLE))
            .on(Method::GET)
            .at("/blobs/")
            .always(),
    );
    assert!(matches!(
        find(&setup.client, &setup.target).await,
        Err(FindError::Fetch { .. })
    ));
    setup.handle.shutdown().await;
}
