//! sprig.

mod crypto;
mod dates;
mod decimal;
mod dicts;
mod flow;
mod json;
mod lists;
mod numbers;
mod paths;
mod random;
mod reflection;
mod regexes;
mod semver;
mod strings;
mod urls;
mod words;

use super::Family;

pub(super) use json::to_json_text;
pub(super) use numbers::NUMBERS;
pub use urls::UrlParts;

pub(super) static FAMILY: Family = &[
    strings::STRINGS,
    words::TITLE,
    words::WORDS,
    random::RAND_INT,
    random::RANDOM,
    numbers::NUMBERS,
    flow::FLOW,
    json::JSON,
    reflection::REFLECTION,
    paths::PATHS,
    lists::LISTS,
    dicts::SLIM_DICTS,
    dicts::DICTS,
    dates::DATES,
    regexes::REGEXES,
    semver::SEMVER,
    urls::URLS,
    crypto::HASHES,
    crypto::CRYPTO,
];

/// What slim-sprig has of it.
pub(super) static SLIM: Family = &[
    strings::STRINGS,
    words::TITLE,
    random::RAND_INT,
    numbers::NUMBERS,
    flow::FLOW,
    json::JSON,
    reflection::REFLECTION,
    paths::PATHS,
    lists::LISTS,
    dicts::SLIM_DICTS,
    dates::DATES,
    regexes::REGEXES,
    urls::URLS,
    crypto::HASHES,
];
