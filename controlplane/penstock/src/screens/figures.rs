//! The figures of a running box for Prometheus, at `metrics.listen`.

use std::net::SocketAddr;
use std::sync::Arc;

use metrics::{Server, Source};

use crate::failure::Failure;
use crate::run::standing::Board;

/// Serves what the board shows, on threads that the control thread never waits for; nothing where no address is
/// configured. It ends when the server is dropped.
pub(crate) fn serve(listen: Option<SocketAddr>, board: &Arc<Board>) -> Result<Option<Server>, Failure> {
    let Some(address) = listen else { return Ok(None) };
    let board = Arc::clone(board);
    let source: Source = Arc::new(move || {
        let standing = board.standing();
        // At 0 nobody has looked at the counters yet.
        (standing.at_ms > 0).then(|| standing.snapshot())
    });
    let server = Server::start(address, source).map_err(|error| {
        Failure::new(format!(
            "metrics.listen {address}: {error}: name an address of this machine and a port that is free"
        ))
    })?;
    tracing::info!("figures for Prometheus are at http://{}/metrics", server.address());
    Ok(Some(server))
}
