//! JSON with places: a value knows the key under which it stands.

use serde_json::{Map, Value};

use crate::address::Refusal;
use crate::draft::setting;
use crate::fault::{Fault, plain};

/// The text as JSON.
pub(crate) fn parse(text: &str) -> Result<Value, Fault> {
    serde_json::from_str(text).map_err(|error| {
        let message = format!("the text is no JSON: {}", plain(&error.to_string()));
        Fault::line(error.line().max(1), message, "Give the file as it is.")
    })
}

/// A value and its key, such as `vips[3].port`.
#[derive(Clone, Debug)]
pub(crate) struct Node<'v> {
    value: &'v Value,
    key: String,
}

impl<'v> Node<'v> {
    /// The whole text.
    pub(crate) const fn root(value: &'v Value) -> Self {
        Self { value, key: String::new() }
    }

    /// A fault here.
    pub(crate) fn fault(&self, message: &str, remedy: &str) -> Fault {
        let key = if self.key.is_empty() { "the text" } else { &self.key };
        Fault::key(key, message, remedy)
    }

    /// What was refused here.
    pub(crate) fn placed<T>(&self, result: Result<T, Refusal>) -> Result<T, Fault> {
        result.map_err(|(message, remedy)| self.fault(&message, &remedy))
    }

    /// Whether it is a list.
    pub(crate) fn is_list(&self) -> bool {
        self.value.is_array()
    }

    fn object(&self) -> Result<&'v Map<String, Value>, Fault> {
        self.value.as_object().ok_or_else(|| self.fault("this is no object", "Write { … }."))
    }

    /// What stands under a key; `null` is nothing.
    pub(crate) fn get(&self, key: &str) -> Result<Option<Self>, Fault> {
        let value = self.object()?.get(key).filter(|value| !value.is_null());
        let full = if self.key.is_empty() { key.to_owned() } else { format!("{}.{key}", self.key) };
        Ok(value.map(|value| Self { value, key: full }))
    }

    /// What must stand under a key.
    pub(crate) fn need(&self, key: &str) -> Result<Self, Fault> {
        let missing = || self.fault(&format!("\"{key}\" is missing"), "Write it.");
        self.get(key)?.ok_or_else(missing)
    }

    /// The members of a list.
    pub(crate) fn list(&self) -> Result<Vec<Self>, Fault> {
        let list = self.value.as_array().ok_or_else(|| self.fault("this is no list", "Write [ … ]."))?;
        let node = |(at, value)| Self { value, key: format!("{}[{at}]", self.key) };
        Ok(list.iter().enumerate().map(node).collect())
    }

    /// A text.
    pub(crate) fn text(&self) -> Result<&'v str, Fault> {
        self.value.as_str().ok_or_else(|| self.fault("this is no text", "Write it in quotes."))
    }

    /// A whole number, or one in quotes, as the JSON of 64-bit protobuf numbers is.
    pub(crate) fn number(&self) -> Result<u64, Fault> {
        let quoted = || self.value.as_str().and_then(|text| text.parse().ok());
        self.value
            .as_u64()
            .or_else(quoted)
            .ok_or_else(|| self.fault("this is no whole number", "Write digits alone."))
    }

    /// A truth.
    pub(crate) fn truth(&self) -> Result<bool, Fault> {
        self.value.as_bool().ok_or_else(|| self.fault("this is neither true nor false", "Write one of them."))
    }

    /// A port from `least` on.
    pub(crate) fn port(&self, least: u16) -> Result<u16, Fault> {
        let port = u16::try_from(self.number()?).ok().filter(|&port| port >= least);
        port.ok_or_else(|| self.fault("this is no port", &format!("Write a number from {least} to 65535.")))
    }

    /// A note on each key that is not among these.
    pub(crate) fn others(&self, known: &[&str]) -> Result<Vec<String>, Fault> {
        let entries = self.object()?.iter().filter(|(key, _)| !known.contains(&key.as_str()));
        Ok(entries.map(|(key, value)| setting(key, &value.to_string())).collect())
    }
}
