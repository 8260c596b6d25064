//! The notation of yaml-test-suite's files.

/// The suite's marks for white space that would not be seen.
pub fn visible(text: &str) -> String {
    let mut text = text
        .replace('␣', " ")
        .replace('←', "\r")
        .replace('⇔', "\u{feff}")
        .replace('↵', "");
    for dashes in ["————»", "———»", "——»", "—»", "»"] {
        text = text.replace(dashes, "\t");
    }
    match text.strip_suffix("∎\n").or_else(|| text.strip_suffix('∎')) {
        Some(text) => text.to_owned(),
        None => text,
    }
}
