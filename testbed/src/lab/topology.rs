//! From a lab's file to namespaces, cables, bridges, addresses and routes.

use std::collections::BTreeMap;

use crate::lab::file::{Bridge, Interface, LabFile, Node, split};
use crate::lab::namespace::{Names, Namespace, lay};

/// Where nothing else is said.
const MTU: u32 = 1500;
/// No waiting for duplicates of addresses that we chose ourselves, no advertisements, and no source is
/// refused: a server sends from a VIP, and a tunnel's packets come in by another interface.
const SYSCTL: &str = "cd /proc/sys/net
for at in all default; do
    echo 0 >ipv6/conf/$at/accept_dad
    echo 0 >ipv6/conf/$at/accept_ra
    echo 0 >ipv4/conf/$at/rp_filter
done
ip link set lo up";

/// Builds everything; nodes and bridges by name.
pub(crate) fn build(
    file: &LabFile,
    names: &Names,
    fill: impl Fn(&str, &str) -> String,
) -> Result<BTreeMap<String, Namespace>, String> {
    let mut made = BTreeMap::new();
    let nodes = file.node.iter().map(|node| &node.name);
    for name in nodes.chain(file.bridge.iter().map(|bridge| &bridge.name)) {
        let namespace = Namespace::add(names, name)?;
        namespace.shell(SYSCTL)?;
        made.insert(name.clone(), namespace);
    }
    for link in &file.link {
        let [one, other] = &link.ends;
        lay([end(file, &made, one)?, end(file, &made, other)?])?;
    }
    for bridge in &file.bridge {
        switch(file, &made, bridge)?;
    }
    for node in &file.node {
        configure(node, find(&made, &node.name)?)?;
    }
    for node in &file.node {
        let namespace = find(&made, &node.name)?;
        for interface in cabled(node) {
            namespace.wait_until_up(interface)?;
        }
        for route in &node.routes {
            namespace.ip(&format!("route add {route}"))?;
        }
        for lines in &node.setup {
            namespace.shell(&fill(lines, &node.name))?;
        }
    }
    Ok(made)
}

fn find<'a>(made: &'a BTreeMap<String, Namespace>, name: &str) -> Result<&'a Namespace, String> {
    made.get(name).ok_or_else(|| format!("{name} is no node"))
}

/// A cable's end at a node.
fn end<'a>(
    file: &LabFile,
    made: &'a BTreeMap<String, Namespace>,
    end: &'a str,
) -> Result<(&'a Namespace, &'a str, u32), String> {
    let (node, interface) = split(end).ok_or_else(|| format!("{end} is no end of a cable"))?;
    let found = file.node.iter().find(|one| one.name == node).and_then(|one| one.interface.get(interface));
    let mtu = found.and_then(|interface: &Interface| interface.mtu).unwrap_or(MTU);
    Ok((find(made, node)?, interface, mtu))
}

fn switch(file: &LabFile, made: &BTreeMap<String, Namespace>, bridge: &Bridge) -> Result<(), String> {
    let namespace = find(made, &bridge.name)?;
    // A bridge that listens to group membership would need somebody who asks for it.
    namespace.ip("link add name bridge type bridge mcast_snooping 0 forward_delay 0")?;
    for port in &bridge.ports {
        let far = end(file, made, port)?;
        let near = split(port).map_or(port.as_str(), |(node, _)| node);
        lay([far, (namespace, near, bridge.mtu.unwrap_or(MTU))])?;
        namespace.ip(&format!("link set {near} master bridge up"))?;
    }
    namespace.ip("link set bridge up")?;
    Ok(())
}

/// Sets, addresses and raises a node's interfaces.
fn configure(node: &Node, namespace: &Namespace) -> Result<(), String> {
    for (key, value) in &node.sysctl {
        let path = key.replace('.', "/");
        namespace.shell(&format!("echo '{value}' >'/proc/sys/{path}'"))?;
    }
    for (name, interface) in &node.interface {
        if let Some(mac) = &interface.mac {
            namespace.ip(&format!("link set {name} address {mac}"))?;
        }
        for address in &interface.addresses {
            namespace.ip(&format!("address add {address} dev {name}"))?;
        }
    }
    for name in cabled(node) {
        namespace.ip(&format!("link set {name} up"))?;
    }
    Ok(())
}

fn cabled(node: &Node) -> impl Iterator<Item = &String> {
    node.interface.keys().filter(|name| *name != "lo")
}
