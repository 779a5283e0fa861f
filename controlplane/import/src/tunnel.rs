//! How packets travel to a server, as IPVS knows it: `--tun-type` and what follows it in ipvsadm(8), `type` and what
//! follows it in keepalived.conf(5).

use crate::address::Refusal;
use crate::draft::setting;
use crate::fault::plain;

/// How packets travel to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Encap {
    /// IP in IP.
    Ipip,
    /// MAC rewrite.
    Mac,
    /// GRE without a key.
    Gre,
    /// GUE, variant 0.
    Gue {
        /// The UDP port that its end listens on, above 0.
        port: u16,
        /// Whether the UDP checksum is computed; else it is 0.
        is_summed: bool,
    },
}

impl Encap {
    /// What tells reals at one address apart: the type of the tunnel and its port.
    pub(crate) const fn door(self) -> Door {
        match self {
            Self::Ipip | Self::Mac => ("", 0),
            Self::Gre => ("gre", 0),
            Self::Gue { port, .. } => ("gue", port),
        }
    }
}

/// See [`Encap::door`]. Nothing is the address itself.
pub(crate) type Door = (&'static str, u16);

/// What is written of a tunnel, before it is known what that comes to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tunnel<'t> {
    kind: Option<&'t str>,
    port: Option<&'t str>,
    checksum: Option<Checksum>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Checksum {
    No,
    Yes,
    /// Of the packet inside, by an option of GUE that says where it goes.
    Remote,
}

impl Checksum {
    const fn word(self) -> &'static str {
        match self {
            Self::No => "nocsum",
            Self::Yes => "csum",
            Self::Remote => "remcsum",
        }
    }
}

impl<'t> Tunnel<'t> {
    /// The type: ipip, gre or gue.
    pub(crate) const fn set_kind(&mut self, word: &'t str) {
        self.kind = Some(word);
    }

    /// The UDP port.
    pub(crate) const fn set_port(&mut self, word: &'t str) {
        self.port = Some(word);
    }

    /// Takes the word of a checksum; says whether it is one.
    pub(crate) fn checksum(&mut self, word: &str) -> bool {
        let all = [Checksum::No, Checksum::Yes, Checksum::Remote];
        let found = all.into_iter().find(|checksum| checksum.word() == word);
        self.checksum = found.or(self.checksum);
        found.is_some()
    }

    /// What it comes to. What Penstock does in another way is noted.
    pub(crate) fn encap(self, notes: &mut Vec<String>) -> Result<Encap, Refusal> {
        match self.kind {
            Some("gue") => {
                let is_remote = self.checksum == Some(Checksum::Remote);
                notes.extend(is_remote.then(|| {
                    "remote checksums (remcsum): the whole UDP checksum is computed instead".to_owned()
                }));
                let is_summed = is_remote || self.checksum == Some(Checksum::Yes);
                return Ok(Encap::Gue { port: self.gue_port()?, is_summed });
            }
            Some("gre") => {
                self.note_port(notes);
                let asks = self.checksum.filter(|checksum| *checksum != Checksum::No);
                notes.extend(asks.map(|checksum| {
                    let word = checksum.word();
                    format!("checksum of GRE ({word}): packets have none, so the server must not ask for one")
                }));
                return Ok(Encap::Gre);
            }
            None | Some("ipip") => {}
            Some(other) => {
                notes.push(format!("tunnel type {}: the packet travels by IP in IP", plain(other)));
            }
        }
        self.note_port(notes);
        notes.extend(self.checksum.map(|checksum| setting("tunnel checksum", checksum.word())));
        Ok(Encap::Ipip)
    }

    fn gue_port(self) -> Result<u16, Refusal> {
        let refusal = |what| (what, "Write the UDP port that the servers listen on.".to_owned());
        let text = self.port.ok_or_else(|| refusal("a tunnel of type gue has no port".to_owned()))?;
        let port = text.parse().ok().filter(|port| *port != 0);
        port.ok_or_else(|| refusal(format!("\"{}\" is no port of a tunnel", plain(text))))
    }

    fn note_port(self, notes: &mut Vec<String>) {
        notes.extend(self.port.map(|port| setting("tunnel port", port)));
    }
}
