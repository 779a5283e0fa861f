//! Links the system's libpcap, which DPDK's `net_pcap` needs too.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-link-lib=pcap");
}
