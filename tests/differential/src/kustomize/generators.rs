//! ConfigMap and Secret generators.

use super::objects::{NAMES, NAMESPACES, Object};
use super::tree::Tree;
use crate::dice::Dice;
use crate::scalars;
use crate::value::{Y, map, raw};

const LITERALS: [&str; 24] = [
    "a=1",
    "k=v",
    "k2=",
    "m=w",
    "z=0",
    "q='single'",
    "q2=\"double\"",
    "e2=a=b=c",
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
    "q3='mixed\"",
    "lt=<a>&b",
    "br=line\nbreak",
];

const ENV_FILES: [&str; 7] = [
    "A=1\nB=2\n",
    "# comment\n\nA=x y\n",
    "A=1\r\nB=2\r\n",
    "  LEAD=1\n",
    "A=\nB= x \n",
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

/// The fields of a generator, and the object that it makes. `serial` is new each time; a name from the common ones is
/// taken if `free` says so.
pub(crate) fn generator(
    dice: &mut Dice,
    tree: &mut Tree,
    dir: &str,
    secret: bool,
    known: &[Object],
    serial: usize,
    free: &dyn Fn(&str, &str) -> bool,
) -> (Y, Object) {
    let kind = if secret { "Secret" } else { "ConfigMap" };
    let mut y = Y::Map(Vec::new());
    let same: Vec<&Object> = known
        .iter()
        .filter(|object| object.kind == kind && !object.twin)
        .collect();
    let behavior = if !same.is_empty() && dice.chance(40) {
        dice.pick(&["merge", "replace", "merge"])
    } else {
        dice.pick(&["", "", "", "create"])
    };
    let common = dice.pick(&NAMES);
    let (name, namespace) = match dice.one(&same) {
        Some(object) if ["merge", "replace"].contains(&behavior) => {
            (object.name.clone(), object.namespace.clone())
        }
        _ if dice.chance(50) && free(kind, common) => (common.to_owned(), String::new()),
        _ => (
            format!("{}{serial}", dice.pick(&["gen-", "cm", "g"])),
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
        let literals: Vec<Y> = (0..=dice.below(3))
            .map(|number| literal(dice, start + number))
            .collect();
        y.push("literals", literals);
    }
    if dice.chance(35) {
        let mut files = Y::Seq(Vec::new());
        let start = dice.below(FILES.len());
        for number in 0..=dice.below(2) {
            let (file, content) = FILES
                .get((start + number) % FILES.len())
                .copied()
                .unwrap_or(("plain.txt", b"x"));
            let path = if dice.chance(15) {
                format!("sub/{file}")
            } else {
                file.to_owned()
            };
            tree.add(&format!("{dir}/{path}"), content);
            files.item(match dice.below(10) {
                0 => format!("key{number}.txt={path}"),
                1 => format!("./{path}"),
                _ => path,
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
    let mut object = Object::new("v1", kind, &name, &namespace, Y::Map(Vec::new()));
    // Its data is made later.
    object.solid = false;
    (y, object)
}

/// Whether a generator makes a new object, and does not change one that is there.
pub(crate) fn is_new(generator: &Y) -> bool {
    let Y::Map(entries) = generator else { return true };
    !entries.iter().any(|(key, value)| {
        key == "behavior" && matches!(value, Y::Str(text) if text == "merge" || text == "replace")
    })
}

fn literal(dice: &mut Dice, number: usize) -> Y {
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
