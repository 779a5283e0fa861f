//! Starting DPDK's environment (EAL): which memory, which devices, and the arguments that say so.

use std::ffi::{CString, c_char};
use std::fmt;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use dpdk_sys as sys;

use crate::{clock, eth, lcore, log, mbuf, pool::Mempool};

/// Where the kernel counts its 2 MiB pages.
const HUGE_PAGES: &str = "/sys/kernel/mm/hugepages/hugepages-2048kB";

/// The most devices that one start takes.
const DEVICES_MAX: usize = 32;

/// Where packets' memory is to come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MemoryMode {
    /// Huge pages if there are enough free ones, ordinary pages otherwise.
    #[default]
    Auto,
    /// Huge pages, or the start fails.
    RequireHuge,
    /// Ordinary pages, always.
    Off,
}

/// Where packets' memory came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// 2 MiB pages, without a file system (`--in-memory`).
    Huge,
    /// 4 KiB pages (`--no-huge`), all taken at start.
    Ordinary,
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Huge => "2 MiB huge pages",
            Self::Ordinary => "4 KiB pages (no huge pages)",
        })
    }
}

/// What the EAL is to be started with.
#[derive(Clone, Debug)]
pub struct EalConfig {
    /// The core that DPDK calls its main one; none means the first that the process may run on. The
    /// starting thread is not left pinned to it.
    pub main_core: Option<usize>,
    /// Where memory comes from.
    pub memory: MemoryMode,
    /// MiB that all pools together need, at most: taken at once on ordinary pages, looked for among the
    /// free ones on huge pages.
    pub memory_mb: u32,
    /// DPDK's name for this process among others.
    pub file_prefix: String,
    /// Virtual devices, as DPDK's `--vdev` takes them: `net_pcap0,rx_pcap=in.pcap`.
    pub vdevs: Vec<String>,
    /// PCI addresses, with arguments if need be: `0000:03:00.0`.
    pub pci: Vec<String>,
    /// Copies DPDK's own lines to stderr, from notices on; otherwise only errors get there.
    pub verbose: bool,
}

impl Default for EalConfig {
    fn default() -> Self {
        Self {
            main_core: None,
            memory: MemoryMode::Auto,
            memory_mb: 512,
            file_prefix: "penstock".to_owned(),
            vdevs: Vec::new(),
            pci: Vec::new(),
            verbose: false,
        }
    }
}

/// Why the EAL did not start, or a device is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EalError {
    /// A process has one EAL, and this one had its start, or its try.
    StartedBefore,
    /// Too few huge pages are free.
    HugePages {
        /// MiB free and not reserved.
        free_mb: u64,
        /// MiB asked for.
        needed_mb: u64,
    },
    /// An argument DPDK could not take.
    Argument(String),
    /// DPDK's reason.
    Start(String),
    /// The device, and DPDK's reason.
    Device(String, String),
}

impl fmt::Display for EalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StartedBefore => f.write_str("DPDK can be started only once in a process"),
            Self::HugePages { free_mb, needed_mb } => {
                write!(f, "huge pages are required: {needed_mb} MiB are needed and {free_mb} MiB are free")
            }
            Self::Argument(what) => write!(f, "DPDK cannot be started with {what}"),
            Self::Start(reason) => write!(f, "DPDK did not start: {reason}"),
            Self::Device(device, reason) => write!(f, "DPDK has no device {device}: {reason}"),
        }
    }
}

impl std::error::Error for EalError {}

/// The EAL's arguments for one kind of memory, the program's name first. A pure function.
#[must_use]
pub fn arguments(config: &EalConfig, memory: Memory, main_core: usize) -> Vec<String> {
    let mut list: Vec<String> = ["penstock", "-n", "1", "-l"].map(str::to_owned).into();
    list.push(main_core.to_string());
    match memory {
        Memory::Huge => list.push("--in-memory".to_owned()),
        Memory::Ordinary => {
            list.extend(["--no-huge", "--no-shconf", "-m"].map(str::to_owned));
            list.push(config.memory_mb.to_string());
        }
    }
    list.push("--no-telemetry".to_owned());
    list.push(format!("--file-prefix={}", config.file_prefix));
    list.push(format!("--log-level=*:{}", if config.verbose { "notice" } else { "error" }));
    if config.pci.is_empty() {
        // Software ports do not care; virtual addresses spare the walk through /proc/self/pagemap.
        list.extend(["--no-pci", "--iova-mode=va"].map(str::to_owned));
    }
    for address in &config.pci {
        list.extend(["-a".to_owned(), address.clone()]);
    }
    for device in &config.vdevs {
        list.push(format!("--vdev={device}"));
    }
    list
}

