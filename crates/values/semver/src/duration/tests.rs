use super::*;

#[track_caller]
fn reads(text: &str, nanos: i64) {
    assert_eq!(Duration::parse(text), Ok(Duration(nanos)), "{text}");
}

#[track_caller]
fn refuses(text: &str, message: &str) {
    assert_eq!(
        Duration::parse(text).map_err(|error| error.to_string()),
        Err(message.to_owned())
    );
}

#[track_caller]
fn prints(nanos: i64, text: &str) {
    assert_eq!(Duration(nanos).to_string(), text);
    reads(text, nanos);
}

#[test]
fn simple_and_compound_forms_are_read() {
    reads("0", 0);
    reads("-0", 0);
    reads("5s", 5_000_000_000);
    reads("5.0s", 5_000_000_000);
    reads(".5s", 500_000_000);
    reads("5.s", 5_000_000_000);
    reads("-1.5h", -5_400_000_000_000);
    reads("+5s", 5_000_000_000);
    reads("1h2m3.5s", 3_723_500_000_000);
    reads("1\u{b5}s2\u{3bc}s3us", 6_000);
    reads("39h9m14.425s", 140_954_425_000_000);
    reads("3s3s", 6_000_000_000);
}

#[test]
fn fractions_are_cut_as_go_cuts_them() {
    reads("0.3333333333333333333h", 1_200_000_000_000);
    reads("9007199254740993ns", 9_007_199_254_740_993);
    reads("0.100000000000000000000h", 360_000_000_000);
    reads("0.830103483285477580700h", 2_988_372_539_827);
    reads("1.0000000000000000000000001s", 1_000_000_000);
}

#[test]
fn the_ends_of_the_range_are_read_and_one_past_them_is_not() {
    reads("9223372036854775807ns", i64::MAX);
    reads("-9223372036854775808ns", i64::MIN);
    reads("-9223372036854775.808us", i64::MIN);
    refuses(
        "9223372036854775808ns",
        "time: invalid duration \"9223372036854775808ns\"",
    );
    refuses(
        "-9223372036854775809ns",
        "time: invalid duration \"-9223372036854775809ns\"",
    );
    refuses("2562048h", "time: invalid duration \"2562048h\"");
    refuses(
        "99999999999999999999h",
        "time: invalid duration \"99999999999999999999h\"",
    );
}

#[test]
fn what_is_no_duration_is_refused_in_gos_words() {
    refuses("", "time: invalid duration \"\"");
    refuses("3", "time: missing unit in duration \"3\"");
    refuses("-", "time: invalid duration \"-\"");
    refuses("s", "time: invalid duration \"s\"");
    refuses(".s", "time: invalid duration \".s\"");
    refuses("+.s", "time: invalid duration \"+.s\"");
    refuses("1d", "time: unknown unit \"d\" in duration \"1d\"");
    refuses("5m 3s", "time: unknown unit \"m \" in duration \"5m 3s\"");
    refuses("\u{85}\u{85}", "time: invalid duration \"\\xc2\\x85\\xc2\\x85\"");
    refuses(
        "hello \"there\"",
        "time: invalid duration \"hello \\\"there\\\"\"",
    );
}

#[test]
fn printing_is_gos() {
    assert_eq!(Duration::ZERO.to_string(), "0s");
    prints(1, "1ns");
    prints(1_100, "1.1\u{b5}s");
    prints(2_200_000, "2.2ms");
    prints(3_300_000_000, "3.3s");
    prints(245_000_000_000, "4m5s");
    prints(245_001_000_000, "4m5.001s");
    prints(3_600_000_000_000, "1h0m0s");
    prints(18_367_001_000_000, "5h6m7.001s");
    prints(480_000_000_001, "8m0.000000001s");
    prints(-90_000_000_000, "-1m30s");
    prints(i64::MAX, "2562047h47m16.854775807s");
    prints(i64::MIN, "-2562047h47m16.854775808s");
}

#[test]
fn it_serialises_as_kubernetes_does() {
    let span: Duration = serde_json::from_str("\"600s\"").unwrap();
    assert_eq!(serde_json::to_string(&span).unwrap(), "\"10m0s\"");
    assert!(serde_json::from_str::<Duration>("\"1 hour\"").is_err());
}

#[test]
fn it_converts_to_and_from_the_standard_library() {
    assert_eq!(
        Duration::from_secs(2).to_std(),
        Some(std::time::Duration::from_secs(2))
    );
    assert_eq!(Duration::from_secs(-2).to_std(), None);
    assert_eq!(Duration::try_from(std::time::Duration::MAX), Err(OutOfRange));
}
