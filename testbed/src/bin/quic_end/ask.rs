//! The client: connections whose ends move about while they are used.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::process::Command;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use quinn::{ClientConfig, Connection, Endpoint, EndpointConfig, TokioRuntime};
use serde_json::json;
use tokio::task::JoinSet;

use crate::nat::Nat;
use crate::{HOST, pattern};

/// What to do next.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    /// `open=N`: so many more connections.
    Open(usize),
    /// `behind-nat=N`: so many more, behind a NAT each.
    BehindNat(usize),
    /// `stay=N`: every connection makes so many transfers.
    Stay(usize),
    /// `port=N`: the same, and takes another port twice in each.
    Port(usize),
    /// `address=N`: the same with the client's next address.
    Address(usize),
    /// `while=LINE`: every connection makes such transfers as long as a line of shell runs, and one at least.
    While(String),
    /// `through=LINE`: the same, and nobody moves.
    Through(String),
}

impl FromStr for Deed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (what, value) = text.split_once('=').ok_or_else(|| format!("{text:?} is no WHAT=VALUE"))?;
        let count = || value.parse().map_err(|_| format!("{value:?} is no number"));
        match what {
            "open" => Ok(Self::Open(count()?)),
            "behind-nat" => Ok(Self::BehindNat(count()?)),
            "stay" => Ok(Self::Stay(count()?)),
            "port" => Ok(Self::Port(count()?)),
            "address" => Ok(Self::Address(count()?)),
            "while" => Ok(Self::While(value.to_owned())),
            "through" => Ok(Self::Through(value.to_owned())),
            _ => Err(format!("{what} is none of open, behind-nat, stay, port, address, while, through")),
        }
    }
}

/// Where a client's packets come from next.
#[derive(Clone, Copy)]
enum Move {
    None,
    Port,
    Address,
}

/// A connection, and how it went.
struct Talk {
    from: Arc<[IpAddr]>,
    /// Which of `from` it uses.
    at: usize,
    endpoint: Endpoint,
    connection: Connection,
    nat: Option<Nat>,
    /// Who answers.
    server: Option<String>,
    transfers: u64,
    moves: u64,
    broken: Option<String>,
}

impl Talk {
    async fn open(
        place: SocketAddr,
        from: Arc<[IpAddr]>,
        config: ClientConfig,
        is_behind_nat: bool,
    ) -> Result<Self, String> {
        let told = |error: &dyn std::fmt::Display| format!("no connection to {place}: {error}");
        let first = *from.first().ok_or("the client has no address")?;
        let (nat, own, to) = if is_behind_nat {
            let nat = Nat::open(place, first).await.map_err(|error| told(&error))?;
            let inside = nat.inside;
            (Some(nat), Ipv4Addr::LOCALHOST.into(), inside)
        } else {
            (None, first, place)
        };
        let socket = UdpSocket::bind((own, 0)).map_err(|error| told(&error))?;
        let endpoint = Endpoint::new(EndpointConfig::default(), None, socket, Arc::new(TokioRuntime));
        let endpoint = endpoint.map_err(|error| told(&error))?;
        let connecting = endpoint.connect_with(config, to, HOST).map_err(|error| told(&error))?;
        let connection = connecting.await.map_err(|error| told(&error))?;
        let (server, broken) = (None, None);
        Ok(Self { from, at: 0, endpoint, connection, nat, server, transfers: 0, moves: 0, broken })
    }

    /// Goes on from elsewhere.
    async fn step(&mut self, to: Move) -> std::io::Result<()> {
        match to {
            Move::None => return Ok(()),
            Move::Port => {}
            Move::Address => self.at = (self.at + 1) % self.from.len(),
        }
        let from = *self.from.get(self.at).ok_or_else(|| std::io::Error::other("no such address"))?;
        self.moves += 1;
        match &self.nat {
            Some(nat) => nat.forget(from).await,
            None => self.endpoint.rebind(UdpSocket::bind((from, 0))?),
        }
    }

    /// A transfer each way, and a move in the middle of each.
    async fn transfer(&mut self, moving: Move) -> Result<(), String> {
        let told = |error: &dyn std::fmt::Display| error.to_string();
        let whole = pattern();
        let (first, rest) = whole.split_at(whole.len() / 2);
        let (mut to, mut from) = self.connection.open_bi().await.map_err(|error| told(&error))?;
        to.write_all(first).await.map_err(|error| told(&error))?;
        self.step(moving).await.map_err(|error| told(&error))?;
        to.write_all(rest).await.map_err(|error| told(&error))?;
        to.finish().map_err(|error| told(&error))?;

        let mut length = [0];
        from.read_exact(&mut length).await.map_err(|error| told(&error))?;
        let mut name = length.map(usize::from).map(|length| vec![0; length]).concat();
        from.read_exact(&mut name).await.map_err(|error| told(&error))?;
        let mut came = vec![0; first.len()];
        from.read_exact(&mut came).await.map_err(|error| told(&error))?;
        self.step(moving).await.map_err(|error| told(&error))?;
        came.extend(from.read_to_end(rest.len()).await.map_err(|error| told(&error))?);
        if came != whole {
            return Err(format!("{} bytes came, and not those that were sent", came.len()));
        }
        let name = String::from_utf8_lossy(&name).into_owned();
        let before = self.server.get_or_insert_with(|| name.clone());
        if *before != name {
            return Err(format!("{before} answered before, and now {name}"));
        }
        self.transfers += 1;
        Ok(())
    }

