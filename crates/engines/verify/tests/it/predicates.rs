//! Which documents are predicates of which type.

use serde_json::{Value, json};
use weir_verify::{InvalidPredicate, PredicateType};

use crate::cases::now;

fn read(name: &str, document: &str) -> Result<Value, InvalidPredicate> {
    let kind: PredicateType = name.parse().unwrap();
    kind.read(document.as_bytes(), now())
}

/// The smallest good document of each kind.
fn good(name: &str) -> Value {
    match name {
        "slsaprovenance1" => json!({
            "buildDefinition": { "buildType": "https://ci.example/v1", "externalParameters": {} },
            "runDetails": { "builder": { "id": "https://ci.example" } },
        }),
        "slsaprovenance" => {
            json!({ "builder": { "id": "https://ci.example" }, "buildType": "https://ci.example/v1" })
        }
        "spdxjson" => json!({
            "spdxVersion": "SPDX-2.3",
            "SPDXID": "SPDXRef-DOCUMENT",
            "name": "app",
            "documentNamespace": "https://ci.example/app",
            "creationInfo": { "created": "2026-01-01T00:00:00Z", "creators": ["Tool: x"] },
        }),
        "cyclonedx" => json!({ "bomFormat": "CycloneDX", "specVersion": "1.6" }),
        "openvex" => json!({
            "@context": "https://openvex.dev/ns/v0.2.0",
            "@id": "https://ci.example/vex",
            "author": "ci",
            "timestamp": "2026-01-01T00:00:00Z",
            "version": 1,
            "statements": [{ "vulnerability": { "name": "CVE-2026-1" }, "status": "fixed" }],
        }),
        "vuln" => json!({
            "scanner": { "uri": "https://scanner.example", "version": "1" },
            "metadata": { "scanStartedOn": "2026-01-01T00:00:00Z", "scanFinishedOn": "2026-01-01T00:00:01Z" },
        }),
        "link" => json!({
            "_type": "link", "name": "build", "command": [], "materials": {}, "products": {}, "byproducts": {},
            "environment": {},
        }),
        other => panic!("{other}"),
    }
}

const KINDS: [&str; 7] = [
    "slsaprovenance1",
    "slsaprovenance",
    "spdxjson",
    "cyclonedx",
    "openvex",
    "vuln",
    "link",
];

#[test]
fn names_are_cosigns_and_uris_are_themselves() {
    for (name, uri) in [
        ("slsaprovenance", "https://slsa.dev/provenance/v0.2"),
        ("slsaprovenance02", "https://slsa.dev/provenance/v0.2"),
        ("slsaprovenance1", "https://slsa.dev/provenance/v1"),
        ("spdx", "https://spdx.dev/Document"),
        ("spdxjson", "https://spdx.dev/Document"),
        ("cyclonedx", "https://cyclonedx.org/bom"),
        ("openvex", "https://openvex.dev/ns"),
        ("vuln", "https://cosign.sigstore.dev/attestation/vuln/v1"),
        ("link", "https://in-toto.io/Link/v1"),
        ("custom", "https://cosign.sigstore.dev/attestation/v1"),
        ("https://x.example/y", "https://x.example/y"),
        ("urn:x", "urn:x"),
    ] {
        let kind: PredicateType = name.parse().unwrap();
        assert_eq!(kind.uri(), uri);
        let back = PredicateType::short_name(uri).unwrap_or(uri);
        assert_eq!(back.parse(), Ok(kind), "{name}");
    }
    for text in [
        "",
        "slsa",
        "SPDX",
        "https:",
        ":x",
        "1a:b",
        "https://a b",
        "https://a\n",
    ] {
        let parsed: Result<PredicateType, _> = text.parse();
        assert!(
            parsed.unwrap_err().to_string().contains("slsaprovenance1"),
            "{text:?}"
        );
    }
}

#[test]
fn good_documents_are_taken_as_they_are() {
    for name in KINDS {
        let document = good(name);
        assert_eq!(read(name, &document.to_string()), Ok(document), "{name}");
    }
    let version3 = json!({ "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": [{}] });
    assert_eq!(read("spdx", &version3.to_string()), Ok(version3));
    assert_eq!(read("https://x.example/y", "{}"), Ok(json!({})));
    // The URI of a known kind is that kind.
    assert!(read("https://slsa.dev/provenance/v1", "{}").is_err());
}

#[test]
fn what_is_custom_is_any_text_with_the_time() {
    let wrapped = json!({ "Data": "not JSON\n", "Timestamp": "2026-11-01T00:00:00Z" });
    assert_eq!(read("custom", "not JSON\n"), Ok(wrapped));
}

/// Every field that a good document needs, taken away or made a number, is named in the error.
#[test]
fn each_field_that_makes_a_document_one_of_its_kind_is_asked_for() {
    let mut asked = 0;
    for name in KINDS {
        let document = good(name);
        let mut paths = Vec::new();
        collect(&document, &mut Vec::new(), &mut paths);
        for path in paths {
            let pointer = format!("/{}", path.join("/"));
            let (parent, last) = pointer.rsplit_once('/').unwrap();
            let mut without = document.clone();
            without
                .pointer_mut(parent)
                .and_then(Value::as_object_mut)
                .unwrap()
                .remove(last);
            let mut number = document.clone();
            *number.pointer_mut(&pointer).unwrap() = json!(7);
            for changed in [without, number] {
                match read(name, &changed.to_string()) {
                    Ok(_) => {}
                    Err(InvalidPredicate::Field { path: found, .. }) => {
                        assert!(
                            path.starts_with(&found) || found.starts_with(&path),
                            "{name}: {found:?} {path:?}"
                        );
                        asked += 1;
                    }
                    Err(other) => panic!("{other}"),
                }
            }
        }
        for nothing in ["[]", "1", "null", "\"\""] {
            let said = read(name, nothing).unwrap_err().to_string();
            assert!(said.ends_with("the document is no object"), "{name}: {said}");
        }
    }
    assert!(asked > 50, "{asked}");
}

fn collect(value: &Value, path: &mut Vec<String>, out: &mut Vec<Vec<String>>) {
    if let Value::Object(fields) = value {
        for (name, value) in fields {
            path.push(name.clone());
            out.push(path.clone());
            collect(value, path, out);
            path.pop();
        }
    }
}

#[test]
fn errors_say_what_and_where() {
    let said = |name: &str, document: &str| read(name, document).unwrap_err().to_string();
    assert_eq!(
        said("slsaprovenance1", "{\"buildDefinition\": {}}"),
        "no SLSA provenance v1: the field `buildDefinition.buildType` is missing"
    );
    assert_eq!(
        said("cyclonedx", "{\"bomFormat\": \"cyclonedx\"}"),
        "no CycloneDX document: the field `bomFormat` is not \"CycloneDX\""
    );
    assert_eq!(
        said("spdx", "SPDXVersion: SPDX-2.3\n"),
        "predicate is no JSON at line 1, column 1"
    );
    assert_eq!(
        read("vuln", "{\n  \"a\": 1"),
        Err(InvalidPredicate::Malformed {
            what: "cut off at line 2, column 8".to_owned(),
            line: 2,
            column: 8,
        })
    );
    let kind: PredicateType = "custom".parse().unwrap();
    assert_eq!(kind.read(&[0xFF], now()), Err(InvalidPredicate::Encoding));
}
