//! The house's law over the source itself: lengths, head comments, where `unsafe` may stand and what
//! must stand above it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of a test fail as the test does")]

use std::path::{Path, PathBuf};

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    fn is_test(&self) -> bool {
        let name = self.path.file_name().unwrap().to_string_lossy();
        let inside = |folder| self.path.components().any(|part| part.as_os_str() == folder);
        inside("tests") || inside("fuzz") || name.ends_with("_tests.rs") || name == "tests.rs"
    }

    fn is_ffi(&self) -> bool {
        self.path.components().any(|part| part.as_os_str() == "ffi")
    }

    /// Lines before the first test module.
    fn code_lines(&self) -> usize {
        let is_test = |line: &str| line.starts_with("#[cfg(test)]") || line.starts_with("#[cfg(all(test");
        self.text.lines().take_while(|line| !is_test(line)).count()
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn sources() -> Vec<Source> {
    let mut sources = Vec::new();
    let mut folders: Vec<PathBuf> = ["dataplane", "controlplane", "ffi", "conf", "testbed", "benches"]
        .map(|name| root().join(name))
        .to_vec();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && path.file_name().is_none_or(|name| name != "target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                sources.push(Source { path, text });
            }
        }
    }
    assert!(sources.len() > 50, "only {} files found", sources.len());
    sources
}

