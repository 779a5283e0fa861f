//! The server's side: a thread that accepts, and one for each connection.

use std::fmt;
use std::io::{self, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::frame::{Broken, Lines};
use crate::message::{Answer, Code, LINE_BYTES_MAX, Outcome, Reply, Request};
use crate::place::{Place, require_short};

/// Connections at a time; a further one is told so and closed.
pub const CONNECTIONS_MAX: usize = 16;

/// How long a connection may take for its next request, and for taking an answer; not for what follows one.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Why there is no server.
#[derive(Debug)]
pub enum ServeError {
    /// Another process answers there.
    Taken(PathBuf),
    /// What stands there is no socket, and is not replaced.
    NoSocket(PathBuf),
    /// The system's.
    Os {
        /// Where.
        path: PathBuf,
        /// What could not be done.
        step: &'static str,
        /// Why.
        error: io::Error,
    },
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken(path) => write!(
                f,
                "{}: another process answers on this control socket: end it, or give each its own node.control",
                path.display()
            ),
            Self::NoSocket(path) => write!(
                f,
                "{}: what stands there is no socket: remove it, or name another node.control",
                path.display()
            ),
            Self::Os { path, step, error } => {
                write!(f, "{}: no control socket: {step}: {error}: name another node.control", path.display())
            }
        }
    }
}

impl std::error::Error for ServeError {}

/// What comes back for a request.
pub enum Response {
    /// One line.
    Say(Outcome),
    /// A line that it was done, and then whatever this writes to the connection, in the connection's thread; it
    /// is closed afterwards.
    Follow(Answer, Box<dyn FnOnce(UnixStream) + Send>),
}

impl From<Outcome> for Response {
    fn from(outcome: Outcome) -> Self {
        Self::Say(outcome)
    }
}

/// A control socket that answers, until it is dropped.
#[derive(Debug)]
pub struct Server {
    place: Place,
    is_over: Arc<AtomicBool>,
    accepting: Option<thread::JoinHandle<()>>,
}

impl Server {
    /// Listens at `path` and has every request answered by `answer`, in a thread for each connection. A folder
    /// that is missing is made; a socket that a dead process left is replaced.
    ///
    /// # Errors
    /// [`ServeError`].
    pub fn start<A, R>(path: &Path, answer: A) -> Result<Self, ServeError>
    where
        A: Fn(Request) -> R + Send + Sync + 'static,
        R: Into<Response>,
    {
        let os = |step| move |error| ServeError::Os { path: path.to_owned(), step, error };
        require_short(path).map_err(os("its name is too long for a socket"))?;
        let (place, listener) = Place::take(path)?;
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let answer: Answering = Arc::new(move |request| answer(request).into());
        let accepting = thread::Builder::new()
            .name("control".to_owned())
            .spawn(move || accept(&listener, &over, &answer))
            .map_err(os("no thread for it"))?;
        Ok(Self { place, is_over, accepting: Some(accepting) })
    }

    /// Where it listens.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.place.path
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        // One more connection wakes the thread that accepts; were it not to come, that thread ends with the
        // process.
        if UnixStream::connect(&self.place.path).is_ok()
            && let Some(thread) = self.accepting.take()
        {
            let _ = thread.join();
        }
    }
}

type Answering = Arc<dyn Fn(Request) -> Response + Send + Sync>;

/// Counts one connection as long as it lives.
struct Seat(Arc<AtomicUsize>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn accept(listener: &UnixListener, is_over: &AtomicBool, answer: &Answering) {
    let open = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming() {
        if is_over.load(Ordering::Acquire) {
            return;
        }
        let Ok(stream) = stream else {
            // Out of descriptors, most likely: those in use will be closed.
            thread::sleep(Duration::from_millis(100));
            continue;
        };
        if open.fetch_add(1, Ordering::AcqRel) >= CONNECTIONS_MAX {
            open.fetch_sub(1, Ordering::AcqRel);
            let text = format!("{CONNECTIONS_MAX} connections are open: close one, or try again");
            let _ = put(&stream, &Reply::new(0, Outcome::refused(Code::Busy, text)));
            continue;
        }
        let (seat, answer) = (Seat(Arc::clone(&open)), Arc::clone(answer));
        // Without a thread for it the connection is closed, and the seat is free again.
        let _ = thread::Builder::new().name("console".to_owned()).spawn(move || {
            converse(&stream, &answer);
            drop(seat);
        });
    }
}

/// Answers one connection's requests until it ends, is silent for too long, or sends what cannot be followed.
fn converse(stream: &UnixStream, answer: &Answering) {
    let mut lines = Lines::new(LINE_BYTES_MAX);
    loop {
        let reply = match lines.next(stream, PATIENCE) {
            Ok(line) => match Request::parse(&line) {
                Ok(request) => {
                    let id = request.id;
                    match answer(request) {
                        Response::Say(outcome) => Reply::new(id, outcome),
                        Response::Follow(answer, then) => return follow(stream, id, answer, then),
                    }
                }
                Err(reply) => reply,
            },
            Err(Broken::TooLong) => {
                // Where the next request begins is not known any more.
                let text = format!("the line is longer than {LINE_BYTES_MAX} bytes");
                let _ = put(stream, &Reply::new(0, Outcome::refused(Code::BadRequest, text)));
                return;
            }
            Err(Broken::Closed | Broken::Cut | Broken::Late | Broken::Os(_)) => return,
        };
        if put(stream, &reply).is_err() {
            return;
        }
    }
}

/// Says that it was done, and hands the connection over. From there on a slow reader is waited for: what it reads is
/// written as it goes, and whoever writes knows what to leave out meanwhile.
fn follow(stream: &UnixStream, id: u64, answer: Answer, then: Box<dyn FnOnce(UnixStream) + Send>) {
    if put(stream, &Reply::new(id, Outcome::Ok(answer))).is_ok()
        && stream.set_write_timeout(None).is_ok()
        && let Ok(stream) = stream.try_clone()
    {
        then(stream);
    }
}

fn put(stream: &UnixStream, reply: &Reply) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut stream = stream;
    stream.write_all(&reply.to_line())
}
