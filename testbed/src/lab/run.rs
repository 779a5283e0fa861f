//! A lab that stands, and a whole run of its file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use crate::lab::captures::Running;
use crate::lab::file::{Bounds, LabFile, Seen, Service, Step};
use crate::lab::namespace::{Folder, Names, Namespace, Stay};
use crate::lab::processes::{Process, wait_until};
use crate::lab::{namespace, topology};
use crate::ledger::Moved;
use crate::penstock::{Ended, binary};
use crate::root;

/// The process whose counters are held against the file.
const ROUTER: &str = "penstock";
/// Where it leaves its report, in the folder of the run.
const REPORT: &str = "report.json";

/// A lab that stands. It is taken down when it is dropped, unless it is kept.
#[derive(Debug)]
pub struct Lab {
    file: LabFile,
    words: Words,
    stay: Stay,
    // Dropped in this order: what runs, where it runs, what it wrote.
    processes: Vec<Process>,
    captures: Vec<Running>,
    nodes: BTreeMap<String, Namespace>,
    folder: Folder,
}

/// What stands for something in a file's lines.
#[derive(Debug)]
struct Words(Vec<(&'static str, String)>);

impl Words {
    fn new(folder: &Path) -> Result<Self, String> {
        let own = std::env::current_exe().map_err(|error| format!("where we are: {error}"))?;
        // Tests lie one folder below the programs.
        let beside = own.ancestors().skip(1).take(2).find(|path| path.join("tunnel_end").is_file());
        let text = |path: &Path| path.display().to_string();
        let mut words = vec![("{folder}", text(folder)), ("{root}", text(&root()))];
        words.extend(beside.map(|path| ("{tools}", text(path))));
        words.extend(binary().ok().map(|path| ("{penstock}", text(&path))));
        Ok(Self(words))
    }

    fn fill(&self, text: &str, node: &str) -> String {
        let filled = self.0.iter().fold(text.to_owned(), |text, (word, stands)| text.replace(word, stands));
        filled.replace("{node}", node)
    }
}

impl Lab {
    /// Builds it, writes its files, starts its captures and its processes, and waits until those serve.
    ///
    /// # Errors
    /// What is wrong with the file, what a tool said, or which process does not serve.
    pub fn raise(path: &Path, stay: Stay) -> Result<Self, String> {
        let file = LabFile::read(path)?;
        if file.process.iter().any(|process| process.run.contains("{penstock}")) {
            binary()?;
        }
        let names = Names::new(stay)?;
        let folder = names.folder()?;
        let words = Words::new(folder.path())?;
        for text in &file.file {
            let path = folder.path().join(&text.name);
            std::fs::write(&path, words.fill(&text.text, ""))
                .map_err(|error| format!("{}: {error}", path.display()))?;
        }
        let nodes = topology::build(&file, &names, |text, node| words.fill(text, node))?;
        let mut lab = Self { file, words, stay, processes: Vec::new(), captures: Vec::new(), nodes, folder };
        for capture in lab.file.capture.clone() {
            let node = capture.on.split('.').next().unwrap_or_default();
            let running = Running::start(&capture, lab.node(node)?, lab.folder.path(), stay)?;
            lab.captures.push(running);
        }
        for service in lab.file.process.clone() {
            for node in &service.on {
                let line = format!("exec {}", lab.words.fill(&service.run, node));
                let mut command = lab.node(node)?.command("sh");
                command.args(["-c", &line]);
                let process = Process::start((&service.name, node), &mut command, lab.folder.path(), stay)?;
                lab.processes.push(process);
            }
            lab.wait_for(&service)?;
        }
        Ok(lab)
    }

    /// Waits until a service serves on all its nodes.
    fn wait_for(&mut self, service: &Service) -> Result<(), String> {
        let Self { processes, nodes, words, .. } = self;
        if let Some(lines) = &service.ready {
            let succeeds = |process: &Process| {
                let namespace = nodes.get(&process.node);
                namespace.is_some_and(|node| node.shell(&words.fill(lines, &process.node)).is_ok())
            };
            wait_until(processes.iter_mut().filter(|process| process.name == service.name), succeeds)?;
        }
        if let Some(lines) = &service.then {
            for node in &service.on {
                self.node(node)?.shell(&self.words.fill(lines, node))?;
            }
        }
        Ok(())
    }

    /// A file in the folder of the run.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A node's namespace.
    ///
    /// # Errors
    /// There is no such node.
    pub fn node(&self, name: &str) -> Result<&Namespace, String> {
        self.nodes.get(name).ok_or_else(|| format!("{name} is no node of this lab"))
    }

    /// Runs lines of shell on a node, to their end.
    ///
    /// # Errors
    /// There is no such node, or the lines hang.
    pub fn run(&self, node: &str, lines: &str) -> Result<Ended, String> {
        let lines = self.words.fill(lines, node);
        namespace::start(self.node(node)?.command("sh").args(["-c", &lines]))?.wait()
    }

    /// Starts something that runs on, until [`Lab::end`].
    ///
    /// # Errors
    /// There is no such node, or it cannot be started.
    pub fn begin(&mut self, name: &str, node: &str, line: &str) -> Result<(), String> {
        let line = format!("exec {}", self.words.fill(line, node));
        let mut command = self.node(node)?.command("sh");
        let folder = self.folder.path().to_owned();
        let process = Process::start((name, node), command.args(["-c", &line]), &folder, self.stay)?;
        self.processes.push(process);
        Ok(())
    }

    /// Sends a signal to what runs by this name, on the first node that has it.
    ///
    /// # Errors
    /// There is none, or the system's.
    pub fn signal(&self, name: &str, signal: Signal) -> Result<(), String> {
        let process = self.processes.iter().find(|process| process.name == name);
        process.ok_or_else(|| format!("{name} does not run"))?.signal(signal)
    }

    /// Ends what runs by this name, on the first node that has it; it has to end well. Gives what it said.
    ///
    /// # Errors
    /// There is none, or it failed.
    pub fn end(&mut self, name: &str) -> Result<String, String> {
        let place = self.processes.iter().position(|process| process.name == name);
        let mut process = self.processes.swap_remove(place.ok_or_else(|| format!("{name} does not run"))?);
        Ok(process.end()?.require_success()?.stderr)
    }

    /// Ends all captures.
    ///
    /// # Errors
    /// One is not whole.
    pub fn end_captures(&mut self) -> Result<(), String> {
        self.captures.iter_mut().try_for_each(Running::end)
    }

    /// Does a step.
    ///
    /// # Errors
    /// It failed, said what it must not or did not say what it has to, or a process has ended meanwhile.
    pub fn step(&mut self, step: &Step) -> Result<(), String> {
        let Ended { status, stdout, stderr } = self.run(&step.on, &step.run)?;
        let said = format!("{stdout}{stderr}");
        let missing = step.expect.iter().find(|words| !said.contains(words.as_str()));
        let refused = step.refuse.iter().find(|words| said.contains(words.as_str()));
        let told = match (status.success(), missing, refused) {
            (false, ..) => Some(status.to_string()),
            (_, Some(words), _) => Some(format!("it did not say {words:?}")),
            (_, _, Some(words)) => Some(format!("it said {words:?}")),
            _ => None,
        };
        match told {
            Some(told) => Err(format!("{told}; all it said:\n{said}")),
            None => self.processes.iter_mut().try_for_each(Process::require_running),
        }
    }

    /// Ends a capture and gives the fields of the packets that a display filter finds, in tshark's words.
    ///
    /// # Errors
    /// There is no such capture, or what tshark says.
    pub fn captured(
        &mut self,
        name: &str,
        filter: &str,
        fields: &[&str],
    ) -> Result<Vec<Vec<String>>, String> {
        let capture = self.captures.iter_mut().find(|capture| capture.name == name);
        let capture = capture.ok_or_else(|| format!("{name} is no capture of this lab"))?;
        capture.end()?;
        capture.fields(filter, fields)
    }

    /// Looks for what has to be in a capture.
    ///
    /// # Errors
    /// It is not there, or too often.
    pub fn look(&mut self, seen: &Seen) -> Result<(), String> {
        let found = self.captured(&seen.capture, &seen.filter, &["frame.number"])?.len() as u64;
        let Seen { min, max, filter, .. } = seen;
        within(found, Bounds { min: *min, max: *max })
            .map_err(|told| format!("{filter:?} finds {found} packets, {told}"))
    }

    /// Ends the router, which has to end well, and gives what it counted. Every packet has to be accounted for.
    ///
    /// # Errors
    /// It failed, left no report, or the sum law does not hold.
    pub fn counted(&mut self) -> Result<Moved, String> {
        self.end(ROUTER)?;
        let path = self.path(REPORT);
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let report = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        let moved = Moved::from_report(&report)?;
        moved.balance()?;
        Ok(moved)
    }
}

fn within(count: u64, bounds: Bounds) -> Result<(), String> {
    match bounds.max {
        _ if count < bounds.min => Err(format!("expected {} at least", bounds.min)),
        Some(max) if count > max => Err(format!("expected {max} at most")),
        _ => Ok(()),
    }
}

/// Every counter stands where the file says, and no drop was counted that it does not name.
fn require_counters(expected: &BTreeMap<String, Bounds>, moved: &Moved) -> Result<(), String> {
    let mut off = Vec::new();
    for (name, bounds) in expected {
        let count = moved.get(name);
        off.extend(within(count, *bounds).err().map(|told| format!("{name} is {count}, {told}")));
    }
    for (name, count) in &moved.counters {
        if name.starts_with("drop.") && *count > 0 && !expected.contains_key(name) {
            off.push(format!("{name} is {count}, and the lab's file does not expect it"));
        }
    }
    if off.is_empty() { Ok(()) } else { Err(off.join("; ")) }
}

/// Raises a lab, does every step, looks at its captures and counters, and takes it down unless it is kept.
/// `say` gets a line for each.
///
/// # Errors
/// All that failed, or why the lab does not stand.
pub fn run(path: &Path, stay: Stay, mut say: impl FnMut(&str)) -> Result<(), String> {
    let mut lab = Lab::raise(path, stay)?;
    say(&format!("stands   {}", lab.folder.path().display()));
    let mut faults = Vec::new();
    let mut note = |name: &str, done: Result<(), String>| match done {
        Ok(()) => say(&format!("ok       {name}")),
        Err(told) => {
            say(&format!("FAILED   {name}"));
            faults.push(format!("{name}: {told}"));
        }
    };
    for step in lab.file.step.clone() {
        note(&step.name, lab.step(&step));
    }
    for seen in lab.file.seen.clone() {
        note(&seen.name, lab.look(&seen));
    }
    // A lab that is kept goes on.
    if stay == Stay::Goes && lab.processes.iter().any(|process| process.name == ROUTER) {
        let counted = lab.counted().and_then(|moved| require_counters(&lab.file.counters, &moved));
        note("the router accounts for every packet", counted);
    }
    if stay == Stay::Kept {
        for namespace in lab.nodes.values() {
            say(&format!("kept     ip netns exec {} sh", namespace.name()));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}
