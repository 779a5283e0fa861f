//! From text to file types, key by key: every unknown key and every value of a wrong kind is told, and
//! whatever is sound goes on to be checked.

use std::fmt::Display;
use std::ops::Range;

use serde::de::value::Error as NoValue;
use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor};
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use crate::fault::{Refusal, Report};
use crate::file::{
    BytesFile, DataplaneFile, FlowFile, LimitFile, MarkFile, MemberFile, MetricsFile, NodeFile, PoolFile,
    PortFile, QuicFile, RealFile, RuleFile, SelectFile, ServerFile, ServiceFile, TunnelEndFile, TunnelFile,
};
use crate::keys::{self, LISTED_TABLES, SINGLE_TABLES};
use crate::limits::RECOVERY_BYTES_MAX;
use crate::nearest::did_you_mean;
use crate::scalar::quoted;

/// A table of the file: its values, and where it stands.
pub(crate) struct Entry<T> {
    /// The values.
    pub(crate) file: T,
    /// `service[2]`.
    pub(crate) path: String,
    /// Its header; the start of the file for a table that is not there.
    pub(crate) span: Range<usize>,
}

impl<T> Entry<T> {
    /// The path of one of its keys.
    pub(crate) fn key(&self, key: &str) -> String {
        format!("{}.{key}", self.path)
    }
}

/// All tables of the file.
pub(crate) struct File {
    pub(crate) node: Entry<NodeFile>,
    pub(crate) tunnel: Entry<TunnelFile>,
    pub(crate) select: Entry<SelectFile>,
    pub(crate) flow: Entry<FlowFile>,
    pub(crate) dataplane: Entry<DataplaneFile>,
    pub(crate) metrics: Entry<MetricsFile>,
    pub(crate) ports: Vec<Entry<PortFile>>,
    pub(crate) ends: Vec<Entry<TunnelEndFile>>,
    pub(crate) reals: Vec<Entry<RealFile>>,
    pub(crate) pools: Vec<Entry<PoolFile>>,
    pub(crate) quic: Vec<Entry<QuicFile>>,
    pub(crate) marks: Vec<Entry<MarkFile>>,
    pub(crate) limits: Vec<Entry<LimitFile>>,
    pub(crate) services: Vec<Entry<ServiceFile>>,
    pub(crate) rules: Vec<Entry<RuleFile>>,
}

type Value<'t> = Spanned<DeValue<'t>>;

/// The tables of a document. `None` if it is no TOML: then only that is told, for what a broken line
/// meant cannot be known.
pub(crate) fn document(report: &mut Report<'_>, text: &str) -> Option<File> {
    let mut root = match DeTable::parse(text) {
        Ok(root) => root.into_inner(),
        Err(first) => {
            syntax(report, text, first);
            return None;
        }
    };
    unknown_tables(report, &root);
    Some(File {
        node: single(report, &mut root, "node"),
        tunnel: single(report, &mut root, "tunnel"),
        select: single(report, &mut root, "select"),
        flow: single(report, &mut root, "flow"),
        dataplane: single(report, &mut root, "dataplane"),
        metrics: single(report, &mut root, "metrics"),
        ports: listed(report, &mut root, "port"),
        ends: listed(report, &mut root, "tunnel_end"),
        reals: listed(report, &mut root, "real"),
        pools: listed(report, &mut root, "pool"),
        quic: listed(report, &mut root, "quic"),
        marks: listed(report, &mut root, "mark"),
        limits: listed(report, &mut root, "limit"),
        services: listed(report, &mut root, "service"),
        rules: listed(report, &mut root, "rule"),
    })
}

fn syntax(report: &mut Report<'_>, text: &str, first: toml::de::Error) {
    let errors =
        if text.len() <= RECOVERY_BYTES_MAX { DeTable::parse_recoverable(text).1 } else { vec![first] };
    let mut line_before = 0;
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        // What else is found in a broken line follows from the first.
        let line = report.line(span.start);
        if line != line_before {
            let message = format!("this is not TOML: {}", error.message().replace('\n', " "));
            report.add(
                &span,
                None,
                Refusal::new(message, "Mend this line; see https://toml.io for the form."),
            );
            line_before = line;
        }
    }
}

