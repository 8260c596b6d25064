//! The tables of Go's own execution tests, with values that are like Go's.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value as Json;
use weir_gotmpl::{
    Function, Functions, Kind, Limits, List, Map, MissingKey, NoHost, Object, Options, Set, Shape, Signature,
    Type, TypeInfo, Value, ty,
};

use crate::support::{run_with, tables};
use weir_conformance::judge;

static INT_POINTER: TypeInfo = TypeInfo::new("*int", Kind::Ptr, Some(&ty::INT));
static STRUCT: TypeInfo = TypeInfo::new("struct {…}", Kind::Struct, None);
static V: TypeInfo = TypeInfo::new("template.V", Kind::Struct, None);
static T: TypeInfo = TypeInfo::new("template.T", Kind::Struct, None);
static T_POINTER: TypeInfo = TypeInfo::new("*template.T", Kind::Ptr, Some(&T));
static BUILDER: TypeInfo = TypeInfo::new("*strings.Builder", Kind::Ptr, None);
static INT_MAP: TypeInfo = TypeInfo::new("map[int]int", Kind::Map, Some(&ty::INT));
static STRING_MAP_POINTER: TypeInfo = TypeInfo::new("*map[string]string", Kind::Ptr, Some(&ty::MAP_STRING));

/// A Go value with a type and a shape.
struct Like {
    ty: Type,
    fields: Vec<(&'static str, Value)>,
    target: Option<Value>,
}

impl Object for Like {
    fn ty(&self) -> Type {
        self.ty
    }

    fn shape(&self) -> Shape {
        match self.ty.kind {
            Kind::Ptr => Shape::Pointer(self.target.clone()),
            Kind::Map => Shape::Map(Vec::new()),
            _ => Shape::Struct(self.fields.clone()),
        }
    }

