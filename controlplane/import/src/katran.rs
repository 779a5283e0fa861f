//! Katran's VIPs and reals as JSON.
//!
//! Katran keeps no configuration file: its VIPs live in BPF maps, put there through its API. The shape taken
//! here is the JSON of that API's messages, `Vip`, `VipMeta`, `Real`, `Reals`, `QuicReal` and `Mac` of
//! `example_grpc/protos/katran.proto` in its repository, as the example clients (`example_grpc/goclient`)
//! send them; a dump of `getAllVips`, `getVipFlags`, `getRealsForVip` and `getMac` gives it:
//!
//! ```text
//! { "mac": "02:00:00:00:00:fe",
//!   "vips": [ { "address": "198.51.100.10", "port": 80, "protocol": 6, "flags": 0,
//!               "reals": [ { "address": "10.0.0.11", "weight": 100 } ] } ] }
//! ```
//!
//! The list may also stand alone; `vip` may hold address, port and protocol, as in `VipMeta`; `reals` may be
//! the message `{ "reals": [ … ] }`; the protocol is its IANA number or its name; flags are their sum or a
//! list of the Go client's names.

use conf::{Mac, Protocol};

use crate::address::{machine, ports, single};
use crate::draft::{Draft, Server, Virtual};
use crate::fault::{Fault, plain};
use crate::json::{self, Node};
use crate::tunnel::Encap;

/// Flags of a VIP, as the Go client numbers them.
const FLAGS: [(&str, u64); 4] = [("NO_SPORT", 1), ("NO_LRU", 2), ("QUIC_VIP", 4), ("DPORT_HASH", 8)];

/// Reads the VIPs into the draft.
pub(crate) fn read(text: &str, draft: &mut Draft) -> Result<(), Fault> {
    let value = json::parse(text)?;
    let root = Node::root(&value);
    let vips = if root.is_list() {
        root.list()?
    } else {
        if let Some(mac) = root.get("mac")? {
            draft.next_hop = Some(self::mac(&mac)?);
        }
        for note in root.others(&["vips", "mac"])? {
            draft.note(note);
        }
        root.need("vips")?.list()?
    };
    vips.iter().try_for_each(|vip| draft.add(virt(vip)?))
}

/// The default router's MAC address.
fn mac(node: &Node<'_>) -> Result<Mac, Fault> {
    let wrong =
        || node.fault("this is no MAC address of one machine", "Write one such as 02:00:00:00:00:01.");
    node.text()?.parse().map_err(|_| wrong())
}

fn virt(entry: &Node<'_>) -> Result<Virtual, Fault> {
    let nested = entry.get("vip")?;
    let vip = nested.as_ref().unwrap_or(entry);
    let written = vip.need("address")?;
    let address = written.placed(machine(written.text()?))?;
    let port = vip.get("port")?.map_or(Ok(0), |node| node.port(0))?;
    let mut virt = Virtual::new(single(address), protocol(&vip.need("protocol")?)?, ports(port));
    if let Some(flags) = entry.get("flags")? {
        virt.notes = self::flags(&flags)?;
    }
    let known = ["vip", "address", "port", "protocol", "flags", "setFlag", "reals", "real"];
    virt.notes.extend(entry.others(&known)?);
    // The message that adds reals calls their list `real`.
    let reals = match entry.get("reals")? {
        Some(reals) => Some(reals),
        None => entry.get("real")?,
    };
    let list = match reals {
        Some(reals) if reals.is_list() => reals.list()?,
        Some(message) => message.need("reals")?.list()?,
        None => Vec::new(),
    };
    virt.servers = list.iter().map(server).collect::<Result<_, _>>()?;
    Ok(virt)
}

fn protocol(node: &Node<'_>) -> Result<Protocol, Fault> {
    let wrong = || node.fault("this is neither TCP nor UDP", "Write 6, 17, \"tcp\" or \"udp\".");
    match node.text() {
        Ok("tcp" | "TCP" | "6") => Ok(Protocol::Tcp),
        Ok("udp" | "UDP" | "17") => Ok(Protocol::Udp),
        Ok(_) => Err(wrong()),
        Err(_) => match node.number().map_err(|_| wrong())? {
            6 => Ok(Protocol::Tcp),
            17 => Ok(Protocol::Udp),
            _ => Err(wrong()),
        },
    }
}

fn flags(node: &Node<'_>) -> Result<Vec<String>, Fault> {
    let named = |name: &str| format!("flag {}", plain(name));
    if node.is_list() {
        return node.list()?.iter().map(|flag| flag.text().map(named)).collect();
    }
    let Ok(sum) = node.number() else {
        return node.text().map(|text| text.split_whitespace().map(named).collect());
    };
    let mut notes: Vec<String> =
        FLAGS.iter().filter(|(_, bit)| sum & bit != 0).map(|(name, _)| named(name)).collect();
    let rest = FLAGS.iter().fold(sum, |rest, (_, bit)| rest & !bit);
    if rest != 0 {
        notes.push(format!("flags {rest:#x}"));
    }
    Ok(notes)
}

fn server(node: &Node<'_>) -> Result<Server, Fault> {
    let written = node.need("address")?;
    let address = written.placed(machine(written.text()?))?;
    // A number that is 0 is left out of the JSON of a message.
    let weight = node.get("weight")?.map_or(Ok(0), |weight| weight.number())?;
    let mut notes = node.others(&["address", "weight", "flags"])?;
    if let Some(flags) = node.get("flags")? {
        let set = flags.number()?;
        notes.extend((set != 0).then(|| format!("flags {set:#x} of the real")));
    }
    Ok(Server { address, weight, encap: Encap::Ipip, notes })
}
