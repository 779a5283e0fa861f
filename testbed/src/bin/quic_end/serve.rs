//! The server: takes what is sent, and answers with its name and as much.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use quinn::{
    Connection, Endpoint, EndpointConfig, Incoming, RecvStream, SendStream, ServerConfig, TokioRuntime,
};
use ring::hmac;
use signal_hook::consts::SIGHUP;
use signal_hook::iterator::Signals;

use crate::ids::Ids;
use crate::{TRANSFER_BYTES, pattern};

/// All servers know each other's tokens: whoever gets a packet of a connection that it does not know ends it.
const RESET_KEY: [u8; 32] = *b"the same on all servers of a lab";
/// What was sent is not what a client sends.
const WRONG: u32 = 1;

/// Answers until it is ended.
pub(crate) async fn serve(
    name: &str,
    places: &[SocketAddr],
    path: PathBuf,
    config: ServerConfig,
) -> Result<(), String> {
    let ids = Ids::read(name, path)?;
    let mut signals = Signals::new([SIGHUP]).map_err(|error| format!("signals: {error}"))?;
    for place in places {
        let endpoint = endpoint(*place, &ids, &config).map_err(|error| format!("{place}: {error}"))?;
        tokio::spawn(accept(endpoint, name.to_owned()));
    }
    let heard = tokio::task::spawn_blocking(move || {
        println!("ids of config {}", ids.rotation());
        for _ in signals.forever() {
            match ids.read_again() {
                Ok(()) => println!("ids of config {}", ids.rotation()),
                Err(told) => eprintln!("the ids stay as they are: {told}"),
            }
        }
    });
    heard.await.map_err(|error| error.to_string())
}

fn endpoint(place: SocketAddr, ids: &Ids, config: &ServerConfig) -> std::io::Result<Endpoint> {
    let socket = std::net::UdpSocket::bind(place)?;
    let mut own = EndpointConfig::new(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, &RESET_KEY)));
    let ids = ids.clone();
    own.cid_generator(move || Box::new(ids.clone())).min_reset_interval(Duration::ZERO);
    Endpoint::new(own, Some(config.clone()), socket, Arc::new(TokioRuntime))
}

async fn accept(endpoint: Endpoint, name: String) {
    while let Some(incoming) = endpoint.accept().await {
        tokio::spawn(converse(incoming, name.clone()));
    }
}

/// Until the client closes, or is gone; which of them, the client says.
async fn converse(incoming: Incoming, name: String) {
    let Ok(connection) = incoming.await else { return };
    while let Ok((to, from)) = connection.accept_bi().await {
        tokio::spawn(answer(connection.clone(), to, from, name.clone()));
    }
}

/// The transfer has to be whole; then its length in bytes of the name, the name, and the transfer back.
async fn answer(connection: Connection, mut to: SendStream, mut from: RecvStream, name: String) {
    let Ok(came) = from.read_to_end(TRANSFER_BYTES).await else { return };
    if came != pattern() {
        connection.close(WRONG.into(), b"the transfer is not whole");
        return;
    }
    let length = u8::try_from(name.len()).unwrap_or_default();
    let said = [&[length], name.as_bytes(), &came].concat();
    // A connection that ends meanwhile is the client's to tell.
    if to.write_all(&said).await.is_ok() {
        let _ = to.finish();
    }
}
