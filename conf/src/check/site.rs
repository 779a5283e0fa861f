//! The tables that stand once, and the ports.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use service::{Key, SLOTS_MAX, Timeouts};
use toml::Spanned;

use super::{Names, needed, optional};
use crate::config::{Dataplane, Flow, Metrics, Node, Port, Select, Service, Tunnel};
use crate::defaults;
use crate::fault::{Refusal, Report};
use crate::file::{
    DataplaneFile, FlowFile, MetricsFile, NodeFile, PortFile, Seconds, SelectFile, TunnelFile,
};
use crate::limits::{
    CLIENT_SECONDS_MIN, FLOW_ENTRIES_MAX, FLOW_ENTRIES_MIN, INTERFACE_BYTES_MAX, MEMORY_MB_MAX,
    MEMORY_MB_MIN, MTU_MAX, MTU_V4_MIN, PACKETS_MAX, PACKETS_MIN, PORTS_MAX, WORKERS_MAX,
};
use crate::read::Entry;
use crate::scalar;

pub(super) fn node(report: &mut Report<'_>, table: &Entry<NodeFile>) -> Node {
    let folder = Path::new(report.file()).parent().map(Path::to_path_buf).unwrap_or_default();
    let beside = |example: &'static str| {
        let folder = &folder;
        move |text: &String| path_of(folder, text, example)
    };
    Node {
        mac: optional(report, table, "mac", table.file.mac.as_ref(), |text| scalar::mac(text)),
        numbers: optional(report, table, "numbers", table.file.numbers.as_ref(), beside("site.numbers.toml")),
        control: optional(report, table, "control", table.file.control.as_ref(), beside(defaults::CONTROL))
            .unwrap_or_else(|| PathBuf::from(defaults::CONTROL)),
        return_path: optional(report, table, "return_path", table.file.return_path.as_ref(), |text| {
            scalar::return_path(text)
        })
        .unwrap_or(defaults::RETURN_PATH),
    }
}

fn path_of(folder: &Path, text: &str, example: &str) -> Result<PathBuf, Refusal> {
    if text.is_empty() || text.contains('\0') || text.ends_with('/') {
        let message = format!("{} is not the name of a file", scalar::quoted(text));
        return Err(Refusal::new(message, format!("Write one such as \"{example}\".")));
    }
    Ok(folder.join(text))
}

pub(super) fn tunnel(report: &mut Report<'_>, table: &Entry<TunnelFile>) -> Tunnel {
    let file = &table.file;
    Tunnel {
        source_v4: optional(report, table, "source_v4", file.source_v4.as_ref(), |text| {
            scalar::source_v4(text)
        }),
        source_v6: optional(report, table, "source_v6", file.source_v6.as_ref(), |text| {
            scalar::source_v6(text)
        }),
        hop_limit: optional(report, table, "hop_limit", file.hop_limit.as_ref(), |&n| {
            scalar::whole(n, 1..=255)
        })
        .unwrap_or(defaults::HOP_LIMIT),
        passes_max: optional(report, table, "passes_max", file.passes_max.as_ref(), |&n| {
            scalar::whole(n, 1..=255)
        })
        .unwrap_or(defaults::PASSES_MAX),
        dont_fragment: optional(report, table, "dont_fragment", file.dont_fragment.as_ref(), |text| {
            scalar::dont_fragment(text)
        })
        .unwrap_or(defaults::DONT_FRAGMENT),
        mtu: optional(report, table, "mtu", file.mtu.as_ref(), |&n| mtu(n)).unwrap_or(defaults::MTU),
        next_hop: optional(report, table, "next_hop", file.next_hop.as_ref(), |text| scalar::mac(text)),
    }
}

fn mtu(number: i64) -> Result<u16, Refusal> {
    scalar::whole(number, MTU_V4_MIN..=MTU_MAX).map_err(|refusal| {
        if number < i64::from(MTU_V4_MIN) {
            let message = format!("{number} bytes are too few for a packet in a tunnel");
            Refusal { message, ..refusal }
        } else {
            refusal
        }
    })
}

pub(super) fn select(report: &mut Report<'_>, table: &Entry<SelectFile>) -> Select {
    let file = &table.file;
    Select {
        seed: optional(report, table, "seed", file.seed.as_ref(), |text| scalar::hex_16(text))
            .unwrap_or(defaults::SELECT_SEED),
        slots: optional(report, table, "slots", file.slots.as_ref(), |&n| scalar::prime(n, SLOTS_MAX))
            .unwrap_or(defaults::SLOTS),
    }
}

pub(super) fn flow(report: &mut Report<'_>, table: &Entry<FlowFile>) -> Flow {
    let file = &table.file;
    let entries = FLOW_ENTRIES_MIN..=FLOW_ENTRIES_MAX;
    let rate = file.new_flows_per_second_max.as_ref();
    let mut timeout = |key: &str, value: Option<&Spanned<Seconds>>, default: u16| {
        optional(report, table, key, value, |&seconds| scalar::ticks(seconds)).unwrap_or(default)
    };
    let timeouts = Timeouts {
        syn: timeout("syn_timeout_s", file.syn_timeout_s.as_ref(), defaults::TIMEOUTS.syn),
        established: timeout(
            "established_timeout_s",
            file.established_timeout_s.as_ref(),
            defaults::TIMEOUTS.established,
        ),
        closing: timeout("closing_timeout_s", file.closing_timeout_s.as_ref(), defaults::TIMEOUTS.closing),
        udp: timeout("udp_timeout_s", file.udp_timeout_s.as_ref(), defaults::TIMEOUTS.udp),
    };
    Flow {
        entries: optional(report, table, "entries", file.entries.as_ref(), |&n| scalar::whole(n, entries))
            .unwrap_or(defaults::FLOW_ENTRIES),
        key: optional(report, table, "key", file.key.as_ref(), |text| scalar::hex_16(text)),
        timeouts,
        new_flows_per_second_max: optional(report, table, "new_flows_per_second_max", rate, |&n| {
            scalar::whole(n, 1..=u32::MAX)
        }),
    }
}

