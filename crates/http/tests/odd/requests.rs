//! Every odd request: one thing wrong at a time, in bodies, queries and paths.

use crate::schema::{fits, sample};
use reqwest::Method;
use serde_json::{Value, json};

/// The one cluster the server knows.
pub const CLUSTER: &str = "yard";

/// One request.
pub struct Odd {
    /// Method and path as the document writes them.
    pub route: String,
    /// How.
    pub method: Method,
    /// Where, with its query.
    pub path: String,
    /// What.
    pub body: Option<Vec<u8>>,
    /// Whether the document says this may be sent.
    pub fits: bool,
    /// What is odd about it.
    pub why: String,
}

impl Odd {
    /// The beginning of the body, for people.
    pub fn shown(&self) -> String {
        let body = self.body.as_deref().unwrap_or_default();
        String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned()
    }
}

/// Values for where another is expected.
fn values() -> Vec<Value> {
    let text =
        ["", " ", "x", "-1", "null", "é漢\u{1F6A2}", "a\0b", "'; DROP TABLE t; -- ", "../../etc/passwd", "\u{202e}%00"];
    let mut values: Vec<Value> = text.iter().map(|text| json!(text)).collect();
    values.push(json!("x".repeat(20_000)));
    values.extend([
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1),
        json!(65_536),
        json!(i64::MAX),
        json!(i64::MIN),
    ]);
    values.extend([json!(u64::MAX), json!(1.5), json!(-1e300), json!([]), json!([[]]), json!({}), json!({"a": 1})]);
    values.push(json!(["", "\0", "x".repeat(5000)]));
    values
}

/// Words for where one stands in an address.
const WORDS: [&str; 14] = [
    "x",
    "0",
    "-1",
    "99999999999999999999",
    "1.5",
    "true",
    "null",
    "%00",
    "%FF%FE",
    "%F0%9F%9A%A2",
    "..%2F..%2Fetc",
    "%27%3B--",
    "job-20240101-001",
    "%20",
];

/// All of them.
pub fn all(document: &Value, port: u16) -> Vec<Odd> {
    let mut all = Vec::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let place = Place { document, port, method, path, operation };
            all.extend(place.paths());
            all.extend(place.queries());
            all.extend(place.bodies());
            all.extend(place.texts());
        }
    }
    all
}

/// One operation of the document.
struct Place<'a> {
    document: &'a Value,
    port: u16,
    method: &'a str,
    path: &'a str,
    operation: &'a Value,
}

