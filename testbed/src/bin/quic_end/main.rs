//! quic_end certificate FOLDER     writes the certificate that servers show and clients trust, and its key
//! quic_end serve NAME PLACE...    answers over QUIC, with its name; its connection ids are QUIC-LB's, by the last
//!                                 `[[quic]]` of a file that names it, read anew at SIGHUP
//! quic_end ask PLACE DEED...      opens connections and moves their ends about in the middle of transfers; says how
//!                                 it went, as JSON, and fails if a connection was lost or answered by somebody else
//!
//! Both ends are quinn's. Servers share the key of their stateless resets (RFC 9000 §10.3.2): a packet that reaches a
//! server which does not know its connection ends that connection at its client at once, so one packet that goes
//! astray is a failure and not a delay.
#![forbid(unsafe_code)]

mod ask;
mod ids;
mod nat;
mod serve;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};
use quinn::rustls::RootCertStore;
use quinn::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use quinn::{ClientConfig, ServerConfig, TransportConfig};

use crate::ask::Deed;

/// Whom the certificate is for.
const HOST: &str = "quic.lab";
/// Bytes of a transfer, each way; several windows of them, so that it is not over before its middle.
const TRANSFER_BYTES: usize = 128 << 10;
/// Bytes that a stream's sender may be ahead of its reader.
const WINDOW_BYTES: u32 = 32 << 10;
/// Somebody has to speak after a NAT has forgotten the client, and the server cannot.
const KEEP_ALIVE: Duration = Duration::from_millis(100);

/// A QUIC client and server.
#[derive(Parser)]
#[command(name = "quic_end")]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Writes certificate.der and key.der.
    Certificate {
        /// Where to.
        folder: PathBuf,
    },
    /// Answers.
    Serve {
        /// A real's name; the answers begin with it.
        name: String,
        /// Where to listen.
        #[arg(required = true)]
        places: Vec<SocketAddr>,
        /// A file with `[[quic]]` tables, as the box has them.
        #[arg(long)]
        ids: PathBuf,
        /// Where the certificate is.
        #[arg(long)]
        folder: PathBuf,
    },
    /// Asks.
    Ask {
        /// Whom.
        place: SocketAddr,
        /// What is done, in this order.
        #[arg(required = true)]
        deeds: Vec<Deed>,
        /// The client's addresses; the first is used first.
        #[arg(long, required = true)]
        from: Vec<IpAddr>,
        /// Where the certificate is.
        #[arg(long)]
        folder: PathBuf,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().what {
        What::Certificate { folder } => certificate(&folder),
        What::Serve { name, places, ids, folder } => {
            run(async { serve::serve(&name, &places, ids, server(&folder)?).await })
        }
        What::Ask { place, deeds, from, folder } => {
            run(async { ask::ask(place, &from, &deeds, client(&folder)?).await })
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(told) => {
            eprintln!("quic_end: {told}");
            ExitCode::FAILURE
        }
    }
}

fn run(what: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| format!("no runtime: {error}"))?.block_on(what)
}

fn certificate(folder: &Path) -> Result<(), String> {
    let made = rcgen::generate_simple_self_signed([HOST.to_owned()]);
    let made = made.map_err(|error| format!("no certificate: {error}"))?;
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))
    };
    write("certificate.der", made.cert.der())?;
    write("key.der", &made.signing_key.serialize_der())
}

fn read(folder: &Path, name: &str) -> Result<Vec<u8>, String> {
    let path = folder.join(name);
    std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))
}

fn transport() -> Arc<TransportConfig> {
    let mut transport = TransportConfig::default();
    transport.stream_receive_window(WINDOW_BYTES.into());
    transport.keep_alive_interval(Some(KEEP_ALIVE));
    Arc::new(transport)
}

fn server(folder: &Path) -> Result<ServerConfig, String> {
    let chain = vec![CertificateDer::from(read(folder, "certificate.der")?)];
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(read(folder, "key.der")?));
    let mut config = ServerConfig::with_single_cert(chain, key).map_err(|error| error.to_string())?;
    config.transport_config(transport());
    Ok(config)
}

fn client(folder: &Path) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from(read(folder, "certificate.der")?);
    roots.add(certificate).map_err(|error| error.to_string())?;
    let config = ClientConfig::with_root_certificates(Arc::new(roots));
    let mut config = config.map_err(|error| error.to_string())?;
    config.transport_config(transport());
    Ok(config)
}

/// What a transfer holds. A byte that is missing, or there twice, shifts it.
fn pattern() -> Vec<u8> {
    let byte = |place: u32| place.wrapping_mul(0x9e37_79b1).to_be_bytes()[0];
    (0..).map(byte).take(TRANSFER_BYTES).collect()
}