fn unknown_tables(report: &mut Report<'_>, root: &DeTable<'_>) {
    let known = || SINGLE_TABLES.into_iter().chain(LISTED_TABLES);
    for (key, _) in root.iter() {
        let name = key.get_ref();
        if !known().any(|table| table == name) {
            let message = format!("there is no table or key {} here", quoted(name));
            let remedy = format!("{}The tables are {}.", did_you_mean(name, known()), list(known()));
            report.add(&key.span(), Some(path_part(name)), Refusal::new(message, remedy));
        }
    }
}

fn single<T: DeserializeOwned + Default>(
    report: &mut Report<'_>,
    root: &mut DeTable<'_>,
    name: &'static str,
) -> Entry<T> {
    let path = name.to_owned();
    let Some(value) = root.remove(name) else {
        return Entry { file: T::default(), path, span: 0..0 };
    };
    let span = value.span();
    match value.into_inner() {
        DeValue::Table(table) => Entry { file: fields(report, name, &path, table), path, span },
        other => {
            let message = format!("must be a table, not {}", kind(&other));
            let remedy = format!("Write [{name}] once, in single brackets.");
            report.add(&span, Some(path.clone()), Refusal::new(message, remedy));
            Entry { file: T::default(), path, span }
        }
    }
}

fn listed<T: DeserializeOwned + Default>(
    report: &mut Report<'_>,
    root: &mut DeTable<'_>,
    name: &'static str,
) -> Vec<Entry<T>> {
    let Some(value) = root.remove(name) else {
        return Vec::new();
    };
    let span = value.span();
    let refusal = |other: &DeValue<'_>| {
        let message = format!("must be a list of tables, not {}", kind(other));
        Refusal::new(message, format!("Write [[{name}]], in double brackets."))
    };
    let items = match value.into_inner() {
        DeValue::Array(items) => items,
        other => {
            report.add(&span, Some(name.to_owned()), refusal(&other));
            return Vec::new();
        }
    };
    let mut entries = Vec::new();
    for (place, item) in items.into_iter().enumerate() {
        let path = format!("{name}[{place}]");
        let span = item.span();
        match item.into_inner() {
            DeValue::Table(table) => {
                entries.push(Entry { file: fields(report, name, &path, table), path, span });
            }
            other => report.add(&span, Some(path), refusal(&other)),
        }
    }
    entries
}

/// The fields of a table. Each key is tried alone, so that a refused one hides no other.
fn fields<T: DeserializeOwned + Default>(
    report: &mut Report<'_>,
    table: &'static str,
    path: &str,
    values: DeTable<'_>,
) -> T {
    let known = fields_of::<T>();
    let mut sound = DeTable::new();
    for (key, value) in values {
        let name = key.get_ref().to_string();
        let at = format!("{path}.{}", path_part(&name));
        if !known.contains(&name.as_str()) {
            let message = format!("there is no key {} in this table", quoted(&name));
            let remedy =
                format!("{}The keys are {}.", did_you_mean(&name, known.iter().copied()), list(known.iter()));
            report.add(&key.span(), Some(at), Refusal::new(message, remedy));
            continue;
        }
        let value = match (table, name.as_str()) {
            ("pool", "members") => inner::<MemberFile>(report, "pool.members", &at, value),
            ("quic", "servers") => inner::<ServerFile>(report, "quic.servers", &at, value),
            ("rule", "bytes") => inner::<BytesFile>(report, "rule.bytes", &at, value),
            _ => value,
        };
        if one::<T>(key.clone(), value.clone()).is_ok() {
            sound.insert(key, value);
        } else {
            report.add(&value.span(), Some(at), wrong_kind(table, &name, value.get_ref()));
        }
    }
    from_table(sound).unwrap_or_default()
}

/// A list of inline tables with what is refused taken out.
fn inner<'t, T: DeserializeOwned + Default>(
    report: &mut Report<'_>,
    table: &'static str,
    path: &str,
    value: Value<'t>,
) -> Value<'t> {
    let span = value.span();
    let items = match value.into_inner() {
        DeValue::Array(items) => items,
        other => return Spanned::new(span, other),
    };
    let mut sound = toml::de::DeArray::new();
    for (place, item) in items.into_iter().enumerate() {
        let at = format!("{path}[{place}]");
        let DeValue::Table(values) = item.get_ref() else {
            let message = format!("must be a table, not {}", kind(item.get_ref()));
            let remedy = match table {
                "quic.servers" => "Write it like { real = \"web-1\", id = \"0001\" }.",
                "rule.bytes" => "Write it like { at = \"transport+8\", mask = \"ff\", value = \"01\" }.",
                _ => "Write it like { real = \"web-1\" }.",
            };
            report.add(&item.span(), Some(at), Refusal::new(message, remedy));
            continue;
        };
        let before = report.count();
        let _: T = fields(report, table, &at, values.clone());
        if report.count() == before {
            sound.push(item);
        }
    }
    Spanned::new(span, DeValue::Array(sound))
}

