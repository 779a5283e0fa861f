//! Labelled horizontal bars. Their text is HTML, so that it stays legible at any width.

use super::escape;

/// One bar.
pub(super) struct Bar<'a> {
    pub(super) label: &'a str,
    /// Shown when pointed at.
    pub(super) hint: String,
    /// The main figure, and the lesser one beside it.
    pub(super) value: String,
    pub(super) lesser: String,
    /// Of the longest bar's length, from 0 to 1.
    pub(super) length: f64,
    /// Where the mark stands, on the same scale.
    pub(super) mark: Option<f64>,
    pub(super) class: &'static str,
}

/// The bars as one picture with that description.
pub(super) fn bars(description: &str, bars: &[Bar<'_>]) -> String {
    let rows: String = bars.iter().map(row).collect();
    format!("<div class=\"bars\" role=\"group\" aria-label=\"{}\">\n{rows}</div>\n", escape(description))
}

fn row(bar: &Bar<'_>) -> String {
    let [label, hint, value, lesser] = [bar.label, &bar.hint, &bar.value, &bar.lesser].map(escape);
    // What is something is seen, however little it is.
    let length = if bar.length > 0.0 { (bar.length * 100.0).clamp(0.25, 100.0) } else { 0.0 };
    let mark = bar.mark.map_or(String::new(), |at| {
        let at = (at * 100.0).clamp(0.0, 100.0);
        format!("<line class=\"mark\" x1=\"{at:.2}\" x2=\"{at:.2}\" y1=\"0\" y2=\"10\"/>")
    });
    format!(
        "<div class=\"row\" title=\"{hint}\"><span class=\"label\">{label}</span>\
         <svg class=\"bar\" viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
         <rect class=\"track\" y=\"1\" width=\"100\" height=\"8\"/>\
         <rect class=\"fill {}\" y=\"1\" width=\"{length:.2}\" height=\"8\"/>{mark}</svg>\
         <span class=\"value\">{value} <small>{lesser}</small></span></div>\n",
        bar.class
    )
}

/// One bar of several parts that together are a whole: class, part from 0 to 1, and its hint.
pub(super) fn stack(description: &str, parts: &[(&str, f64, String)]) -> String {
    let mut at = 0.0;
    let mut rects = String::new();
    for (class, part, hint) in parts {
        let width = part * 100.0;
        rects.push_str(&format!(
            "<rect class=\"fill {class}\" x=\"{at:.3}\" width=\"{width:.3}\" height=\"10\"><title>{}</title></rect>",
            escape(hint)
        ));
        at += width;
    }
    format!(
        "<svg class=\"stack\" viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{}\">\
         <rect class=\"track\" width=\"100\" height=\"10\"/>{rects}</svg>\n",
        escape(description)
    )
}
