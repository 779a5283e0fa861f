//! What `ipvsadm -Sn` prints: a service a line (`-A`), then its servers (`-a`).
//!
//! ```text
//! -A -t 198.51.100.10:80 -s wrr -p 300
//! -a -t 198.51.100.10:80 -r 10.0.0.11:80 -i -w 100
//! ```
//!
//! The options are those of ipvsadm(8), short and long, for it restores either. A service by firewall mark
//! (`-f`) and one over SCTP have no counterpart.

use std::collections::HashMap;
use std::net::IpAddr;

use conf::Protocol;

use crate::address::{self, Refusal, ports, with_port};
use crate::draft::{Draft, Server, Virtual, setting};
use crate::fault::{Fault, plain};
use crate::tunnel::{Encap, Tunnel};

/// What a line is about, as written: two lines of one service have the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Subject {
    /// Address, protocol and port.
    Address(IpAddr, Protocol, u16),
    /// What has no counterpart: a firewall mark, SCTP.
    Other(String),
}

/// One line.
struct Rule<'t> {
    line: usize,
    adds_service: bool,
    subject: Option<Subject>,
    server: Option<(IpAddr, u16)>,
    weight: u64,
    method: Method,
    tunnel: Tunnel<'t>,
    notes: Vec<String>,
    words: std::str::SplitWhitespace<'t>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Gateway,
    Tunnel,
    Masquerade,
}

/// Reads the rules into the draft.
pub(crate) fn read(text: &str, draft: &mut Draft) -> Result<(), Fault> {
    let mut services: Vec<(Subject, Option<Virtual>)> = Vec::new();
    let mut places: HashMap<Subject, usize> = HashMap::new();
    for (text, number) in text.lines().zip(1..) {
        let line = text.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let rule = rule(line, number)?;
        let subject = rule.subject.clone().ok_or_else(|| {
            Fault::line(number, "the rule names no service", "Write -t, -u or -f with its address.")
        })?;
        if rule.adds_service {
            if places.insert(subject.clone(), services.len()).is_some() {
                let what = "this service was added before";
                return Err(Fault::line(number, what, "Keep one of the two lines."));
            }
            services.push((subject.clone(), service(subject, rule.notes)));
        } else {
            let place = places.get(&subject).and_then(|&place| services.get_mut(place));
            let (_, virt) = place.ok_or_else(|| {
                let what = "no line before adds the service of this server";
                Fault::line(number, what, "Give all that `ipvsadm -Sn` prints, in its order.")
            })?;
            server(rule, virt.as_mut())?;
        }
    }
    for (subject, virt) in services {
        match (virt, subject) {
            (Some(virt), _) => draft.add(virt)?,
            (None, Subject::Other(what)) => draft.note(format!("service {what} and its servers")),
            (None, Subject::Address(..)) => {}
        }
    }
    Ok(())
}

fn service(subject: Subject, notes: Vec<String>) -> Option<Virtual> {
    let Subject::Address(address, protocol, port) = subject else {
        return None;
    };
    let mut virt = Virtual::new(address::single(address), protocol, ports(port));
    virt.notes = notes;
    Some(virt)
}

fn server(mut rule: Rule<'_>, virt: Option<&mut Virtual>) -> Result<(), Fault> {
    let (address, port) = rule
        .server
        .ok_or_else(|| Fault::line(rule.line, "the rule names no server", "Write -r ADDRESS:PORT."))?;
    // A server of what has no counterpart has none either.
    let Some(virt) = virt else { return Ok(()) };
    if port != 0 && virt.ports != ports(port) {
        rule.notes.push(format!("port {port} of the server: packets keep the port that clients chose"));
    }
    let encap = match rule.method {
        Method::Gateway => Encap::Mac,
        Method::Tunnel => {
            let encap = rule.tunnel.encap(&mut rule.notes);
            rule.placed(encap)?
        }
        Method::Masquerade => {
            rule.notes.push(
                "masquerading (-m): the server gets the packet by IP in IP, addressed to the VIP".to_owned(),
            );
            Encap::Ipip
        }
    };
    virt.servers.push(Server { address, weight: rule.weight, encap, notes: rule.notes });
    Ok(())
}