fn report(faults: &[String]) {
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn files_are_short() {
    let long = |source: &Source| {
        let lines = source.code_lines();
        (lines > FILE_LINES_MAX).then(|| format!("{}: {lines} lines", source.path.display()))
    };
    report(&sources().iter().filter(|source| !source.is_test()).filter_map(long).collect::<Vec<_>>());
}

#[test]
fn every_file_begins_with_a_comment_that_says_what_it_is() {
    let bare = |source: &Source| {
        let first = source.text.lines().find(|line| !line.starts_with("#!") && !line.trim().is_empty());
        let included = source.text.is_empty() || source.path.ends_with("table_tests.rs");
        let headed = first.is_some_and(|line| line.starts_with("//!"));
        (!headed && !included).then(|| source.path.display().to_string())
    };
    report(&sources().iter().filter_map(bare).collect::<Vec<_>>());
}

#[test]
fn every_crate_outside_ffi_forbids_unsafe_code() {
    let lax = |source: &Source| {
        let is_root = ["src/lib.rs", "src/main.rs"].iter().any(|name| source.path.ends_with(name));
        let forbids = source.text.contains("#![forbid(unsafe_code)]");
        (is_root && !source.is_ffi() && !forbids).then(|| source.path.display().to_string())
    };
    report(&sources().iter().filter_map(lax).collect::<Vec<_>>());
}

/// What the syntax tree says of one file.
#[derive(Default)]
struct Found {
    long: Vec<(String, usize, usize)>,
    unsafes: Vec<usize>,
}

impl Found {
    fn function(&mut self, name: &syn::Ident, body: &syn::Block) {
        let (start, end) = lines(body.span());
        let length = end - start + 1;
        if length > FUNCTION_LINES_MAX {
            self.long.push((name.to_string(), start, length));
        }
    }
}

fn lines(span: Span) -> (usize, usize) {
    (span.start().line, span.end().line)
}

fn is_test_only(attributes: &[syn::Attribute]) -> bool {
    let text = |attribute: &syn::Attribute| match &attribute.meta {
        syn::Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string(),
        _ => String::new(),
    };
    attributes.iter().any(|attribute| attribute.path().is_ident("test") || text(attribute).contains("test"))
}

impl<'ast> Visit<'ast> for Found {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test_only(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_test_only(&item.attrs) {
            self.function(&item.sig.ident, &item.block);
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig.ident, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_expr_unsafe(&mut self, block: &'ast syn::ExprUnsafe) {
        self.unsafes.push(lines(block.span()).0);
        visit::visit_expr_unsafe(self, block);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if item.unsafety.is_some() {
            self.unsafes.push(lines(item.impl_token.span()).0);
        }
        visit::visit_item_impl(self, item);
    }
}

fn look(source: &Source) -> Found {
    let file =
        syn::parse_file(&source.text).unwrap_or_else(|error| panic!("{}: {error}", source.path.display()));
    let mut found = Found::default();
    found.visit_file(&file);
    found
}

#[test]
fn functions_are_short() {
    let mut faults = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        for (name, line, length) in look(source).long {
            faults.push(format!("{}:{line}: {name} has {length} lines", source.path.display()));
        }
    }
    report(&faults);
}

/// The comment lines directly above a line (attributes and the statement's own beginning in between).
fn comment_above(source: &Source, line: usize) -> String {
    let above: Vec<&str> = source.text.lines().take(line.saturating_sub(1)).collect();
    let mut comment = String::new();
    let mut begun = false;
    for text in above.iter().rev().map(|text| text.trim()).take(30) {
        if text.starts_with("//") {
            begun = true;
            comment = format!("{text}\n{comment}");
        } else if begun || text.is_empty() || text.ends_with([';', '}']) {
            break;
        }
    }
    comment
}

#[test]
fn unsafe_stands_only_under_ffi_and_says_why_and_why_sound() {
    let mut faults = Vec::new();
    for source in &sources() {
        for line in look(source).unsafes {
            let place = format!("{}:{line}", source.path.display());
            if !source.is_ffi() {
                faults.push(format!("{place}: unsafe outside ffi/"));
                continue;
            }
            let comment = comment_above(source, line);
            for word in ["SAFETY:", "JUSTIFICATION:"] {
                if !source.is_test() && !comment.contains(word) {
                    faults.push(format!("{place}: no {word} above"));
                }
            }
        }
    }
    report(&faults);
}

#[test]
fn every_limit_is_used_outside_its_own_file() {
    let all = sources();
    let mut faults = Vec::new();
    for limits in all.iter().filter(|source| source.path.ends_with("limits.rs")) {
        for line in limits.text.lines() {
            let Some(rest) =
                line.trim().strip_prefix("pub const ").or(line.trim().strip_prefix("pub(crate) const "))
            else {
                continue;
            };
            let Some((name, _)) = rest.split_once(':') else { continue };
            let used = |source: &&Source| source.path != limits.path && source.text.contains(name);
            let users = all.iter().filter(used).filter(|source| !source.path.ends_with("lib.rs")).count();
            if users == 0 {
                faults.push(format!("{}: {name} limits nothing", limits.path.display()));
            }
        }
    }
    report(&faults);
}

#[test]
fn the_top_level_holds_the_names_of_the_design_and_nothing_else() {
    let known = [
        "dataplane",
        "controlplane",
        "ffi",
        "conf",
        "testbed",
        "benches",
        "docker",
        "Cargo.toml",
        "Cargo.lock",
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        "target",
    ];
    let mut strangers = Vec::new();
    for entry in std::fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') && !known.contains(&name.as_str()) {
            strangers.push(name);
        }
    }
    report(&strangers);
}

/// There is no container engine where these tests run; what can be read off the file is held here.
#[test]
fn the_container_installs_what_the_script_does_and_copies_what_is_there() {
    let docker = std::fs::read_to_string(root().join("docker/Dockerfile")).unwrap();
    let install = std::fs::read_to_string(root().join("testbed/install.sh")).unwrap();
    let packages = install.lines().find_map(|line| line.strip_prefix("BUILD_PACKAGES=(")).unwrap();
    for package in packages.trim_end_matches(')').split_whitespace() {
        assert!(docker.contains(&format!(" {package}")), "docker/Dockerfile does not install {package}");
    }
    let copies =
        docker.lines().filter_map(|line| line.strip_prefix("COPY ")).filter(|line| !line.starts_with("--"));
    for copy in copies {
        let words: Vec<&str> = copy.split_whitespace().collect();
        for source in &words[..words.len() - 1] {
            assert!(root().join(source).exists(), "docker/Dockerfile copies {source}, which is not there");
        }
    }
    let user = docker.lines().rev().find(|line| line.starts_with("USER ")).unwrap();
    assert!(!user.contains("root") && !user.contains(" 0"), "the container runs as root");
}
