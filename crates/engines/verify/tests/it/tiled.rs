//! Heads of tiled logs (Rekor v2): with the signatures of witnesses, several signatures, several shards. They are made by stand-ins for
//! Sigstore and then changed; sigstore-conformance's own cases of this kind are in `conformance.rs`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use weir_standin_sigstore::{Rekor, Sigstore};
use weir_verify::{Part, TrustRoot};

use crate::keyless::{bundle, changed_root, judge, one, policy, refused_for, root, signed_at, sigstore};

const ORIGIN: &str = "sigstore.standin.example";

fn entry(bundle: &mut Value) -> &mut Value {
    &mut bundle["verificationMaterial"]["tlogEntries"][0]
}

/// The text of the head, and the lines of signatures.
fn head(bundle: &mut Value) -> (String, String) {
    let envelope = &entry(bundle)["inclusionProof"]["checkpoint"]["envelope"];
    let (text, lines) = envelope.as_str().unwrap().split_once("\n\n").unwrap();
    (format!("{text}\n"), lines.to_owned())
}

/// The bundle with another head.
fn with_head(bundle: &Value, text: &str, lines: &[&str]) -> Value {
    let mut changed = bundle.clone();
    let envelope = format!("{text}\n{}", lines.concat());
    entry(&mut changed)["inclusionProof"]["checkpoint"]["envelope"] = envelope.into();
    changed
}

/// The root of one instance that trusts the logs of another, too: two shards.
fn shards(first: &Sigstore, second: &Sigstore) -> Value {
    let mut json = first.trusted_root();
    let more = second.trusted_root()["tlogs"][1].clone();
    json["tlogs"].as_array_mut().unwrap().push(more);
    json
}

fn read(json: &Value) -> TrustRoot {
    TrustRoot::from_json(json.to_string().as_bytes()).unwrap()
}

#[track_caller]
fn counts(bundle: &Value, root: TrustRoot) {
    judge(&one(bundle), policy(root)).unwrap();
}

#[test]
fn n32_a_head_counts_by_the_log_s_own_signature_whoever_else_has_signed() {
    // Another instance's log stands for all witnesses.
    let (sigstore, witness) = (sigstore(), sigstore());
    let mut good = bundle(&sigstore, Rekor::V2);
    let (text, own) = head(&mut good);
    let by_witness = |name: &str| witness.sign_note(Rekor::V2, name, &text);
    let others = [
        by_witness("one.example"),
        by_witness("two.example"),
        by_witness(ORIGIN),
    ];
    let [first, second, alike] = others.each_ref().map(String::as_str);
    for lines in [
        vec![own.as_str(), first, second],
        vec![first, own.as_str(), second],
        vec![alike, second, own.as_str()],
        // The same line twice is one signature, and no harm.
        vec![own.as_str(), own.as_str()],
    ] {
        counts(&with_head(&good, &text, &lines), root(&sigstore));
    }
    // However many witnesses there are, they do not stand for the log.
    let alone = with_head(&good, &text, &[first, second, alike]);
    refused_for(Part::Checkpoint, &alone, root(&sigstore));
}

#[test]
fn n32_a_bad_signature_under_the_log_s_name_hides_no_good_one() {
    let sigstore = sigstore();
    let mut good = bundle(&sigstore, Rekor::V2);
    let (text, own) = head(&mut good);
    // By the log's key, so with its hint, and of something else.
    let stale = sigstore.sign_note(Rekor::V2, ORIGIN, "another text\n");
    for lines in [[stale.as_str(), own.as_str()], [own.as_str(), stale.as_str()]] {
        counts(&with_head(&good, &text, &lines), root(&sigstore));
    }
    let alone = with_head(&good, &text, &[&stale]);
    refused_for(Part::Checkpoint, &alone, root(&sigstore));
}

#[test]
fn n32_lines_after_the_root_hash_are_signed_along() {
    let sigstore = sigstore();
    let mut good = bundle(&sigstore, Rekor::V2);
    let (text, own) = head(&mut good);
    let longer = format!("{text}an extension\n");
    let signed = sigstore.sign_note(Rekor::V2, ORIGIN, &longer);
    counts(&with_head(&good, &longer, &[&signed]), root(&sigstore));
    for (text, line) in [(&longer, &own), (&text, &signed)] {
        refused_for(
            Part::Checkpoint,
            &with_head(&good, text, &[line]),
            root(&sigstore),
        );
    }
}

#[test]
fn n32_a_log_s_key_counts_under_its_own_name_and_for_its_own_origin() {
    let sigstore = sigstore();
    let mut good = bundle(&sigstore, Rekor::V2);
    let (text, _) = head(&mut good);
    let renamed = sigstore.sign_note(Rekor::V2, "other.example", &text);
    refused_for(
        Part::Checkpoint,
        &with_head(&good, &text, &[&renamed]),
        root(&sigstore),
    );
    let moved = text.replacen(ORIGIN, "other.example", 1);
    assert_ne!(moved, text);
    for name in [ORIGIN, "other.example"] {
        let line = sigstore.sign_note(Rekor::V2, name, &moved);
        refused_for(
            Part::Checkpoint,
            &with_head(&good, &moved, &[&line]),
            root(&sigstore),
        );
    }
}

