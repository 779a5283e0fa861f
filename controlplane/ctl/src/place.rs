//! The socket's place in the file system: whose it is, and when a file that stands there may be replaced.
//!
//! Beside `control.sock` stands `control.sock.lock`, locked as long as its server lives; the kernel takes the
//! lock away with the process, however that ends. So what stands there without a lock is a dead one's.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use crate::server::ServeError;

/// Who may connect: the owner and the group.
const MODE: u32 = 0o660;

/// A folder that is made for the socket may be looked into by all: the socket's own mode decides.
const FOLDER_MODE: u32 = 0o755;

/// A socket file that is ours.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    /// Held as long as the place is.
    _lock: File,
}

impl Place {
    /// Takes `path`, and listens there.
    pub(crate) fn take(path: &Path) -> Result<(Self, UnixListener), ServeError> {
        let failed = |step| move |error| ServeError::Os { path: path.to_owned(), step, error };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            let made = DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder);
            made.map_err(failed("its folder cannot be made"))?;
        }
        let lock = lock(path)?;
        match fs::symlink_metadata(path) {
            Ok(there) if !there.file_type().is_socket() => {
                return Err(ServeError::NoSocket(path.to_owned()));
            }
            // Whoever answers without our lock is not one of ours, and alive.
            Ok(_) if UnixStream::connect(path).is_ok() => return Err(ServeError::Taken(path.to_owned())),
            _ => {}
        }
        // Bound under another name and moved there: it never stands there with another mode, and takes a dead
        // one's place in one step.
        let beside = with_ending(path, ".new");
        let _ = fs::remove_file(&beside);
        let listener = UnixListener::bind(&beside).map_err(failed("the socket cannot be made"))?;
        fs::set_permissions(&beside, Permissions::from_mode(MODE))
            .and_then(|()| fs::rename(&beside, path))
            .map_err(failed("the socket cannot be put there"))?;
        Ok((Self { path: path.to_owned(), _lock: lock }, listener))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Nobody is left to tell. The lock's file stays: removing it would let two hold one lock each.
        let _ = fs::remove_file(&self.path);
    }
}

fn lock(path: &Path) -> Result<File, ServeError> {
    let os = |step| move |error| ServeError::Os { path: path.to_owned(), step, error };
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(with_ending(path, ".lock"))
        .map_err(os("its lock cannot be made"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(ServeError::Taken(path.to_owned())),
        Err(fs::TryLockError::Error(error)) => Err(os("its lock cannot be taken")(error)),
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// The longest path that fits a socket's address, its `.new` included.
pub(crate) fn require_short(path: &Path) -> io::Result<()> {
    std::os::unix::net::SocketAddr::from_pathname(with_ending(path, ".new")).map(|_| ())
}
