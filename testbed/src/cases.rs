//! The golden cases: folders under `testbed/cases`, each a sentence and its proof.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::ledger::Moved;
use crate::root;

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    /// The sentence: its folder's name.
    pub name: String,
    folder: PathBuf,
    /// What moves; everything else stands at 0.
    pub moved: Moved,
    /// Whether it depends on the capture's times, so that live ports cannot show it.
    pub is_of_the_clock: bool,
}

impl Case {
    fn load(folder: PathBuf) -> Result<Self, String> {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let path = folder.join("counters.toml");
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut table: toml::Table = text.parse().map_err(|error| format!("{name}: {error}"))?;
        let clock = table.remove("clock");
        let moved = Moved::from_toml(&table).map_err(|error| format!("{name}: {error}"))?;
        let is_of_the_clock = match clock.as_ref().map(toml::Value::as_str) {
            None => false,
            Some(Some("capture")) => true,
            Some(_) => return Err(format!("{name}: clock is \"capture\" or is not there")),
        };
        Ok(Self { name, folder, moved, is_of_the_clock })
    }

    /// A file of the case.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// All cases, by name, and what is wrong with those that cannot be read.
///
/// # Errors
/// There is no folder of cases.
pub fn all() -> Result<(Vec<Case>, Vec<String>), String> {
    let folder = root().join("testbed/cases");
    let mut folders: Vec<PathBuf> = list(&folder)?.into_iter().filter(|path| path.is_dir()).collect();
    folders.sort();
    let (mut cases, mut faults) = (Vec::new(), Vec::new());
    for folder in folders {
        match Case::load(folder) {
            Ok(case) => cases.push(case),
            Err(fault) => faults.push(fault),
        }
    }
    Ok((cases, faults))
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let told = |error| format!("{}: {error}", folder.display());
    let entries = std::fs::read_dir(folder).map_err(told)?;
    entries.map(|entry| entry.map(|entry| entry.path()).map_err(told)).collect()
}

/// One mode at a time, whatever the test runner does: two lcores that poll want two cores.
static TURN: Mutex<()> = Mutex::new(());

/// Does the work for every item, on as many threads as there are cores, and gives all failures together.
pub fn each<T: Sync>(
    items: &[T],
    name: impl Fn(&T) -> String + Sync,
    work: impl Fn(&T) -> Result<(), String> + Sync,
) -> Vec<String> {
    // A mode that failed has told why; the next may begin.
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let threads = std::thread::available_parallelism().map_or(2, usize::from).min(4);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(told) = work(item)
                        && let Ok(mut failures) = failures.lock()
                    {
                        failures.push(format!("{}: {told}", name(item)));
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap_or_default();
    failures.sort();
    failures
}
