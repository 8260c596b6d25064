//! A stream of YAML documents taken apart as Helm does it.

/// The documents of a stream, without the blank ones.
///
/// Three dashes at the start of a line separate, whatever follows them: charts may render `---apiVersion: v1`, and Helm
/// has always read that as a new document. White space before a document is dropped, after it is kept.
pub fn split(stream: &str) -> Vec<&str> {
    let mut documents = Vec::new();
    let mut add = |document: &'_ str| -> Option<(usize, usize)> {
        let start = document.trim_start();
        if start.is_empty() {
            return None;
        }
        Some((document.len() - start.len(), document.len()))
    };
    let stream = stream.trim_start();
    let mut from = 0;
    for separator in separators(stream) {
        if let Some((skip, length)) = add(stream.get(from..separator).unwrap_or_default()) {
            documents.extend(stream.get(from + skip..from + length));
        }
        let rest = stream.get(separator + 3..).unwrap_or_default();
        from = separator + 3 + (rest.len() - rest.trim_start_matches([' ', '\t']).len());
    }
    if let Some((skip, length)) = add(stream.get(from..).unwrap_or_default()) {
        documents.extend(stream.get(from + skip..from + length));
    }
    documents
}

/// Where lines start with three dashes.
fn separators(stream: &str) -> impl Iterator<Item = usize> + '_ {
    let first = stream.starts_with("---").then_some(0);
    first
        .into_iter()
        .chain(stream.match_indices("\n---").map(|(at, _)| at + 1))
}