    /// Transfers, as long as there are moves and it is whole.
    async fn transfers(mut self, moves: impl Iterator<Item = Move>) -> Self {
        for moving in moves {
            if self.broken.is_some() {
                break;
            }
            if let Err(told) = self.transfer(moving).await {
                // What a stream says is less than what its connection knows.
                let reason = self.connection.close_reason();
                self.broken = Some(reason.map_or(told, |reason| reason.to_string()));
            }
        }
        self
    }
}

/// Does all deeds, and says how it went.
pub(crate) async fn ask(
    place: SocketAddr,
    from: &[IpAddr],
    deeds: &[Deed],
    config: ClientConfig,
) -> Result<(), String> {
    let mut talks = Vec::new();
    for deed in deeds {
        match deed {
            Deed::Open(count) => talks.extend(open(place, from, &config, (*count, false)).await?),
            Deed::BehindNat(count) => talks.extend(open(place, from, &config, (*count, true)).await?),
            Deed::Stay(count) => talks = each(talks, || (0..*count).map(|_| Move::None)).await?,
            Deed::Port(count) => talks = each(talks, || (0..*count).map(|_| Move::Port)).await?,
            Deed::Address(count) => talks = each(talks, || (0..*count).map(|_| Move::Address)).await?,
            Deed::While(line) => talks = run(line, talks, [Move::Port, Move::Address]).await?,
            Deed::Through(line) => talks = run(line, talks, [Move::None; 2]).await?,
        }
    }
    for talk in &talks {
        talk.connection.close(0_u32.into(), b"");
        talk.endpoint.wait_idle().await;
    }
    told(&talks)
}

async fn open(
    place: SocketAddr,
    from: &[IpAddr],
    config: &ClientConfig,
    (count, is_behind_nat): (usize, bool),
) -> Result<Vec<Talk>, String> {
    let mut opening = JoinSet::new();
    for _ in 0..count {
        opening.spawn(Talk::open(place, from.into(), config.clone(), is_behind_nat));
    }
    opening.join_all().await.into_iter().collect()
}

/// All of them at once.
async fn each<M>(talks: Vec<Talk>, moves: impl Fn() -> M) -> Result<Vec<Talk>, String>
where
    M: Iterator<Item = Move> + Send + 'static,
{
    let mut going: JoinSet<Talk> = talks.into_iter().map(|talk| talk.transfers(moves())).collect();
    let mut done = Vec::new();
    while let Some(talk) = going.join_next().await {
        done.push(talk.map_err(|error| format!("a connection's task broke off: {error}"))?);
    }
    Ok(done)
}

/// Such moves in turn, while the line runs.
async fn run(line: &str, talks: Vec<Talk>, turns: [Move; 2]) -> Result<Vec<Talk>, String> {
    let mut command = Command::new("sh");
    command.args(["-c", line]);
    let is_over = Arc::new(AtomicBool::new(false));
    let over = Arc::clone(&is_over);
    let runs = tokio::task::spawn_blocking(move || {
        let status = command.status();
        over.store(true, Ordering::Relaxed);
        status
    });
    let moves = || {
        let is_over = Arc::clone(&is_over);
        turns.into_iter().cycle().scan(false, move |last, moving| {
            let next = (!*last).then_some(moving);
            *last = is_over.load(Ordering::Relaxed);
            next
        })
    };
    let talks = each(talks, moves).await?;
    match runs.await {
        Ok(Ok(status)) if status.success() => Ok(talks),
        Ok(Ok(status)) => Err(format!("{line:?}: {status}")),
        Ok(Err(error)) => Err(format!("{line:?}: {error}")),
        Err(error) => Err(error.to_string()),
    }
}

/// How it went; a connection that was lost is a failure.
fn told(talks: &[Talk]) -> Result<(), String> {
    let mut servers: BTreeMap<&str, u64> = BTreeMap::new();
    for talk in talks {
        *servers.entry(talk.server.as_deref().unwrap_or("nobody")).or_default() += 1;
    }
    let sum = |part: fn(&Talk) -> u64| talks.iter().map(part).sum::<u64>();
    let broken: Vec<&String> = talks.iter().filter_map(|talk| talk.broken.as_ref()).collect();
    println!(
        "{}",
        json!({
            "connections": talks.len(),
            "transfers": sum(|talk| talk.transfers),
            "moves": sum(|talk| talk.moves),
            "servers": servers,
            "broken": broken,
        })
    );
    match broken.len() {
        0 => Ok(()),
        lost => Err(format!("{lost} of {} connections were lost", talks.len())),
    }
}
