//! What testpmd and we are both run with.

use std::fs;

/// Where the kernel counts its 2 MiB pages.
const HUGE_PAGES: &str = "/sys/kernel/mm/hugepages/hugepages-2048kB";
/// What both processes take together, and some more.
const HUGE_MB_NEEDED: u64 = 300;
/// testpmd keeps its prompt on the one, and its worker on the other; we run on the second.
pub(crate) const CORES: &str = "0,1";
/// The worker's.
pub(crate) const CORE: &str = "1";

/// One setting for everybody.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) is_huge: bool,
    pub(crate) burst: usize,
    /// Bytes of an mbuf, its headroom included.
    pub(crate) mbuf_size: u16,
    /// Mbufs that an lcore keeps at hand.
    pub(crate) cache: u32,
    /// Of either queue.
    pub(crate) descriptors: u16,
    /// In the pool; the preloaded capture takes one for each packet.
    pub(crate) mbufs: u32,
}

impl Setting {
    /// The setting for this machine.
    pub(crate) fn new(burst: usize) -> Self {
        let is_huge = free_huge_mb() >= HUGE_MB_NEEDED;
        // On 4 KiB pages testpmd's pool lets no mbuf cross a page, so with its own 2,176 bytes each takes a
        // page for itself and testpmd loses half its speed. Two to a page is the fair comparison.
        let mbuf_size = if is_huge { 2176 } else { 1664 };
        Self { is_huge, burst, mbuf_size, cache: 512, descriptors: 512, mbufs: 16_384 }
    }

    pub(crate) const fn memory(&self) -> &'static str {
        if self.is_huge { "2 MiB huge pages" } else { "4 KiB pages (no huge pages)" }
    }

    pub(crate) fn testpmd_arguments(&self, device: &str) -> Vec<String> {
        let memory = if self.is_huge { "--in-memory" } else { "--no-huge -m 256 --no-shconf" };
        let prefix = std::process::id();
        let eal = format!(
            "-l {CORES} -n 1 --no-pci {memory} --no-telemetry --file-prefix=side-by-side-{prefix} --vdev={device}"
        );
        let Self { burst, mbuf_size, cache, descriptors, mbufs, .. } = self;
        let own = format!(
            "-i --port-topology=loop --nb-cores=1 --rxq=1 --txq=1 --no-flush-rx --burst={burst} \
             --rxd={descriptors} --txd={descriptors} --mbcache={cache} --mbuf-size={mbuf_size} \
             --total-num-mbufs={mbufs}"
        );
        format!("{eal} -- {own}").split_whitespace().map(str::to_owned).collect()
    }

    pub(crate) fn our_arguments(&self) -> Vec<String> {
        let huge = if self.is_huge { "require" } else { "off" };
        let Self { burst, mbuf_size, cache, descriptors, mbufs, .. } = self;
        let own = format!(
            "--core {CORE} --huge {huge} --burst {burst} --mbuf-size {mbuf_size} --cache {cache} \
             --descriptors {descriptors} --mbufs {mbufs}"
        );
        own.split_whitespace().map(str::to_owned).collect()
    }
}

fn free_huge_mb() -> u64 {
    let count = |name: &str| -> u64 {
        let text = fs::read_to_string(format!("{HUGE_PAGES}/{name}")).unwrap_or_default();
        text.trim().parse().unwrap_or(0)
    };
    count("free_hugepages").saturating_sub(count("resv_hugepages")) * 2
}
