//! GLB director's forwarding table as JSON, as `docs/setup/forwarding-table-config.md` of its repository
//! describes it: tables, each with binds (what the world sees) and backends (the servers).
//!
//! A backend that drains or is not healthy gets no new flows: its weight is 0. One that is inactive is left
//! out. GLB tunnels by GUE to servers with `glb-redirect`, and asks a second one where the first does not
//! know a flow; Penstock keeps a flow table instead, and tunnels by IP in IP.

use conf::{PortRange, Protocol};

use crate::address::{machine, vip};
use crate::draft::{Draft, Server, Virtual, setting};
use crate::fault::Fault;
use crate::json::{self, Node};
use crate::tunnel::Encap;

/// Reads the tables into the draft.
pub(crate) fn read(text: &str, draft: &mut Draft) -> Result<(), Fault> {
    let value = json::parse(text)?;
    let root = Node::root(&value);
    draft.note("GUE with a second server in its header: packets travel by IP in IP, and flows are kept here");
    for note in root.others(&["tables"])? {
        draft.note(note);
    }
    root.need("tables")?.list()?.iter().try_for_each(|table| self::table(table, draft))
}

fn table(table: &Node<'_>, draft: &mut Draft) -> Result<(), Fault> {
    let title = table.get("name")?.map(|name| name.text().map(str::to_owned)).transpose()?;
    let mut notes = Vec::new();
    for key in ["hash_key", "seed"] {
        if table.get(key)?.is_some() {
            notes.push(format!(
                "{key}: rendezvous hashing; select.seed chooses the Maglev tables of all services"
            ));
        }
    }
    notes.extend(table.others(&["name", "hash_key", "seed", "binds", "backends"])?);
    let mut servers = Vec::new();
    for backend in table.need("backends")?.list()? {
        match server(&backend)? {
            Ok(server) => servers.push(server),
            Err(note) => notes.push(note),
        }
    }
    for bind in table.need("binds")?.list()? {
        let mut virt = self::bind(&bind)?;
        virt.title.clone_from(&title);
        virt.notes.extend(notes.iter().cloned());
        virt.servers.clone_from(&servers);
        draft.add(virt)?;
    }
    Ok(())
}

fn bind(bind: &Node<'_>) -> Result<Virtual, Fault> {
    let ip = bind.need("ip")?;
    let vip = ip.placed(vip(ip.text()?))?;
    let proto = bind.need("proto")?;
    let protocol = match proto.text()? {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        _ => return Err(proto.fault("this is neither tcp nor udp", "Write one of them.")),
    };
    let ports = match bind.get("port")? {
        Some(port) => {
            let port = port.port(1)?;
            PortRange { first: port, last: port }
        }
        None => range(bind)?,
    };
    let mut virt = Virtual::new(vip, protocol, ports);
    virt.notes = bind.others(&["ip", "proto", "port", "port_start", "port_end"])?;
    Ok(virt)
}

fn range(bind: &Node<'_>) -> Result<PortRange, Fault> {
    let (first, last) = (bind.need("port_start")?.port(0)?, bind.need("port_end")?.port(0)?);
    match (first, last) {
        (0, u16::MAX) => Ok(PortRange::ANY),
        // Port 0 is on no wire.
        (0, 1..) => Ok(PortRange { first: 1, last }),
        (1.., _) if first <= last => Ok(PortRange { first, last }),
        _ => Err(bind.fault("the ports end before they begin", "Exchange port_start and port_end.")),
    }
}

/// The server, or why it is left out.
fn server(backend: &Node<'_>) -> Result<Result<Server, String>, Fault> {
    let ip = backend.need("ip")?;
    let address = ip.placed(machine(ip.text()?))?;
    let state = backend.get("state")?;
    let mut notes = backend.others(&["ip", "state", "healthy", "healthchecks"])?;
    let mut weight = 1;
    match state.as_ref().map(Node::text).transpose()? {
        None | Some("active" | "filling") => {}
        Some("draining") => {
            weight = 0;
            notes.push("state draining: weight 0 is no new flows, and old ones stay".to_owned());
        }
        Some("inactive") => return Ok(Err(format!("server {address}, left out: it is inactive"))),
        Some(_) => {
            let remedy = "Write active, draining, filling or inactive.";
            return Err(state.unwrap_or_else(|| backend.clone()).fault("this state is not known", remedy));
        }
    }
    let healthy = backend.get("healthy")?.map(|node| node.truth()).transpose()?;
    if healthy == Some(false) {
        weight = 0;
        notes.push("not healthy: weight 0 until an operator says otherwise".to_owned());
    }
    if let Some(checks) = backend.get("healthchecks")? {
        let checks: Vec<String> = checks.others(&[])?;
        notes.extend((!checks.is_empty()).then(|| setting("healthchecks", &checks.join(", "))));
    }
    Ok(Ok(Server { address, weight, encap: Encap::Ipip, notes }))
}
