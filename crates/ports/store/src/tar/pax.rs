//! PAX records: `<length> <key>=<value>\n`, the length counting itself.

/// What the records of one extended header say about the entry after it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Records {
    pub(super) path: Option<String>,
    pub(super) linkpath: Option<String>,
    pub(super) size: Option<u64>,
}

/// Reads an extended header. Everything Go would refuse is refused, and so are sparse files, which readers
/// differ about.
pub(super) fn parse(mut data: &[u8]) -> Result<Records, &'static str> {
    let mut records = Records::default();
    while !data.is_empty() {
        let (key, value, rest) = record(data).ok_or("a malformed PAX record")?;
        data = rest;
        if value.is_empty() {
            // An empty value takes nothing away from the header, as in Go.
            if matches!(key, "path" | "linkpath" | "size") {
                return Err("an empty PAX record");
            }
            continue;
        }
        match key {
            "path" => set(&mut records.path, text(value)?.to_owned())?,
            "linkpath" => set(&mut records.linkpath, text(value)?.to_owned())?,
            "size" => {
                let digits = text(value)?;
                let size = digits
                    .parse()
                    .ok()
                    .filter(|size: &u64| i64::try_from(*size).is_ok());
                let size = size.filter(|_| digits.bytes().all(|c| c.is_ascii_digit()));
                set(&mut records.size, size.ok_or("a malformed PAX size")?)?;
            }
            "uid" | "gid" => {
                text(value)?.parse::<i64>().map_err(|_| "a malformed PAX owner")?;
            }
            "mtime" | "atime" | "ctime" if !is_time(text(value)?) => return Err("a malformed PAX time"),
            key if key.starts_with("GNU.sparse.") => return Err("a sparse file"),
            _ => {}
        }
    }
    Ok(records)
}

/// Two records of one key: readers differ in which counts.
fn set<T>(place: &mut Option<T>, value: T) -> Result<(), &'static str> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err("two PAX records of one key"),
    }
}

/// Key, value and what follows.
fn record(data: &[u8]) -> Option<(&str, &[u8], &[u8])> {
    let blank = data.iter().take(11).position(|byte| *byte == b' ')?;
    let digits = std::str::from_utf8(data.get(..blank)?).ok()?;
    if digits.is_empty() || digits.starts_with('0') || !digits.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let length: usize = digits.parse().ok()?;
    let body = data.get(blank + 1..length)?.strip_suffix(b"\n")?;
    let equals = body.iter().position(|byte| *byte == b'=')?;
    let key = std::str::from_utf8(body.get(..equals)?).ok()?;
    let value = body.get(equals + 1..)?;
    let is_text = matches!(key, "path" | "linkpath" | "uname" | "gname");
    let broken = key.is_empty() || key.contains('\0') || (is_text && value.contains(&0));
    (!broken).then_some((key, value, data.get(length..)?))
}

/// Extended attributes are bytes; everything that is read here is text.
fn text(value: &[u8]) -> Result<&str, &'static str> {
    std::str::from_utf8(value).map_err(|_| "a PAX record that is not UTF-8")
}

fn is_time(value: &str) -> bool {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, "0"));
    whole.parse::<i64>().is_ok() && fraction.bytes().all(|c| c.is_ascii_digit())
}

/// One record.
pub(super) fn format(key: &str, value: &str) -> String {
    let without = key.len() + value.len() + " =\n".len();
    let mut length = without + decimals(without);
    // Its own digits can make it longer by one, and then it stays so.
    if without + decimals(length) != length {
        length = without + decimals(length);
    }
    format!("{length} {key}={value}\n")
}

fn decimals(number: usize) -> usize {
    number.to_string().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_counts_itself() {
        assert_eq!(format("k", "v"), "6 k=v\n");
        assert_eq!(format("path", "/etc/hosts"), "19 path=/etc/hosts\n");
        for length in 80..120 {
            let record = format("a", &"x".repeat(length));
            assert_eq!(
                record.split(' ').next().unwrap().parse::<usize>().unwrap(),
                record.len()
            );
        }
    }

    #[test]
    fn n05_malformed_records_are_refused() {
        for data in [
            "6 k=v",
            "5 k=v\n",
            "7 k=v\n",
            "06 k=v\n",
            "+6 k=v\n",
            "6  k=v\n",
            "4 =v\n",
            "k=v\n",
            " k=v\n",
            "11 size=-1\n",
            "11 size=+1\n",
            "10 size=x\n",
            "9 path=a\0\n",
            "10 uid=1.5\n",
            "25 GNU.sparse.name=aaaa\n",
            "7 path=\n",
            "10 path=a\n10 path=b\n",
        ] {
            assert!(parse(data.as_bytes()).is_err(), "{data:?}");
        }
        let good = format("path", "ä") + &format("size", "12") + &format("mtime", "-1.5");
        let records = parse(good.as_bytes()).unwrap();
        assert_eq!((records.path.as_deref(), records.size), (Some("ä"), Some(12)));
        assert_eq!(
            parse(b"10 a.b=\xff\xfe\n").unwrap(),
            Records::default(),
            "attributes are bytes"
        );
        assert!(parse(b"10 path=\xff\n").is_err());
    }
}
