//! The server: one thread that accepts, and one for each of a few connections.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ctl::Snapshot;

use crate::exposition::exposition;
use crate::http::{Head, busy, head, respond};
use crate::limits::{CONNECTIONS_MAX, DRAIN_BYTES_MAX, HEAD_BYTES_MAX, PATIENCE};

/// Where snapshots come from; `None` as long as there is none. It is asked from the server's own threads.
pub type Source = Arc<dyn Fn() -> Option<Snapshot> + Send + Sync>;

/// A server. It ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on an address and answers from then on.
    ///
    /// # Errors
    /// The address is not ours or is taken, or there is no thread to be had.
    pub fn start(address: SocketAddr, source: Source) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread =
            thread::Builder::new().name("metrics".into()).spawn(move || accept(&listener, &told, &source))?;
        Ok(Self { address, stop, thread: Some(thread) })
    }

    /// Where it listens; with port 0 asked for, the port that it was given.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        // The thread waits for a connection: this is the last one. Without it the thread would stay behind.
        let woken = TcpStream::connect_timeout(&self.address, PATIENCE).is_ok();
        if let Some(thread) = self.thread.take().filter(|_| woken) {
            let _ = thread.join();
        }
    }
}

/// One of the few connections; its place is free again when this is dropped.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(count: &Arc<AtomicUsize>) -> Option<Self> {
        let place = Self(Arc::clone(count));
        // Given back by the drop if that was one too many.
        (count.fetch_add(1, Ordering::AcqRel) < CONNECTIONS_MAX).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn accept(listener: &TcpListener, stop: &AtomicBool, source: &Source) {
    let count = Arc::new(AtomicUsize::new(0));
    loop {
        let connection = listener.accept();
        if stop.load(Ordering::Acquire) {
            return;
        }
        let Ok((stream, _)) = connection else {
            // Out of descriptors, most likely: others may give some back.
            thread::sleep(Duration::from_millis(100));
            continue;
        };
        let place = Place::take(&count);
        let source = Arc::clone(source);
        let Some(place) = place else {
            let _ = refuse(stream);
            continue;
        };
        let serve = move || {
            let _place = place;
            // Whoever hangs up gets nothing, and nobody is left to tell.
            let _ = serve(stream, &source);
        };
        let _ = thread::Builder::new().name("scrape".into()).spawn(serve);
    }
}

/// Says that there is no room, if that can be said at once.
fn refuse(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nonblocking(true)?;
    stream.write_all(&busy())
}

fn serve(mut stream: TcpStream, source: &Source) -> io::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let mut request = Vec::new();
    while head(&request) == Head::Partial {
        let mut chunk = [0; 1024];
        stream.set_read_timeout(Some(left(deadline)?))?;
        let read = stream.read(&mut chunk)?;
        if read == 0 {
            break;
        }
        request.extend(chunk.iter().take(read.min(HEAD_BYTES_MAX - request.len().min(HEAD_BYTES_MAX))));
    }
    let response = respond(&request, || source().map(|snapshot| exposition(&snapshot)));
    let mut rest = response.as_slice();
    while !rest.is_empty() {
        stream.set_write_timeout(Some(left(deadline)?))?;
        let written = stream.write(rest)?;
        rest = rest.get(written..).unwrap_or_default();
        if written == 0 {
            break;
        }
    }
    stream.shutdown(Shutdown::Write)?;
    drain(&mut stream, deadline)
}

/// Reads what the client still sends: closing over unread bytes would take the response back (RFC 9112 §9.6).
fn drain(stream: &mut TcpStream, deadline: Instant) -> io::Result<()> {
    let mut left_to_read = DRAIN_BYTES_MAX;
    let mut chunk = [0; 1024];
    while left_to_read > 0 {
        stream.set_read_timeout(Some(left(deadline)?))?;
        match stream.read(&mut chunk)? {
            0 => break,
            read => left_to_read = left_to_read.saturating_sub(read),
        }
    }
    Ok(())
}

/// What is left of the patience; an error when it is over.
fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}