/// Which memory to take when so many MiB lie free in huge pages.
fn choose_memory(mode: MemoryMode, needed_mb: u32, free_mb: u64) -> Result<Memory, EalError> {
    let enough = free_mb >= u64::from(needed_mb) && free_mb > 0;
    match mode {
        MemoryMode::Off => Ok(Memory::Ordinary),
        MemoryMode::Auto if !enough => Ok(Memory::Ordinary),
        MemoryMode::RequireHuge if !enough => {
            Err(EalError::HugePages { free_mb, needed_mb: u64::from(needed_mb) })
        }
        MemoryMode::Auto | MemoryMode::RequireHuge => Ok(Memory::Huge),
    }
}

/// Free huge pages that nobody has reserved, in MiB.
fn free_huge_mb() -> u64 {
    let count = |name: &str| -> u64 {
        let text = fs::read_to_string(format!("{HUGE_PAGES}/{name}")).unwrap_or_default();
        text.trim().parse().unwrap_or(0)
    };
    count("free_hugepages").saturating_sub(count("resv_hugepages")).saturating_mul(2)
}

/// Set by the first start, and never taken back: a second `rte_eal_init` cannot work.
static STARTED: AtomicBool = AtomicBool::new(false);

/// DPDK, started.
///
/// Everything else of this crate asks for it, so nothing of DPDK can be called too early. There is one
/// per process, and it stays: dropping it does not call `rte_eal_cleanup`, which would unmap the
/// memory of every pool below mbufs that may still be about, and which crashes in 22.11 after a
/// `net_ring` port was configured twice. It would gain nothing: our pages have no name in a file
/// system, ports are closed by their own drop, and the kernel takes the rest at exit.
#[derive(Debug)]
pub struct Eal {
    memory: Memory,
    has_pci: bool,
}

impl Eal {
    /// Starts DPDK, with the devices of the configuration.
    ///
    /// # Errors
    /// [`EalError`], one sentence each, with DPDK's own reason in it.
    pub fn start(config: &EalConfig) -> Result<Self, EalError> {
        let memory = choose_memory(config.memory, config.memory_mb, free_huge_mb())?;
        if config.vdevs.len().saturating_add(config.pci.len()) > DEVICES_MAX {
            return Err(EalError::Argument(format!("more than {DEVICES_MAX} devices")));
        }
        config.vdevs.iter().try_for_each(|device| refuse_pointers(device))?;
        let affinity = lcore::affinity();
        let main_core = config.main_core.or_else(|| lcore::first_core(affinity.as_ref()?)).unwrap_or(0);
        let list = arguments(config, memory, main_core)
            .into_iter()
            .map(|text| {
                CString::new(text.clone())
                    .map_err(|_| EalError::Argument(format!("a zero byte in the argument {text:?}")))
            })
            .collect::<Result<Vec<CString>, EalError>>()?;
        if STARTED.swap(true, Ordering::AcqRel) {
            return Err(EalError::StartedBefore);
        }
        if !log::open(config.verbose) {
            return Err(EalError::Start("its log could not be opened".to_owned()));
        }
        let (result, text) = log::keep(|| init(list));
        // The EAL pins the thread that starts it; only workers are to be pinned, by their own call.
        if let Some(set) = &affinity {
            let _ = lcore::set_affinity(set);
        }
        result.map_err(|number| EalError::Start(log::reason(&text, &log::error_text(number))))?;
        if !mbuf::register_cookie() {
            return Err(EalError::Start("no 8 bytes are free in its mbufs".to_owned()));
        }
        clock::start();
        let devices = config.vdevs.iter().chain(&config.pci);
        // The EAL starts even when a device does not, so each is looked for.
        for device in devices.filter(|device| !device.starts_with("mempool_")) {
            let name = device_name(device);
            if eth::port_by_name(name).is_none() {
                let reason = log::reason(&text, "it was not found, or its driver is not linked in");
                return Err(EalError::Device(name.to_owned(), reason));
            }
        }
        Ok(Self { memory, has_pci: !config.pci.is_empty() })
    }

    /// Adds a virtual device later: `net_null7,copy=1`.
    ///
    /// # Errors
    /// [`EalError::Device`], with DPDK's reason.
    pub fn plug(&self, device: &str) -> Result<(), EalError> {
        refuse_pointers(device)?;
        let (name, arguments) = device.split_once(',').unwrap_or((device, ""));
        let fail = |reason: String| EalError::Device(name.to_owned(), reason);
        let (Ok(c_name), Ok(c_arguments)) = (CString::new(name), CString::new(arguments)) else {
            return Err(fail("a zero byte in its name or arguments".to_owned()));
        };
        let (result, text) = log::keep(|| {
            // JUSTIFICATION: devices are made by DPDK.
            // SAFETY: the EAL has started; the texts end in zero and are copied by DPDK.
            unsafe { sys::rte_eal_hotplug_add(c"vdev".as_ptr(), c_name.as_ptr(), c_arguments.as_ptr()) }
        });
        if result == 0 { Ok(()) } else { Err(fail(log::reason(&text, &log::error_text(result)))) }
    }

