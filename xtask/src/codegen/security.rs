//! `docs/security-cases.md`: which test covers which negative case. Tests carry their numbers in their names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::Result;

/// The cases, and where one that has no test yet belongs.
const CASES: &[(u8, &str)] = &[
    (1, "a name in an archive or an address leads out of its folder"),
    (2, "a symbolic link leads out of its folder, or in circles"),
    (3, "a hard link leads out of an archive"),
    (4, "a link and a folder of one name"),
    (5, "archive headers that contradict each other"),
    (6, "archives that unfold without end"),
    (7, "a chart's name that is a path"),
    (8, "a chart's file that is a link, written through"),
    (9, "archives with doubled names, devices, special modes"),
    (10, "YAML that grows: anchors, depth, size, repeated keys"),
    (11, "documents of an unexpected shape"),
    (
        12,
        "JSON schemas that refer to themselves, to files or to addresses",
    ),
    (13, "one malformed object among many"),
    (14, "template functions that reach files or the network (Helm)"),
    (15, "template lookups with somebody else's rights (Helm)"),
    (16, "patterns and expressions that never end"),
    (17, "builds that read or run what lies outside the tree"),
    (18, "paths in a spec that lead out of the artifact"),
    (19, "substituted values that change the structure around them"),
    (
        20,
        "a token service that is nearer than the registry, or less safe",
    ),
    (21, "redirects, upload addresses and next pages on another host"),
    (22, "a tag that moves between check and use"),
    (
        23,
        "a remembered verdict that outlives its policy or is found by tag",
    ),
    (24, "content that is not what its digest, size or type says"),
    (25, "registries that answer without end"),
    (26, "an old artifact with a good signature (monotonic revisions)"),
    (27, "plain HTTP and unknown authorities that nobody asked for"),
    (30, "a log entry about something else"),
    (31, "a time that nobody signed"),
    (32, "a checkpoint with a wrong signature"),
    (33, "one log that counts twice"),
    (34, "keys and certificates outside their time"),
    (35, "timestamps of an unknown authority"),
    (36, "what can't be read counts as verified"),
    (37, "a good signature over another statement"),
    (38, "identities that match too much"),
    (39, "good and bad signatures side by side"),
    (40, "a signature of another artifact or repository"),
    (41, "trust roots that roll back or name strange targets (TUF)"),
    (42, "notation's revocation lists (notation)"),
    (43, "a registry that lies during verification: see N22"),
    (44, "name constraints of certificates: the TLS stack's own tests"),
    (45, "a policy in a field that nobody reads"),
    (50, "a tenant that uses what is not its own"),
    (51, "kubeconfigs that run programs or read files"),
    (52, "secrets that become a command line"),
    (53, "an empty identity that falls back to the controller's rights"),
    (54, "forged identities (web interface)"),
    (55, "webhooks from strangers (receivers)"),
    (56, "secret values in anything that is printed"),
    (57, "credentials in answers to readers (web interface)"),
    (58, "links and markup from annotations (web interface)"),
    (59, "addresses in objects that lead to internal services"),
    (60, "objects of another shard or namespace"),
    (61, "promotion without authorisation (promotion)"),
    (62, "previews of untrusted changes (preview)"),
    (63, "decryption plugins and key services (SOPS)"),
    (64, "half a list taken for the whole"),
    (65, "everything pruned by mistake"),
];

/// The page.
pub(super) fn page(root: &Path) -> Result<String> {
    let mut tests: BTreeMap<u8, BTreeSet<String>> = BTreeMap::new();
    for folder in ["crates", "tests"] {
        collect(&root.join(folder), root, &mut tests)?;
    }
    let mut text = "# Security cases\n\n\
        What went wrong in tools of this kind, as tests. A test that covers a case has its number in its name; this page is \
        made from\nthose names by `cargo xtask codegen`. A case without a test belongs to a part that is not built yet, named \
        in brackets.\n"
        .to_owned();
    for (number, what) in CASES {
        text = format!("{text}\n## N{number:02}: {what}\n\n");
        match tests.get(number) {
            Some(found) => {
                for test in found {
                    text = format!("{text}- {test}\n");
                }
            }
            None => text.push_str("No test yet.\n"),
        }
    }
    Ok(text)
}

/// Finds test functions by name, `n22_…` or `n21_n25_…`.
fn collect(folder: &Path, root: &Path, tests: &mut BTreeMap<u8, BTreeSet<String>>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, root, tests)?;
            continue;
        }
        if path.extension().is_none_or(|e| e != "rs") {
            continue;
        }
        let place = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        for line in fs::read_to_string(&path)?.lines() {
            let Some((_, rest)) = line.split_once("fn n") else {
                continue;
            };
            let name = format!("n{}", rest.split(['(', '<']).next().unwrap_or_default());
            for part in name.split('_') {
                let Some(number) = part.strip_prefix('n').filter(|n| n.len() == 2) else {
                    break;
                };
                let Ok(number) = number.parse() else { break };
                tests
                    .entry(number)
                    .or_default()
                    .insert(format!("`{name}` in {place}"));
            }
        }
    }
    Ok(())
}
