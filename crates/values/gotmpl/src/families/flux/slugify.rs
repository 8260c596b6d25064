//! Names of Kubernetes objects out of any text.

/// The longest label.
const LONGEST: usize = 63;

/// Lower-case ASCII letters, digits, `-` and `_`; everything else becomes a hyphen, accents are dropped.
///
/// Letters outside Latin scripts have no transliteration here and become hyphens.
pub(super) fn slugify(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.trim().chars() {
        match c {
            '&' => plain.push_str("and"),
            '@' => plain.push_str("at"),
            '"' | '\'' | '\u{2019}' => {}
            '\u{2012}'..='\u{2015}' => plain.push('-'),
            c if c.is_ascii() => plain.push(c.to_ascii_lowercase()),
            c => match transliterate(c) {
                "" => plain.push('-'),
                ascii => plain.push_str(ascii),
            },
        }
    }
    let mut slug = String::with_capacity(plain.len());
    for c in plain.chars() {
        let c = if c.is_ascii_alphanumeric() || c == '_' {
            c
        } else {
            '-'
        };
        if c != '-' || !slug.ends_with('-') {
            slug.push(c);
        }
    }
    let slug = slug.trim_matches(['-', '_']);
    if slug.len() <= LONGEST {
        return slug.to_owned();
    }
    let head = slug.get(..=LONGEST).unwrap_or(slug);
    let cut = head.rfind('-').unwrap_or(LONGEST);
    slug.get(..cut).unwrap_or(slug).to_owned()
}

/// Latin letters with accents and ligatures, in lower case.
fn transliterate(c: char) -> &'static str {
    match crate::unicode::to_lower(c) {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' | 'ą' | 'ǎ' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ĥ' | 'ħ' => "h",
        'ì' | 'í' | 'î' | 'ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
        'ĵ' => "j",
        'ķ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => "o",
        'œ' => "oe",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
        'ß' => "ss",
        'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
        'þ' => "th",
        'ù' | 'ú' | 'û' | 'ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => "u",
        'ŵ' => "w",
        'ý' | 'ÿ' | 'ŷ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => "",
    }
}