    /// Which memory was taken; to be logged.
    #[must_use]
    pub const fn memory(&self) -> Memory {
        self.memory
    }

    /// Mbufs out of all pools. Once all ports, feeders and bursts are dropped, what is left has leaked.
    #[must_use]
    pub fn mbufs_in_use(&self) -> u64 {
        Mempool::in_use_in_all()
    }

    pub(crate) const fn has_pci(&self) -> bool {
        self.has_pci
    }
}

/// Refuses the one driver argument that is an address in our own memory: `net_ring`'s, by which DPDK
/// makes its port over rings and anybody could make it over anything.
fn refuse_pointers(device: &str) -> Result<(), EalError> {
    if device.split(',').skip(1).any(|argument| argument.trim_start().starts_with("internal")) {
        return Err(EalError::Argument(format!("the device {device}: `internal` is DPDK's own")));
    }
    Ok(())
}

/// The part of a device string that names the device.
pub(crate) fn device_name(device: &str) -> &str {
    device.split_once(',').map_or(device, |(name, _)| name)
}

/// Calls `rte_eal_init`; on failure its error number.
fn init(list: Vec<CString>) -> Result<(), i32> {
    let count = i32::try_from(list.len()).map_err(|_| libc::E2BIG)?;
    // DPDK keeps pointers into its arguments, so they are given to it for ever.
    let mut pointers: Vec<*mut c_char> = list.into_iter().map(CString::into_raw).collect();
    pointers.push(std::ptr::null_mut());
    let pointers = pointers.leak();
    // JUSTIFICATION: this is how DPDK starts.
    // SAFETY: the first call in this process (STARTED); argc and argv are as C wants them, writable,
    // ended by null, and live for ever.
    let result = unsafe { sys::rte_eal_init(count, pointers.as_mut_ptr()) };
    if result < 0 { Err(log::last_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::{
        EalConfig, EalError, Memory, MemoryMode, arguments, choose_memory, device_name, refuse_pointers,
    };

    fn config() -> EalConfig {
        EalConfig { memory_mb: 512, vdevs: vec!["net_null0,copy=1".to_owned()], ..EalConfig::default() }
    }

    #[test]
    fn ordinary_pages_are_taken_at_once_and_leave_no_files() {
        let list = arguments(&config(), Memory::Ordinary, 3).join(" ");
        assert_eq!(
            list,
            "penstock -n 1 -l 3 --no-huge --no-shconf -m 512 --no-telemetry --file-prefix=penstock \
             --log-level=*:error --no-pci --iova-mode=va --vdev=net_null0,copy=1"
        );
    }

    #[test]
    fn huge_pages_need_no_mount_and_are_never_mixed_with_no_huge() {
        let list = arguments(&config(), Memory::Huge, 0);
        assert!(list.contains(&"--in-memory".to_owned()));
        assert!(!list.iter().any(|text| text == "--no-huge" || text == "-m"));
    }

    #[test]
    fn a_pci_address_is_only_another_device() {
        let pci = vec!["0000:03:00.0".to_owned()];
        let list = arguments(&EalConfig { pci, ..config() }, Memory::Huge, 0).join(" ");
        assert!(list.contains("-a 0000:03:00.0") && !list.contains("--no-pci"));
        assert!(!list.contains("--iova-mode"), "a device's addresses are for DPDK to choose");
    }

    #[test]
    fn memory_is_huge_when_enough_of_it_is_free() {
        assert_eq!(choose_memory(MemoryMode::Auto, 512, 511), Ok(Memory::Ordinary));
        assert_eq!(choose_memory(MemoryMode::Auto, 512, 512), Ok(Memory::Huge));
        assert_eq!(choose_memory(MemoryMode::Off, 512, 4096), Ok(Memory::Ordinary));
        assert_eq!(choose_memory(MemoryMode::RequireHuge, 512, 512), Ok(Memory::Huge));
        let refused = choose_memory(MemoryMode::RequireHuge, 512, 0);
        assert_eq!(refused, Err(EalError::HugePages { free_mb: 0, needed_mb: 512 }));
    }

    #[test]
    fn no_device_string_can_name_an_address_in_memory() {
        assert!(matches!(refuse_pointers("net_ring0,internal=0x1234"), Err(EalError::Argument(_))));
        assert!(matches!(refuse_pointers("net_ring0,a=b, internal=1"), Err(EalError::Argument(_))));
        assert_eq!(refuse_pointers("net_pcap0,rx_pcap=internal.pcap"), Ok(()));
    }

    #[test]
    fn a_device_is_named_up_to_its_first_comma() {
        assert_eq!(device_name("net_pcap0,rx_pcap=a,tx_pcap=b"), "net_pcap0");
        assert_eq!(device_name("0000:03:00.0"), "0000:03:00.0");
    }
}
