//! The small parts that every section is made of. All take plain text and escape it here.

use super::escape;

/// Opens a section with its title and one sentence under it.
pub(super) fn section(title: &str, note: &str, body: &str) -> String {
    format!(
        "<section>\n<h2>{}</h2>\n<p class=\"note\">{}</p>\n{body}</section>\n",
        escape(title),
        escape(note)
    )
}

/// One figure of the panel at the top. `unit` may be empty.
pub(super) struct Tile<'a> {
    pub(super) label: &'a str,
    pub(super) value: String,
    pub(super) unit: &'a str,
    pub(super) note: String,
    pub(super) bad: bool,
}

pub(super) fn tile(tile: &Tile<'_>) -> String {
    let class = if tile.bad { "tile bad" } else { "tile" };
    let [label, value, unit, note] = [tile.label, &tile.value, tile.unit, &tile.note].map(escape);
    let unit = if unit.is_empty() { String::new() } else { format!(" <em>{unit}</em>") };
    format!("<div class=\"{class}\"><dt>{label}</dt><dd>{value}{unit}</dd><dd>{note}</dd></div>\n")
}

/// Names and values under each other.
pub(super) fn facts(pairs: &[(&str, String)]) -> String {
    let rows = pairs.iter().filter(|(_, value)| !value.is_empty());
    let rows: String =
        rows.map(|(name, value)| format!("<dt>{}</dt><dd>{}</dd>\n", escape(name), escape(value))).collect();
    format!("<dl class=\"facts\">\n{rows}</dl>\n")
}

/// What stands under a picture: each entry is a key's class (or none) and its text.
pub(super) fn caption(keys: &[(&str, String)]) -> String {
    let keys: String = keys
        .iter()
        .map(|(class, text)| {
            let key = if class.is_empty() { String::new() } else { format!("<i class=\"key {class}\"></i>") };
            format!("<span>{key}{}</span>", escape(text))
        })
        .collect();
    format!("<figcaption>{keys}</figcaption>\n")
}