fn rule(text: &str, line: usize) -> Result<Rule<'_>, Fault> {
    let mut words = text.split_whitespace();
    let adds_service = match words.next() {
        Some("-A" | "--add-service") => true,
        Some("-a" | "--add-server") => false,
        first => {
            let message = format!("\"{}\" is not -A or -a", plain(first.unwrap_or_default()));
            return Err(Fault::line(line, message, "Give what `ipvsadm -Sn` prints, nothing else."));
        }
    };
    let mut rule = Rule {
        line,
        adds_service,
        subject: None,
        server: None,
        weight: 1,
        method: Method::Gateway,
        tunnel: Tunnel::default(),
        notes: Vec::new(),
        words,
    };
    while let Some(option) = rule.words.next() {
        rule.option(option)?;
    }
    Ok(rule)
}

impl<'t> Rule<'t> {
    fn value(&mut self, option: &str) -> Result<&'t str, Fault> {
        self.words.next().ok_or_else(|| {
            let message = format!("{option} has no value");
            Fault::line(self.line, message, "Give the line as `ipvsadm -Sn` prints it.")
        })
    }

    fn placed<T>(&self, result: Result<T, Refusal>) -> Result<T, Fault> {
        result.map_err(|(message, remedy)| Fault::line(self.line, message, remedy))
    }

    fn option(&mut self, option: &'t str) -> Result<(), Fault> {
        match option {
            "-t" | "--tcp-service" => self.address(option, Protocol::Tcp)?,
            "-u" | "--udp-service" => self.address(option, Protocol::Udp)?,
            "-f" | "--fwmark-service" => {
                let mark = plain(self.value(option)?);
                self.subject = Some(Subject::Other(format!("by firewall mark {mark}")));
            }
            "--sctp-service" => {
                let service = plain(self.value(option)?);
                self.subject = Some(Subject::Other(format!("over SCTP at {service}")));
            }
            "-r" | "--real-server" => {
                let written = self.value(option)?;
                self.server = Some(self.placed(with_port(written))?);
            }
            "-w" | "--weight" => {
                let written = self.value(option)?;
                self.weight = written.parse().map_err(|_| {
                    let message = format!("\"{}\" is not a weight", plain(written));
                    Fault::line(self.line, message, "Write a whole number.")
                })?;
            }
            "-g" | "--gatewaying" => self.method = Method::Gateway,
            "-i" | "--ipip" => self.method = Method::Tunnel,
            "-m" | "--masquerading" => self.method = Method::Masquerade,
            "--tun-type" => {
                let kind = self.value(option)?;
                self.tunnel.set_kind(kind);
            }
            "--tun-port" => {
                let port = self.value(option)?;
                self.tunnel.set_port(port);
            }
            _ if option.strip_prefix("--tun-").is_some_and(|word| self.tunnel.checksum(word)) => {}
            other => self.setting(other)?,
        }
        Ok(())
    }

    fn address(&mut self, option: &str, protocol: Protocol) -> Result<(), Fault> {
        let written = self.value(option)?;
        let (address, port) = self.placed(with_port(written))?;
        self.subject = Some(Subject::Address(address, protocol, port));
        Ok(())
    }

    /// What Penstock has no word for, and the scheduler.
    fn setting(&mut self, option: &'t str) -> Result<(), Fault> {
        match option {
            "-6" | "--ipv6" | "-n" | "--numeric" => {}
            "-s" | "--scheduler" => {
                let scheduler = self.value(option)?;
                // `mh` is Maglev hashing, which is what Penstock does.
                if scheduler != "mh" {
                    let scheduler = plain(scheduler);
                    self.notes.push(format!(
                        "scheduler {scheduler}: new flows are chosen by weighted Maglev hashing"
                    ));
                }
            }
            "-p" | "--persistent" => {
                // The time may be left out.
                let mut ahead = self.words.clone();
                let time = ahead.next().filter(|word| word.bytes().all(|b| b.is_ascii_digit()));
                if time.is_some() {
                    self.words = ahead;
                }
                self.notes.push(setting("persistence (-p), seconds:", time.unwrap_or("360")));
            }
            "-o" | "--ops" => self.notes.push(setting(option, "")),
            "-M" | "--netmask" | "--pe" | "-b" | "--sched-flags" | "-x" | "--u-threshold" | "-y"
            | "--l-threshold" => {
                let value = self.value(option)?;
                self.notes.push(setting(option, value));
            }
            unknown => {
                let message = format!("the option \"{}\" is not known", plain(unknown));
                return Err(Fault::line(self.line, message, "Give the line as `ipvsadm -Sn` prints it."));
            }
        }
        Ok(())
    }
}