impl Place<'_> {
    fn odd(&self, path: String, body: Option<Vec<u8>>, fits: bool, why: impl Into<String>) -> Odd {
        let method = Method::from_bytes(self.method.to_uppercase().as_bytes()).expect("a method");
        Odd { route: format!("{} {}", self.method, self.path), method, path, body, fits, why: why.into() }
    }

    fn with_word(&self, word: &str) -> String {
        let mut path = String::new();
        for part in self.path.split('/').skip(1) {
            path.push('/');
            path.push_str(if part.starts_with('{') { word } else { part });
        }
        path
    }

    /// The path with a name that is known.
    fn good_path(&self) -> String {
        self.with_word(CLUSTER)
    }

    fn schema(&self) -> Option<&Value> {
        self.operation.pointer("/requestBody/content/application~1json/schema")
    }

    /// A body that fits and points to where nobody listens.
    fn good(&self) -> Option<Value> {
        let mut body = sample(self.document, self.schema()?);
        let target = if body["target"].is_object() { &mut body["target"] } else { &mut body };
        for (name, value) in [("host", json!("127.0.0.1")), ("port", json!(self.port)), ("username", json!("u"))] {
            if let Some(field) = target.get_mut(name) {
                *field = value;
            }
        }
        Some(body)
    }

    fn good_bytes(&self) -> Option<Vec<u8>> {
        self.good().map(|body| body.to_string().into_bytes())
    }

    fn paths(&self) -> Vec<Odd> {
        let long = "x".repeat(4000);
        let words = WORDS.iter().copied().chain([long.as_str()]).filter(|_| self.path.contains('{'));
        words.map(|word| self.odd(self.with_word(word), self.good_bytes(), true, format!("path {word:.40}"))).collect()
    }

    fn queries(&self) -> Vec<Odd> {
        let known = self.operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
        let names: Vec<&str> =
            known.iter().filter(|one| one["in"] == "query").filter_map(|one| one["name"].as_str()).collect();
        let mut texts = Vec::new();
        for name in &names {
            texts.extend(WORDS.iter().map(|word| format!("{name}={word}")));
            texts.extend([name.to_string(), format!("{name}=1&{name}=2"), format!("{name}={}", "9".repeat(3000))]);
        }
        if !names.is_empty() {
            texts.extend(["none_such=1", "&&&===", "%", "%zz=%", "=", "a[b]=c"].map(str::to_owned));
        }
        let at = |text: String| self.odd(format!("{}?{text}", self.good_path()), self.good_bytes(), true, "query");
        texts.into_iter().map(at).collect()
    }

    /// One field wrong, missing, or too many, at every depth.
    fn bodies(&self) -> Vec<Odd> {
        let (Some(schema), Some(good)) = (self.schema(), self.good()) else {
            return vec![self.odd(self.good_path(), None, true, "as it is")];
        };
        let mut pointers = Vec::new();
        fields(&good, "", &mut pointers);
        let mut bodies: Vec<(Value, String)> = vec![(good.clone(), "as it is".to_owned())];
        bodies.extend(values().into_iter().map(|value| (value, "whole body".to_owned())));
        for pointer in pointers {
            for value in values() {
                let mut body = good.clone();
                *body.pointer_mut(&pointer).expect("a field") = value;
                bodies.push((body, pointer.clone()));
            }
            bodies.push((without(&good, &pointer), format!("no {pointer}")));
            bodies.push((with_stranger(&good, &pointer), format!("more beside {pointer}")));
        }
        let odd = |(body, why): (Value, String)| {
            let fits = fits(self.document, schema, &body);
            self.odd(self.good_path(), Some(body.to_string().into_bytes()), fits, why)
        };
        bodies.into_iter().map(odd).collect()
    }

    /// What is no JSON, or JSON only just.
    fn texts(&self) -> Vec<Odd> {
        let Some(good) = self.good_bytes() else { return Vec::new() };
        let half = good[..good.len() / 2].to_vec();
        let twice = [good.clone(), good].concat();
        let deep = "[".repeat(50_000).into_bytes();
        let deep_field = format!("{{\"config\":{}1", "{\"a\":".repeat(20_000)).into_bytes();
        let huge = b"{\"config\":{\"threshold_mb\":1e999}}".to_vec();
        let mut texts = vec![half, twice, deep, deep_field, huge, Vec::new()];
        texts.extend(
            [&b"\xff\xfe{}"[..], b"NaN", b"{\"config\":{},\"config\":{}}", b"{'a':1}", b"\0"].map(<[u8]>::to_vec),
        );
        texts.into_iter().map(|text| self.odd(self.good_path(), Some(text), false, "text")).collect()
    }
}

fn fields(value: &Value, at: &str, found: &mut Vec<String>) {
    for (name, below) in value.as_object().into_iter().flatten() {
        found.push(format!("{at}/{name}"));
        fields(below, &format!("{at}/{name}"), found);
    }
}

fn parent<'a>(body: &'a mut Value, pointer: &'a str) -> (&'a mut serde_json::Map<String, Value>, &'a str) {
    let (above, name) = pointer.rsplit_once('/').expect("a pointer");
    (body.pointer_mut(above).and_then(Value::as_object_mut).expect("an object"), name)
}

fn without(good: &Value, pointer: &str) -> Value {
    let mut body = good.clone();
    let (fields, name) = parent(&mut body, pointer);
    fields.remove(name);
    body
}

fn with_stranger(good: &Value, pointer: &str) -> Value {
    let mut body = good.clone();
    let (fields, name) = parent(&mut body, pointer);
    fields.insert(format!("{name}x"), json!(1));
    body
}
