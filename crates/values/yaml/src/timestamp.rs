//! The timestamps that go-yaml recognises in plain scalars.

/// Reads `2006-1-2`, `2006-1-2 15:4:5.9` or `2006-1-2T15:4:5.9Z07:00` and gives it as Go's
/// `time.Time` prints itself in JSON.
pub(crate) fn to_rfc3339(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    // Every form starts with four digits and a dash; most scalars end here.
    if bytes.get(4) != Some(&b'-') || !bytes.iter().take(4).all(u8::is_ascii_digit) {
        return None;
    }
    let mut cursor = Cursor { rest: text };
    let year = cursor.number(4, 4)?;
    cursor.eat('-')?;
    let month = cursor.number(1, 2)?;
    cursor.eat('-')?;
    let day = cursor.number(1, 2)?;
    if !(1..=12).contains(&month) || day == 0 || day > days(year, month) {
        return None;
    }
    if cursor.rest.is_empty() {
        return Some(format!("{year:04}-{month:02}-{day:02}T00:00:00Z"));
    }
    let zoned = match cursor.next()? {
        'T' | 't' => true,
        ' ' => false,
        _ => return None,
    };
    let hour = cursor.number(1, 2)?;
    cursor.eat(':')?;
    let minute = cursor.number(1, 2)?;
    cursor.eat(':')?;
    let second = cursor.number(1, 2)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let fraction = cursor.fraction()?;
    let zone = if zoned { cursor.zone()? } else { "Z".into() };
    cursor
        .rest
        .is_empty()
        .then(|| format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}"))
}

fn days(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        Some(c)
    }

    fn eat(&mut self, wanted: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(wanted)?;
        Some(())
    }

    fn digits(&mut self, most: usize) -> &'a str {
        let count = self
            .rest
            .bytes()
            .take(most)
            .take_while(u8::is_ascii_digit)
            .count();
        let (digits, rest) = self.rest.split_at_checked(count).unwrap_or(("", self.rest));
        self.rest = rest;
        digits
    }

    fn number(&mut self, least: usize, most: usize) -> Option<u32> {
        let digits = self.digits(most);
        (digits.len() >= least).then(|| digits.parse().ok())?
    }

    /// An optional fraction of a second; trailing zeros go, as does an empty rest.
    fn fraction(&mut self) -> Option<String> {
        if self.eat('.').or_else(|| self.eat(',')).is_none() {
            return Some(String::new());
        }
        let digits = self.digits(usize::MAX);
        if digits.is_empty() {
            return None;
        }
        let nanos = digits.get(..9).unwrap_or(digits).trim_end_matches('0');
        Some(if nanos.is_empty() {
            String::new()
        } else {
            format!(".{nanos}")
        })
    }

    fn zone(&mut self) -> Option<String> {
        if self.eat('Z').is_some() {
            return Some("Z".into());
        }
        let sign = self.next().filter(|c| matches!(c, '+' | '-'))?;
        let hour = self.number(2, 2)?;
        self.eat(':')?;
        let minute = self.number(2, 2)?;
        if hour > 24 || minute > 60 {
            return None;
        }
        if hour == 0 && minute == 0 {
            return Some("Z".into());
        }
        Some(format!("{sign}{hour:02}:{minute:02}"))
    }
}
