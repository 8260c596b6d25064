//! The words that must not be seen, and the forms that layers give them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::json;

/// A secret text.
#[derive(Debug)]
pub(crate) struct Word {
    pub(crate) text: String,
    /// Whether YAML is to read it as a number.
    is_number: bool,
}

/// How many kinds of words there are.
const KINDS: usize = 8;

impl Word {
    /// One that no other case has; of the kind that is `number`'s turn. Other layers write most of them in another form:
    /// quotes, escapes, several lines, what YAML, URLs or numbers would change.
    pub(crate) fn new(number: usize) -> Self {
        let unique = format!("{number:03}-{}", number * 7919 % 9973);
        let text = match number % KINDS {
            0 => format!("correct-horse-{unique}"),
            1 => format!("p@ss/w0rd+{unique}="),
            2 => format!("it's \"quoted\" \\ {unique}"),
            3 => {
                format!("-----BEGIN KEY-----\nfirst-line-{unique}\nsecond-line-{unique}\n-----END KEY-----\n")
            }
            4 => format!("größe-ключ-{unique}"),
            5 => format!("a: b # {{c}} [{unique}], %s & <d>"),
            6 => format!("\ttab {unique}\u{1}"),
            _ => (48_151_623_420_000 + number).to_string(),
        };
        let is_number = number % KINDS == KINDS - 1;
        Self { text, is_number }
    }

    /// As a value in YAML.
    pub(crate) fn yaml(&self) -> String {
        if self.is_number {
            self.text.clone()
        } else {
            json!(self.text).to_string()
        }
    }

    /// The forms in which it may stand in texts.
    fn forms(&self) -> Vec<String> {
        let word = &self.text;
        let escaped = json!(word).to_string();
        let inner = |text: &str| {
            let text = text.strip_prefix('"').unwrap_or(text);
            text.strip_suffix('"').unwrap_or(text).to_owned()
        };
        let mut forms = vec![
            word.clone(),
            inner(&escaped),
            // JSON within JSON, as objects in messages in events have it.
            inner(&json!(inner(&escaped)).to_string()),
            STANDARD.encode(word).trim_end_matches('=').to_owned(),
            URL_SAFE.encode(word).trim_end_matches('=').to_owned(),
        ];
        forms.extend(
            word.lines()
                .filter(|line| line.len() > 8 && !line.starts_with("-----"))
                .map(str::to_owned),
        );
        if let (true, Ok(number)) = (self.is_number, word.parse::<f64>()) {
            // As Go prints a number that YAML has read.
            let form = format!("{number:e}");
            forms.push(
                form.split_once('e')
                    .map_or(form.clone(), |(digits, _)| digits.to_owned()),
            );
        }
        forms
    }
}

/// Where a text shows the word, with what stands around it.
pub(crate) fn shows(text: &str, word: &Word) -> Option<String> {
    let form = word
        .forms()
        .into_iter()
        .find(|form| text.contains(form.as_str()))?;
    let at = text.find(&form)?;
    let from = text.floor_char_boundary(at.saturating_sub(300));
    let to = text.ceil_char_boundary((at + 300).min(text.len()));
    text.get(from..to).map(str::to_owned)
}
