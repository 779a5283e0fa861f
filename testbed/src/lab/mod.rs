//! Labs in network namespaces: a [`Cable`] for single frames, and a whole [`Lab`] from a file.

mod cable;
mod captures;
mod file;
mod namespace;
mod processes;
mod run;
mod topology;

pub use cable::Cable;
pub use file::{Bounds, Bridge, Capture, Interface, LabFile, Link, Node, Seen, Service, Step, Text};
pub use namespace::{Folder, Names, Namespace, Stay, clean, lay, require_root, start};
pub use run::{Lab, run};
