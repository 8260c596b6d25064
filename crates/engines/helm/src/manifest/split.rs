//! A stream of YAML documents taken apart as Helm does it.

use std::ops::Range;

/// The documents of a stream, without the blank ones.
///
/// Three dashes at the start of a line separate, whatever follows them: charts may render `---apiVersion: v1`, and Helm
/// has always read that as a new document. White space before a document is dropped, after it is kept.
pub fn split(stream: &str) -> Vec<&str> {
    let places = places(stream).into_iter();
    places.filter_map(|place| stream.get(place)).collect()
}

/// Where the documents are, in bytes of the stream.
pub(crate) fn places(stream: &str) -> Vec<Range<usize>> {
    let mut documents = Vec::new();
    let mut add = |from: usize, to: usize| {
        let document = stream.get(from..to).unwrap_or_default().trim_start();
        if !document.is_empty() {
            documents.push(to - document.len()..to);
        }
    };
    let mut from = stream.len() - stream.trim_start().len();
    for separator in separators(stream, from) {
        add(from, separator);
        let rest = stream.get(separator + 3..).unwrap_or_default();
        from = separator + 3 + (rest.len() - rest.trim_start_matches([' ', '\t']).len());
    }
    add(from, stream.len());
    documents
}

/// Where lines start with three dashes, and whether the text from `from` on does.
fn separators(stream: &str, from: usize) -> impl Iterator<Item = usize> + '_ {
    let text = stream.get(from..).unwrap_or_default();
    let first = text.starts_with("---").then_some(from);
    let later = text.match_indices("\n---").map(move |(at, _)| from + at + 1);
    first.into_iter().chain(later)
}
