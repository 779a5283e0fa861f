//! The client's side: one request, one answer.

use std::fmt;
use std::io::{self, Cursor, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::frame::{Broken, Lines};
use crate::message::{Answer, Deed, Fault, Outcome, REPLY_BYTES_MAX, Reply, Request, VERSION};

/// How long an answer may take: a change waits for all workers, and for changes before it.
const PATIENCE: Duration = Duration::from_secs(120);

/// Why there is no answer.
#[derive(Debug)]
pub enum AskError {
    /// Nobody is there.
    NoServer {
        /// Where.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It was refused.
    Refused(Fault),
    /// The connection ended or the answer makes no sense.
    Broken {
        /// Where.
        path: PathBuf,
        /// In words.
        why: String,
    },
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoServer { path, error } => match error.kind() {
                ErrorKind::PermissionDenied => {
                    write!(f, "{}: this user may not talk to it: {error}; ask root", path.display())
                }
                _ => write!(
                    f,
                    "{}: no `penstock run` answers there ({error}): start it, or name its node.control with \
                     --socket",
                    path.display()
                ),
            },
            Self::Refused(fault) => f.write_str(&fault.text),
            Self::Broken { path, why } => write!(f, "{}: {why}", path.display()),
        }
    }
}

impl std::error::Error for AskError {}

/// A connection to a running box.
#[derive(Debug)]
pub struct Client {
    path: PathBuf,
    stream: UnixStream,
    lines: Lines,
    last_id: u64,
}

/// What follows an answer.
#[derive(Debug)]
pub struct Following {
    /// Read together with the answer.
    rest: Cursor<Vec<u8>>,
    stream: UnixStream,
}

impl Following {
    /// More of it, waiting for at most `patience`; nothing is its end.
    ///
    /// # Errors
    /// The system's; [`ErrorKind::WouldBlock`] if nothing came in time.
    pub fn read(&mut self, into: &mut [u8], patience: Duration) -> io::Result<usize> {
        match self.rest.read(into)? {
            0 => {
                self.stream.set_read_timeout(Some(patience))?;
                self.stream.read(into)
            }
            read => Ok(read),
        }
    }

    /// Says that it is enough. What is on its way still comes.
    ///
    /// # Errors
    /// The system's.
    pub fn enough(&self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }
}

impl Client {
    /// Connects. The server closes a connection that asks nothing for [`crate::PATIENCE`]: whoever asks
    /// rarely connects each time.
    ///
    /// # Errors
    /// [`AskError::NoServer`].
    pub fn connect(path: &Path) -> Result<Self, AskError> {
        let none = |error| AskError::NoServer { path: path.to_owned(), error };
        let stream = UnixStream::connect(path).map_err(none)?;
        stream.set_write_timeout(Some(PATIENCE)).map_err(none)?;
        Ok(Self { path: path.to_owned(), stream, lines: Lines::new(REPLY_BYTES_MAX), last_id: 0 })
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// [`AskError`]; after [`AskError::Broken`] the connection is of no more use.
    pub fn ask(&mut self, deed: Deed) -> Result<Answer, AskError> {
        self.last_id = self.last_id.wrapping_add(1);
        let request = Request { v: VERSION, id: self.last_id, deed };
        let sent = self.stream.write_all(&request.to_line());
        // Who is one too many is told so before it has asked: so the answer is read even then.
        let line = match self.lines.next(&self.stream, PATIENCE) {
            Ok(line) => line,
            Err(broken) => return Err(self.broken(&broken, sent.as_ref().err())),
        };
        let reply: Reply = serde_json::from_slice(&line).map_err(|error| AskError::Broken {
            path: self.path.clone(),
            why: format!("the answer is not understood: {error}: are both of the same version?"),
        })?;
        match reply.outcome {
            Outcome::Error(fault) => Err(AskError::Refused(fault)),
            Outcome::Ok(_) if reply.id != self.last_id => Err(AskError::Broken {
                path: self.path.clone(),
                why: "the answer is to another question".to_owned(),
            }),
            Outcome::Ok(answer) => Ok(answer),
        }
    }

    /// The same, where more than a line is to come: what follows the answer, and the connection itself.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn follow(mut self, deed: Deed) -> Result<(Answer, Following), AskError> {
        let answer = self.ask(deed)?;
        Ok((answer, Following { rest: Cursor::new(self.lines.into_rest()), stream: self.stream }))
    }

    fn broken(&self, broken: &Broken, sent: Option<&io::Error>) -> AskError {
        let why = match (broken, sent) {
            (Broken::Closed | Broken::Cut, None) => "it closed the connection without an answer".to_owned(),
            (Broken::TooLong, _) => {
                format!("the answer is longer than {REPLY_BYTES_MAX} bytes: ask for less")
            }
            (Broken::Late, _) => format!("no answer within {} seconds", PATIENCE.as_secs()),
            (Broken::Os(error), _) | (_, Some(error)) => format!("the connection broke: {error}"),
        };
        AskError::Broken { path: self.path.clone(), why }
    }
}