/// Clients of services that are keyed by source are brought up to date when a flow of theirs is met again after a sweep,
/// once a minute: what is forgotten sooner would be forgotten while it speaks.
pub(super) fn clients_outlast_the_sweep(
    report: &mut Report<'_>,
    table: &Entry<FlowFile>,
    flow: &Flow,
    services: &[Service],
) {
    let keyed = services.iter().find(|service| matches!(service.key, Key::Source(_)));
    let (Some(keyed), Some(written)) = (keyed, &table.file.established_timeout_s) else { return };
    if scalar::ticks(Seconds(CLIENT_SECONDS_MIN.into())).is_ok_and(|least| flow.timeouts.established < least)
    {
        let message = format!(
            "clients of the service \"{}\" are brought up to date once a minute, and would be forgotten while they speak",
            keyed.name
        );
        let remedy = format!("Write {CLIENT_SECONDS_MIN} or more, or leave key = \"source\" out.");
        report.add(&written.span(), Some(table.key("established_timeout_s")), Refusal::new(message, remedy));
    }
}

pub(super) fn metrics(report: &mut Report<'_>, table: &Entry<MetricsFile>) -> Metrics {
    Metrics {
        listen: optional(report, table, "listen", table.file.listen.as_ref(), |text| scalar::listen(text)),
    }
}

pub(super) fn dataplane(report: &mut Report<'_>, table: &Entry<DataplaneFile>) -> Dataplane {
    let file = &table.file;
    let mut number = |key: &str, value: Option<&Spanned<i64>>, min: u32, max: u32, default: u32| {
        optional(report, table, key, value, |&n| scalar::whole(n, min..=max)).unwrap_or(default)
    };
    let memory_mb =
        number("memory_mb", file.memory_mb.as_ref(), MEMORY_MB_MIN, MEMORY_MB_MAX, defaults::MEMORY_MB);
    let packets = number("packets", file.packets.as_ref(), PACKETS_MIN, PACKETS_MAX, defaults::PACKETS);
    Dataplane {
        workers: optional(report, table, "workers", file.workers.as_ref(), |&n| {
            scalar::whole(n, 1..=WORKERS_MAX)
        })
        .unwrap_or(defaults::WORKERS),
        huge_pages: optional(report, table, "huge_pages", file.huge_pages.as_ref(), |text| {
            scalar::huge_pages(text)
        })
        .unwrap_or(defaults::HUGE_PAGES),
        memory_mb,
        packets,
    }
}

pub(super) fn ports(report: &mut Report<'_>, tables: &[Entry<PortFile>]) -> (Vec<Port>, Names) {
    let mut names = Names::new(report, "port");
    let mut devices = HashMap::new();
    let mut ports = Vec::new();
    for table in tables {
        let name = names.take(report, table, table.file.name.as_ref());
        let written = table.file.device.as_ref();
        let device = needed(report, table, "device", written, |text| scalar::device(text));
        let (Some(device), Some(written)) = (device, written) else {
            continue;
        };
        let line = report.line(written.span().start);
        if let Some(before) = devices.insert(device.clone(), line) {
            let message = format!("this device is taken by the port in line {before}");
            let refusal = Refusal::new(message, "Give each port its own device.");
            report.add(&written.span(), Some(table.key("device")), refusal);
        } else if let Some(name) = name {
            let kernel = table.file.kernel.as_ref();
            let kernel = optional(report, table, "kernel", kernel, |text| scalar::kernel(text));
            let port = Port { name, device, kernel: kernel.unwrap_or(defaults::KERNEL) };
            refuse_long_twin(report, table, &port);
            names.placed(&port.name, ports.len());
            ports.push(port);
        }
    }
    if let Some(table) = tables.get(PORTS_MAX) {
        let refusal =
            Refusal::new(format!("there are {} ports", tables.len()), format!("Leave at most {PORTS_MAX}."));
        report.add(&table.span, Some(table.path.clone()), refusal);
    }
    (ports, names)
}

/// A twin has its port's name, and interfaces of the kernel have short ones.
fn refuse_long_twin(report: &mut Report<'_>, table: &Entry<PortFile>, port: &Port) {
    if port.has_twin() && port.name.as_str().len() > INTERFACE_BYTES_MAX {
        let message = format!(
            "the kernel is to have an interface of this name, which has more than {INTERFACE_BYTES_MAX} characters"
        );
        let refusal = Refusal::new(message, "Give the port a shorter name, or set kernel = \"none\".");
        let span = table.file.name.as_ref().map_or_else(|| table.span.clone(), Spanned::span);
        report.add(&span, Some(table.key("name")), refusal);
    }
}
