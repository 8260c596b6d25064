//! ConfigMap and Secret generators.

use super::objects::{NAMES, NAMESPACES, Object};
use super::tree::Tree;
use crate::dice::Dice;
use crate::scalars;
use crate::value::{Y, map, raw};

const LITERALS: [&str; 22] = [
    "a=1",
    "k=v",
    "k=",
    "m=w",
    "z=0",
    "q='single'",
    "q=\"double\"",
    "a=b=c",
    "multi=line\\nx",
    "url=http://x/?a=b",
    "sp ace=1",
    "d.o-t_s=x",
    "u=ünïcode",
    "t=true",
    "n=null",
    "s= lead",
    "e=trail ",
    "json={\"a\":1}",
    "long=a very long value that goes on behind the eightieth column because it has many words in it",
    "h=#x",
    "o='",
    "q='mixed\"",
];

const ENV_FILES: [&str; 7] = [
    "A=1\nB=2\n",
    "# comment\n\nA=x y\n",
    "A=1\r\nB=2\r\n",
    "  LEAD=1\n",
    "A\n",
    "\u{feff}BOM=1\n",
    "A='q'\nB=\"dq\"\nC=a=b\n",
];

const FILES: [(&str, &[u8]); 12] = [
    ("plain.txt", b"hello\n"),
    ("no-newline.txt", b"hello"),
    ("empty.txt", b""),
    ("bin.dat", &[0xff, 0xfe, 0, 1, 2, 3]),
    ("crlf.txt", b"a\r\nb\r\n"),
    ("tabs.txt", b"\ta\n\tb\n"),
    ("trailing.txt", b"a  \nb \n"),
    ("conf.yaml", b"a: 1\nb:\n- c\n"),
    ("unicode.txt", "h\u{e9}llo \u{1f600}\n".as_bytes()),
    (
        "long.txt",
        b"a very long line of text that goes on and on behind the eightieth column of the page\nsecond\n",
    ),
    ("lead.txt", b"  lead\nx\n"),
    ("blank.txt", b"\n\n"),
];

pub(crate) fn options(dice: &mut Dice) -> Y {
    let mut y = Y::Map(Vec::new());
    if dice.chance(40) {
        y.push(
            "disableNameSuffixHash",
            raw(dice.pick(&["true", "true", "false"])),
        );
    }
    if dice.chance(40) {
        y.push("labels", map([("gen", "l".into())]));
    }
    if dice.chance(40) {
        y.push(
            "annotations",
            map([("gen", raw(dice.pick(&["a", "\"true\"", "'1'"])))]),
        );
    }
    if dice.chance(20) {
        y.push("immutable", raw("true"));
    }
    y
}

/// The fields of a generator, and the object that it makes.
pub(crate) fn generator(
    dice: &mut Dice,
    tree: &mut Tree,
    dir: &str,
    secret: bool,
    known: &[Object],
) -> (Y, Object) {
    let kind = if secret { "Secret" } else { "ConfigMap" };
    let mut y = Y::Map(Vec::new());
    let same: Vec<&Object> = known.iter().filter(|object| object.kind == kind).collect();
    let behavior = if !same.is_empty() && dice.chance(40) {
        dice.pick(&["merge", "replace", "merge", "create"])
    } else {
        dice.pick(&["", "", "", "", "", "", "create", "create", "merge"])
    };
    let (name, namespace) = match dice.one(&same) {
        Some(object) if ["merge", "replace"].contains(&behavior) => (
            dice.one(&object.names).cloned().unwrap_or_default(),
            object.namespace.clone(),
        ),
        _ if dice.chance(80) => (
            format!("{}{}", dice.pick(&["gen-", "cm", "g"]), known.len()),
            String::new(),
        ),
        _ => (
            dice.pick(&NAMES).to_owned(),
            if dice.chance(12) {
                dice.pick(&NAMESPACES).to_owned()
            } else {
                String::new()
            },
        ),
    };
    y.push("name", name.as_str());
    if !namespace.is_empty() {
        y.push("namespace", namespace.as_str());
    }
    if !behavior.is_empty() {
        y.push("behavior", behavior);
    }
    if dice.chance(70) {
        let start = dice.below(LITERALS.len());
        let literals: Vec<Y> = (0..=dice.below(2))
            .map(|number| literal(dice, start + number))
            .collect();
        y.push("literals", literals);
    }
    if dice.chance(35) {
        let mut files = Y::Seq(Vec::new());
        for _ in 0..=dice.below(1) {
            let (file, content) = FILES
                .get(dice.below(FILES.len()))
                .copied()
                .unwrap_or(("plain.txt", b"x"));
            tree.add(&format!("{dir}/{file}"), content);
            files.item(match dice.below(20) {
                0 => format!("key.txt={file}"),
                1 => format!("./{file}"),
                2 => format!("={file}"),
                _ => file.to_owned(),
            });
        }
        y.push("files", files);
    }
    if dice.chance(20) {
        let content = dice.pick(&ENV_FILES);
        let file = format!("e{}.env", content.len());
        tree.add(&format!("{dir}/{file}"), content);
        if dice.chance(20) {
            y.push("env", file);
        } else {
            y.push("envs", vec![Y::Str(file)]);
        }
    }
    if secret && dice.chance(30) {
        y.push("type", dice.pick(&["Opaque", "kubernetes.io/tls", ""]));
    }
    if dice.chance(30) {
        y.push("options", options(dice));
    }
    let object = Object {
        api: "v1".into(),
        kind: kind.into(),
        names: vec![name.clone()],
        name,
        namespace,
        y: y.clone(),
    };
    (y, object)
}

fn literal(dice: &mut Dice, number: usize) -> Y {
    if dice.chance(1) {
        return Y::Str(dice.pick(&["=v", "novalue"]).to_owned());
    }
    if dice.chance(15) {
        return Y::Str(format!("odd{}={}", dice.below(1000), scalars::content(dice)));
    }
    Y::Str(
        LITERALS
            .get(number % LITERALS.len())
            .copied()
            .unwrap_or("a=1")
            .to_owned(),
    )
}
