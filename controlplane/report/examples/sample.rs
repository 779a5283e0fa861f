//! Prints a sample report, to be looked at: `cargo run -p report --example sample -- site html > site.html`.
#![forbid(unsafe_code)]

#[path = "../tests/samples/mod.rs"]
mod samples;

fn main() {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let [name, form] = words.as_slice() else {
        return println!("give a sample ({}) and a form (html, json, text)", samples::NAMES.join(", "));
    };
    let Some(report) = samples::sample(name) else { return println!("there is no sample {name}") };
    match *form {
        "html" => print!("{}", report.to_html()),
        "json" => println!("{}", report.to_json_pretty().unwrap_or_default()),
        _ => print!("{}", report.to_text()),
    }
}