#[test]
fn n32_a_signed_head_of_another_tree_does_not_hold_the_entry() {
    let sigstore = sigstore();
    drop(bundle(&sigstore, Rekor::V2));
    let mut good = bundle(&sigstore, Rekor::V2);
    let (text, _) = head(&mut good);
    let lines: Vec<&str> = text.lines().collect();
    let [origin, size, hash] = lines.as_slice() else {
        panic!("{text}")
    };
    assert_eq!(*size, "2");
    let signed = |text: &str| {
        let line = sigstore.sign_note(Rekor::V2, ORIGIN, text);
        with_head(&good, text, &[&line])
    };
    counts(&signed(&text), root(&sigstore));
    let empty = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    for (size, hash) in [("1", *hash), ("0", empty), ("3", *hash), ("2", empty)] {
        let other = signed(&format!("{origin}\n{size}\n{hash}\n"));
        refused_for(Part::InclusionProof, &other, root(&sigstore));
    }
    // Numbers in the proof that nobody has signed change nothing; the entry's own index does.
    let mut unsigned = good.clone();
    let proof = &mut entry(&mut unsigned)["inclusionProof"];
    proof["treeSize"] = json!("7");
    proof["logIndex"] = json!("5");
    counts(&unsigned, root(&sigstore));
    let mut elsewhere = good.clone();
    entry(&mut elsewhere)["logIndex"] = json!("0");
    refused_for(Part::InclusionProof, &elsewhere, root(&sigstore));
}

#[test]
fn n32_a_shard_s_head_is_signed_by_that_shard() {
    let (first, second) = (sigstore(), sigstore());
    let both = || read(&shards(&first, &second));
    let mut good = bundle(&first, Rekor::V2);
    counts(&good, both());
    let (text, _) = head(&mut good);
    // By the other shard, which has the same name here and is trusted, too.
    let line = second.sign_note(Rekor::V2, ORIGIN, &text);
    let foreign = with_head(&good, &text, &[&line]);
    refused_for(Part::Checkpoint, &foreign, both());
    // And with the entry said to be of that shard, it is the head of a log that the timestamped signature never was in: but for the
    // signature of that log itself it would be so, which is why both must name it.
    let mut renamed = good.clone();
    entry(&mut renamed)["logId"] = second.trusted_root()["tlogs"][1]["logId"].clone();
    refused_for(Part::Checkpoint, &renamed, both());
}

#[test]
fn n34_a_shard_counts_for_what_was_signed_while_it_was_in_use() {
    let (first, second) = (sigstore(), sigstore());
    let windows = |first_until: &str, second_from: &str| {
        let mut json = shards(&first, &second);
        json["tlogs"][1]["publicKey"]["validFor"] =
            json!({ "start": "2026-01-01T00:00:00Z", "end": first_until });
        json["tlogs"][2]["publicKey"]["validFor"] = json!({ "start": second_from });
        read(&json)
    };
    let in_first = bundle(&first, Rekor::V2);
    // Closed by the time of the verdict, and not yet when it was signed.
    let later = "2026-02-01T18:00:00Z";
    counts(&in_first, windows(later, later));
    // Closed before.
    let before = "2026-02-01T11:00:00Z";
    refused_for(Part::LogEntry, &in_first, windows(before, before));
    // In a shard that is opened only later. Its own authorities are trusted here, as those of one operator would be.
    let in_second = bundle(&second, Rekor::V2);
    let of_second = |from: &str| {
        changed_root(&second, |json| {
            json["tlogs"][1]["publicKey"]["validFor"] = json!({ "start": from });
        })
    };
    refused_for(Part::LogEntry, &in_second, of_second("2026-02-01T12:00:01Z"));
    counts(&in_second, of_second("2026-02-01T12:00:00Z"));
}

#[test]
fn n34_every_time_of_a_signature_lies_in_the_window_of_its_log() {
    let sigstore = sigstore();
    let mut twice = bundle(&sigstore, Rekor::V2);
    let signature = twice["dsseEnvelope"]["signatures"][0]["sig"].as_str().unwrap();
    let signature = STANDARD.decode(signature).unwrap();
    let later = sigstore.stamps(&signature, signed_at() + jiff::SignedDuration::from_mins(5));
    let stamps = &mut twice["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"];
    stamps
        .as_array_mut()
        .unwrap()
        .push(later["rfc3161Timestamps"][0].clone());
    counts(&twice, root(&sigstore));
    let closed = changed_root(&sigstore, |json| {
        json["tlogs"][1]["publicKey"]["validFor"] =
            json!({ "start": "2026-01-01T00:00:00Z", "end": "2026-02-01T12:02:00Z" });
    });
    refused_for(Part::LogEntry, &twice, closed);
}

#[test]
fn n31_a_time_beside_an_entry_of_a_tiled_log_is_no_time() {
    let sigstore = sigstore();
    let mut undated = bundle(&sigstore, Rekor::V2);
    undated["verificationMaterial"]["timestampVerificationData"] = json!({});
    entry(&mut undated)["integratedTime"] = json!(signed_at().as_second().to_string());
    refused_for(Part::Timestamp, &undated, root(&sigstore));
}
