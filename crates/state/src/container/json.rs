//! One text of a flat JSON object.
//!
//! Container events of captures hold a JSON object; of it the state needs three texts at the first level. Anything that
//! is not valid JSON gives nothing.

use serde_json::Value;

/// The text under `key` of the object in `json`, at its first level or inside its `container` object.
pub(crate) fn string(json: &[u8], key: &[u8]) -> Option<Vec<u8>> {
    let value: Value = serde_json::from_slice(json).ok()?;
    let key = std::str::from_utf8(key).ok()?;
    let object = value.get("container").unwrap_or(&value);
    object.get(key).and_then(Value::as_str).map(|text| text.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_both_layouts() {
        let plain = br#"{"id":"abc","type":0,"name":"web","image":"nginx:1"}"#;
        assert_eq!(string(plain, b"image").as_deref(), Some(&b"nginx:1"[..]));
        let nested = br#"{"container":{"id":"abc","name":"w\u0065b"}}"#;
        assert_eq!(string(nested, b"name").as_deref(), Some(&b"web"[..]));
        assert_eq!(string(b"{\"id\":7}", b"id"), None);
        assert_eq!(string(b"{\"id\":", b"id"), None);
    }
}
