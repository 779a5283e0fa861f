//! Machines as fixtures, and what the doctor says of them.
//!
//! A case is a text: `== PATH` and the file's content, `-> PATH` and where a link points, `$ COMMAND` and
//! what it prints; `-- PATH` takes away what the base has, `-$ COMMAND` a tool. A good machine has no
//! finding but fine ones. A bad one names in its first line the good one that it differs from, and the one
//! finding that follows: `BASE | SEVERITY | ABOUT | part of a command`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code, which may stop where it is wrong"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use doctor::{Finding, Root, Severity, Site, System, Tools, examine};

/// What a configuration needs besides; the doctor looks at ports and numbers alone.
const SERVICE: &str = r#"
[tunnel]
source_v4 = "192.0.2.1"
next_hop = "02:00:00:00:00:fe"
[[real]]
name = "web-1"
address = "10.0.0.11"
[[pool]]
name = "web"
members = [{ real = "web-1" }]
[[service]]
name = "web"
vip = "198.51.100.10"
protocol = "tcp"
ports = 80
pool = "web"
"#;

struct Machine {
    folder: tempfile::TempDir,
    printed: BTreeMap<String, String>,
}

impl Tools for Machine {
    fn print(&self, words: &[&str]) -> Option<String> {
        self.printed.get(&words.join(" ")).cloned()
    }
}

impl Machine {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), printed: BTreeMap::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn take_away(&self, name: &str) {
        let path = self.path(name);
        match path.symlink_metadata() {
            Ok(metadata) if metadata.is_dir() => std::fs::remove_dir_all(path).unwrap(),
            Ok(_) => std::fs::remove_file(path).unwrap(),
            Err(_) => {}
        }
    }

    fn part(&mut self, head: &str, body: &str) {
        let (kind, name) = head.split_once(' ').unwrap();
        let path = self.path(name);
        if matches!(kind, "==" | "->") {
            self.take_away(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        }
        match kind {
            "==" => std::fs::write(path, body).unwrap(),
            "->" => std::os::unix::fs::symlink(body.trim(), path).unwrap(),
            "--" => self.take_away(name),
            "$" => drop(self.printed.insert(name.to_owned(), body.to_owned())),
            "-$" => drop(self.printed.remove(name).unwrap()),
            other => panic!("{other}"),
        }
    }

    fn read(&mut self, text: &str) {
        let is_head =
            |line: &str| ["== ", "-> ", "-- ", "$ ", "-$ "].iter().any(|mark| line.starts_with(mark));
        let mut head: Option<&str> = None;
        let mut body = String::new();
        for line in text.lines().skip(1) {
            if is_head(line) {
                if let Some(head) = head.replace(line) {
                    self.part(head, &body);
                }
                body.clear();
            } else {
                body.push_str(line);
                body.push('\n');
            }
        }
        self.part(head.unwrap(), &body);
    }

    fn findings(&self) -> Vec<Finding> {
        let site = std::fs::read_to_string(self.path("site.toml")).unwrap();
        let config = conf::parse("site.toml", &(site + SERVICE)).unwrap_or_else(|faults| panic!("{faults}"));
        let file = &self.path("site.toml");
        examine(&Root::new(self.folder.path()), self, Some(Site { file, config: &config }))
    }

    /// Runs what changes the configuration.
    fn mend(&self, finding: &Finding) -> bool {
        let edits: Vec<&String> =
            finding.mend.iter().filter(|command| command.starts_with("sed -i ")).collect();
        let own = edits.iter().filter(|command| command.contains(self.folder.path().to_str().unwrap()));
        let done = own.map(|command| {
            let status = std::process::Command::new("sh").args(["-c", command]).status().unwrap();
            assert!(status.success(), "{command}");
        });
        done.count() > 0
    }
}

fn case(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(format!("{name}.txt"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn names() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<String> =
        paths.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_good_machine_is_fine_in_all_things() {
    for name in names().iter().filter(|name| name.starts_with("good")) {
        let mut machine = Machine::new();
        machine.read(&case(name));
        for finding in machine.findings() {
            assert_eq!(finding.severity, Severity::Fine, "{name}: {finding}");
            assert!(finding.why.is_empty() && finding.mend.is_empty(), "{name}: {finding}");
        }
    }
}

#[test]
fn a_bad_machine_has_the_one_finding_and_its_command() {
    let (mut told, mut mended) = (BTreeSet::new(), 0);
    for name in names().iter().filter(|name| !name.starts_with("good")) {
        let text = case(name);
        let head: Vec<&str> = text.lines().next().unwrap().splitn(4, " | ").collect();
        let [base, severity, about, command] = head[..] else { panic!("{name}: {head:?}") };
        let mut machine = Machine::new();
        machine.read(&case(base));
        machine.read(&text);
        let bad: Vec<Finding> =
            machine.findings().into_iter().filter(|finding| finding.severity != Severity::Fine).collect();
        let [finding] = &bad[..] else { panic!("{name}: {bad:#?}") };
        assert_eq!((finding.severity.to_string().as_str(), finding.about), (severity, about), "{name}");
        assert!(finding.mend.iter().any(|mend| mend.contains(command)), "{name}: {finding}");
        assert!(finding.why.ends_with('.'), "{name}: {finding}");
        told.insert(finding.about);
        // What changes the configuration changes this one, and mends it.
        if machine.mend(finding) {
            let after = machine.findings();
            assert!(after.iter().all(|one| one.severity == Severity::Fine), "{name}: {after:#?}");
            mended += 1;
        }
    }
    assert!(mended >= 3, "{mended}");
    // Everything that is looked at has a machine on which it is wrong.
    let mut looked_at = BTreeSet::new();
    for name in ["good-pci", "good-af-packet", "good-gateway"] {
        let mut machine = Machine::new();
        machine.read(&case(name));
        looked_at.extend(machine.findings().iter().map(|finding| finding.about));
    }
    assert_eq!(told, looked_at);
}

#[test]
fn this_machine_and_an_empty_one_are_looked_at_to_the_end() {
    let empty = tempfile::tempdir().unwrap();
    for findings in
        [examine(&Root::new("/"), &System, None), examine(&Root::new(empty.path()), &System, None)]
    {
        assert!(findings.len() >= 7, "{findings:?}");
        for finding in findings {
            let is_fine = finding.severity == Severity::Fine;
            assert_eq!(finding.mend.is_empty(), is_fine, "{finding}");
            assert!(finding.to_string().starts_with(&finding.severity.to_string()));
        }
    }
}