fn one<T: DeserializeOwned>(
    key: Spanned<toml::de::DeString<'_>>,
    value: Value<'_>,
) -> Result<T, toml::de::Error> {
    let mut table = DeTable::new();
    table.insert(key, value);
    from_table(table)
}

fn from_table<T: DeserializeOwned>(table: DeTable<'_>) -> Result<T, toml::de::Error> {
    T::deserialize(ValueDeserializer::from(Spanned::new(0..0, DeValue::Table(table))))
}

fn wrong_kind(table: &str, key: &str, value: &DeValue<'_>) -> Refusal {
    let Some(entry) = keys::find(table, key) else {
        return Refusal::new(format!("must not be {}", kind(value)), "See the reference sample.");
    };
    let remedy = format!("Write it like {key} = {}.", entry.example);
    match value {
        DeValue::Integer(number) if entry.takes.contains("number") => {
            Refusal::new(format!("{} is out of range", quoted(number.as_str())), remedy)
        }
        _ => Refusal::new(format!("must be {}, not {}", entry.takes, kind(value)), remedy),
    }
}

const fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn list(words: impl Iterator<Item = impl Display>) -> String {
    let words: Vec<String> = words.map(|word| word.to_string()).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}

/// A key as it may stand in a path: odd ones are quoted and cut.
fn path_part(key: &str) -> String {
    let plain = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if plain && key.len() <= crate::limits::NAME_BYTES_MAX { key.to_owned() } else { quoted(key) }
}

/// The names of the fields of a file type, as serde knows them.
pub(crate) fn fields_of<T: DeserializeOwned>() -> &'static [&'static str] {
    struct Names<'a>(&'a mut &'static [&'static str]);

    impl<'de> Deserializer<'de> for Names<'_> {
        type Error = NoValue;

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, NoValue> {
            Err(NoValue::custom("only the names are wanted"))
        }

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            visitor: V,
        ) -> Result<V::Value, NoValue> {
            *self.0 = fields;
            self.deserialize_any(visitor)
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
            unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    let mut names: &'static [&'static str] = &[];
    // The error is certain: the names are what we came for.
    let _ = T::deserialize(Names(&mut names));
    names
}

#[cfg(test)]
mod tests {
    use super::fields_of;
    use crate::file;
    use crate::keys::KEYS;

    #[test]
    fn the_key_list_names_exactly_the_fields_of_the_file_types() {
        let tables = [
            ("node", fields_of::<file::NodeFile>()),
            ("tunnel", fields_of::<file::TunnelFile>()),
            ("select", fields_of::<file::SelectFile>()),
            ("flow", fields_of::<file::FlowFile>()),
            ("dataplane", fields_of::<file::DataplaneFile>()),
            ("metrics", fields_of::<file::MetricsFile>()),
            ("port", fields_of::<file::PortFile>()),
            ("tunnel_end", fields_of::<file::TunnelEndFile>()),
            ("real", fields_of::<file::RealFile>()),
            ("pool", fields_of::<file::PoolFile>()),
            ("pool.members", fields_of::<file::MemberFile>()),
            ("quic", fields_of::<file::QuicFile>()),
            ("quic.servers", fields_of::<file::ServerFile>()),
            ("mark", fields_of::<file::MarkFile>()),
            ("limit", fields_of::<file::LimitFile>()),
            ("service", fields_of::<file::ServiceFile>()),
            ("rule", fields_of::<file::RuleFile>()),
            ("rule.bytes", fields_of::<file::BytesFile>()),
        ];
        for (table, fields) in tables {
            assert!(!fields.is_empty(), "{table}");
            let listed: Vec<&str> = KEYS.iter().filter(|key| key.table == table).map(|key| key.key).collect();
            assert_eq!(listed, fields, "{table}");
        }
        let fields: usize = tables.iter().map(|(_, fields)| fields.len()).sum();
        assert_eq!(KEYS.len(), fields);
    }
}
