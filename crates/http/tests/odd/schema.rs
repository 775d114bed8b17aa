//! The part of JSON Schema the document uses: a sample that fits, and whether a value fits.

use serde_json::{Map, Value, json};

/// The schema itself, where it is only named.
pub fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(name) => resolved(document, document.pointer(name.trim_start_matches('#')).expect("a schema")),
        None => schema,
    }
}

fn choices(schema: &Value) -> Option<&Vec<Value>> {
    ["oneOf", "anyOf"].iter().find_map(|word| schema[*word].as_array())
}

fn kinds(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// A value that fits, every property filled in.
pub fn sample(document: &Value, schema: &Value) -> Value {
    let schema = resolved(document, schema);
    if let Some(choices) = choices(schema) {
        let something = choices.iter().find(|choice| kinds(choice) != ["null"]).expect("a choice");
        return sample(document, something);
    }
    if let Some(first) = schema["enum"].as_array().and_then(|values| values.first()) {
        return first.clone();
    }
    match kinds(schema).first() {
        Some(&"object") => object(document, schema),
        Some(&"array") => json!([sample(document, &schema["items"])]),
        Some(&"boolean") => json!(false),
        Some(&"integer") => json!(1),
        Some(&"number") => json!(1.5),
        _ => json!("x"),
    }
}

fn object(document: &Value, schema: &Value) -> Value {
    let empty = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&empty);
    properties.iter().map(|(name, schema)| (name.clone(), sample(document, schema))).collect::<Map<_, _>>().into()
}

/// Whether a value is what the schema says.
pub fn fits(document: &Value, schema: &Value, value: &Value) -> bool {
    let schema = resolved(document, schema);
    if let Some(choices) = choices(schema) {
        return choices.iter().any(|choice| fits(document, choice, value));
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.contains(value);
    }
    let kinds = kinds(schema);
    kinds.is_empty() || kinds.iter().any(|kind| fits_kind(document, schema, kind, value))
}

fn fits_kind(document: &Value, schema: &Value, kind: &str, value: &Value) -> bool {
    match (kind, value) {
        ("null", Value::Null)
        | ("boolean", Value::Bool(_))
        | ("string", Value::String(_))
        | ("number", Value::Number(_)) => true,
        ("integer", Value::Number(number)) => whole(schema, number),
        ("array", Value::Array(items)) => items.iter().all(|item| fits(document, &schema["items"], item)),
        ("object", Value::Object(fields)) => fits_object(document, schema, fields),
        _ => false,
    }
}

fn whole(schema: &Value, number: &serde_json::Number) -> bool {
    let Some(number) = number.as_i128() else { return false };
    let least = schema["minimum"].as_i64().map_or(i128::MIN, i128::from);
    let most = match schema["format"].as_str() {
        // utoipa writes u16 and u32 as int32 with a minimum of 0.
        Some("int32") => i128::from(u32::MAX),
        _ => i128::from(i64::MAX),
    };
    (least..=most).contains(&number)
}

fn fits_object(document: &Value, schema: &Value, fields: &Map<String, Value>) -> bool {
    let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
    let properties = &schema["properties"];
    let closed = schema["additionalProperties"] == json!(false);
    required.iter().filter_map(Value::as_str).all(|name| fields.contains_key(name))
        && fields.iter().all(|(name, value)| match properties.get(name) {
            Some(schema) => fits(document, schema, value),
            None => !closed,
        })
}