    fn equals(&self, other: &dyn Object) -> Option<bool> {
        match self.ty.kind {
            Kind::Ptr => Some(std::ptr::addr_eq(self, other)),
            Kind::Map => None,
            _ => Some(true),
        }
    }
}

fn structure(ty: Type, fields: Vec<(&'static str, Value)>) -> Value {
    Value::object(Like {
        ty,
        fields,
        target: None,
    })
}

fn pointer(ty: Type, target: Option<Value>) -> Value {
    Value::Object(Rc::new(Like {
        ty,
        fields: Vec::new(),
        target,
    }))
}

fn compared() -> Value {
    structure(
        &STRUCT,
        vec![
            ("Uthree", Value::Uint(3, &ty::UINT)),
            ("Ufour", Value::Uint(4, &ty::UINT)),
            ("NegOne", Value::int(-1)),
            ("Three", Value::int(3)),
            ("Ptr", pointer(&INT_POINTER, Some(Value::int(0)))),
            ("NilPtr", Value::TypedNil(&INT_POINTER)),
            ("NonNilMap", structure(&INT_MAP, Vec::new())),
            ("Map", Value::TypedNil(&INT_MAP)),
            ("V1", structure(&V, Vec::new())),
            ("V2", structure(&V, Vec::new())),
            ("Iface1", pointer(&BUILDER, Some(structure(&STRUCT, Vec::new())))),
            ("NilIface", Value::TypedNil(&ty::ANY)),
        ],
    )
}

fn run(template: &str, data: &Value) -> Result<String, String> {
    run_with(
        Functions::builtins(),
        MissingKey::Default,
        template,
        data,
        &Limits::default(),
    )
}

fn expect(got: Result<String, String>, expected: &str) -> Result<(), String> {
    match got {
        Ok(out) if out == expected => Ok(()),
        other => Err(format!("{other:?}, expected {expected:?}")),
    }
}

fn truth(index: usize) -> Value {
    match index {
        0 => Value::int(1),
        1 => Value::int(0),
        2 => Value::Uint(1, &ty::UINT8),
        3 => Value::Uint(0, &ty::UINT8),
        4 => Value::float(1.0),
        5 => Value::float(0.0),
        6 => Value::Complex(Rc::new((1.0, 0.0))),
        7 => Value::Complex(Rc::new((0.0, 0.0))),
        8 => Value::Bool(true),
        9 => Value::Bool(false),
        10 => List::of(&ty::LIST_INT, vec![Value::int(1), Value::int(2)]).into(),
        11 => List::of(&ty::LIST_INT, Vec::new()).into(),
        12 => Value::Bytes(b"abc".as_slice().into()),
        13 => Value::Bytes(b"".as_slice().into()),
        14 => [("a", Value::int(1)), ("b", Value::int(2))]
            .into_iter()
            .collect::<Map>()
            .into(),
        15 => Map::new().into(),
        16 | 18 => Value::TypedNil(&INT_POINTER),
        _ => pointer(&INT_POINTER, Some(Value::int(0))),
    }
}

fn interface_values() -> Value {
    static PLUS_ONE: Signature = Signature::new(&[&ty::INT]);
    let numbers: Vec<Value> = (0..4).map(Value::int).collect();
    let map = Map::new();
    map.insert("Slice", List::new(numbers));
    map.insert("One", Value::int(1));
    map.insert("Two", Value::int(2));
    map.insert("Nil", Value::Nil);
    map.insert("Zero", Value::int(0));
    let plus_one = Function::native(&PLUS_ONE, |_, args| match args {
        [Value::Int(number, _)] => Ok(Value::int(number + 1)),
        _ => Ok(Value::Nil),
    });
    map.insert("PlusOne", Value::Func(plus_one.into()));
    map.into()
}

fn field_error(name: &str) -> Value {
    match name {
        "MissingFieldOnNonNil" => pointer(&T_POINTER, Some(structure(&T, vec![("X", Value::from(""))]))),
        "MissingKeyOnMapPtrToNil" => pointer(&STRING_MAP_POINTER, Some(Map::of(&ty::MAP_STRING).into())),
        _ => Value::TypedNil(&STRING_MAP_POINTER),
    }
}

fn multi(row: &Json) -> Result<(), String> {
    let mut set = Set::new(Arc::new(Functions::builtins()), Options::default());
    let parsed = set.parse("root", row["input"].as_str().unwrap());
    if parsed.is_ok() != row["ok"].as_bool().unwrap() {
        return Err(format!("{parsed:?}"));
    }
    let names = row["names"].as_array().cloned().unwrap_or_default();
    for (name, result) in names.iter().zip(row["results"].as_array().into_iter().flatten()) {
        let out = set
            .execute(
                name.as_str().unwrap(),
                &Value::Nil,
                &mut NoHost,
                &Limits::default(),
            )
            .map_err(|error| error.to_string())?;
        expect(Ok(out.to_string()), result.as_str().unwrap())?;
    }
    Ok(())
}

fn redefined(row: &Json) -> Result<(), String> {
    let mut set = Set::new(Arc::new(Functions::builtins()), Options::default());
    let name = row["in"].as_str().unwrap();
    for text in row["defn"].as_array().unwrap() {
        set.parse(name, text.as_str().unwrap())
            .map_err(|error| error.to_string())?;
    }
    let out = set.execute(name, &Value::from(name), &mut NoHost, &Limits::default());
    expect(
        out.map(|out| out.to_string()).map_err(|error| error.to_string()),
        row["want"].as_str().unwrap(),
    )
}

fn inlined(rows: &[Json]) -> Result<(), String> {
    let texts: BTreeMap<&str, &str> = rows
        .iter()
        .map(|row| (row["$key"].as_str().unwrap(), row["$row"].as_str().unwrap()))
        .collect();
    let mut set = Set::new(Arc::new(Functions::builtins()), Options::default());
    set.parse("title.xhtml", "{{template \"xhtml\" .}}").unwrap();
    for (name, text) in texts {
        set.parse(name, text).unwrap();
    }
    let out = set.execute("title.xhtml", &Value::int(0), &mut NoHost, &Limits::default());
    expect(
        out.map(|out| out.to_string()).map_err(|error| error.to_string()),
        "stylesheet",
    )
}

#[test]
fn every_row_of_gos_tables_holds() {
    let Some(tables) = tables("gotemplate.json") else {
        return;
    };
    let mut outcomes = Vec::new();
    for table in &tables {
        let name = table["table"].as_str().unwrap();
        let rows = table["rows"].as_array().unwrap();
        for (index, row) in rows.iter().enumerate() {
            let outcome = match name {
                "TestJSEscaping" => {
                    let data: Map = [("in", Value::from(row["in"].as_str().unwrap()))]
                        .into_iter()
                        .collect();
                    expect(run("{{js .in}}", &data.into()), row["exp"].as_str().unwrap())
                }
                "cmpTests" => {
                    let template = format!(
                        "{{{{if {}}}}}true{{{{else}}}}false{{{{end}}}}",
                        row["expr"].as_str().unwrap()
                    );
                    match run(&template, &compared()) {
                        Err(_) if !row["ok"].as_bool().unwrap() => Ok(()),
                        result => expect(result, row["truth"].as_str().unwrap()),
                    }
                }
                "TestIsTrue" => {
                    let data: Map = [("v", truth(index))].into_iter().collect();
                    expect(
                        run("{{if .v}}true{{else}}false{{end}}", &data.into()),
                        &row["want"].to_string(),
                    )
                }
                "TestEvalFieldErrors" => {
                    let result = run(
                        row["src"].as_str().unwrap(),
                        &field_error(row["name"].as_str().unwrap()),
                    );
                    let got = result.map_or_else(|error| error, |_| "<nil>".to_owned());
                    if got.ends_with(row["want"].as_str().unwrap()) {
                        Ok(())
                    } else {
                        Err(got)
                    }
                }
                "TestInterfaceValues" if row.get("text").is_some() => {
                    let result = run(row["text"].as_str().unwrap(), &interface_values());
                    match (result, row["out"].as_str().unwrap().strip_prefix("ERROR: ")) {
                        (Err(error), Some(message)) if error.contains(message) => Ok(()),
                        (result, _) => expect(result, row["out"].as_str().unwrap()),
                    }
                }
                // The data of the rows above.
                "TestInterfaceValues" => {
                    let known = interface_values()
                        .as_map()
                        .unwrap()
                        .get(row["$key"].as_str().unwrap());
                    known.map(|_| ()).ok_or_else(|| "not in our data".to_owned())
                }
                "multiParseTests" => multi(row),
                "TestEmptyTemplate" => redefined(row),
                "TestIssue19294" => inlined(rows),
                other => Err(format!("no runner for {other}")),
            };
            outcomes.push((
                format!("{name}/{index}"),
                outcome.map_err(|error| format!("{error}: {row}")),
            ));
        }
    }
    // Two tables have the same name.
    let mut seen = BTreeMap::new();
    for (id, _) in &mut outcomes {
        let count: &mut usize = seen.entry(id.clone()).or_default();
        *count += 1;
        if *count > 1 {
            *id = format!("{id}-{count}");
        }
    }
    judge("gotemplate", outcomes);
}

#[test]
fn ranges_run_over_functions() {
    let map = Map::new();
    let count = |to: i64| {
        Function::sequence(false, move |yields| {
            for number in 0..to {
                if !yields(Value::int(number), None) {
                    return;
                }
            }
        })
    };
    map.insert("seq", Value::Func(count(5).into()));
    map.insert("none", Value::Func(count(0).into()));
    map.insert(
        "pairs",
        Value::Func(
            Function::sequence(true, |yields| {
                for (key, value) in [("a", 1), ("b", 2)] {
                    if !yields(Value::from(key), Some(Value::int(value))) {
                        return;
                    }
                }
            })
            .into(),
        ),
    );
    let template = "{{range .seq}}{{if eq . 3}}{{break}}{{end}}{{.}}{{end}} {{range .none}}x{{else}}none{{end}} \
        {{range $k, $v := .pairs}}{{$k}}={{$v}};{{end}} {{range .pairs}}{{.}}{{end}}";
    assert_eq!(
        run(template, &map.clone().into()).unwrap(),
        "012 none a=1;b=2; ab"
    );
    let error = run("{{range $a, $b := .seq}}{{end}}", &map.into()).unwrap_err();
    assert!(error.contains("iterate over more than one variable"), "{error}");
}
