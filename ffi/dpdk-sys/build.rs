//! Finds the system's DPDK, compiles the shim, makes the bindings, and links the drivers we need.
//!
//! pkg-config is called directly: the crate of that name drops `-include rte_config.h`, which
//! Debian's headers need. Whatever is missing is said in one sentence that names the remedy.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};

#[path = "src/version.rs"]
mod version;

/// Drivers register themselves in constructors, so their archives are linked whole.
const DRIVERS: [&str; 8] =
    ["net_null", "net_ring", "net_pcap", "net_af_packet", "net_tap", "mempool_ring", "bus_vdev", "bus_pci"];

/// What drivers and shim call, users before what they use. Some exist in newer releases only.
const LIBRARIES: [&str; 19] = [
    "gso",
    "ethdev",
    "meter",
    "net",
    "security",
    "cryptodev",
    "hash",
    "mbuf",
    "mempool",
    "rcu",
    "ring",
    "metrics",
    "pci",
    "eal",
    "telemetry",
    "kvargs",
    "log",
    "argparse",
    "ptr_compress",
];

/// System libraries behind them.
const SYSTEM: [&str; 6] = ["pcap", "numa", "bsd", "m", "dl", "pthread"];

const FUNCTIONS: &str = "shim_.*|rte_eal_init|rte_eal_hotplug_add|rte_thread_register|\
    rte_thread_unregister|rte_version|rte_strerror|rte_mempool_in_use_count|rte_pktmbuf_free_bulk|\
    rte_pktmbuf_copy|rte_eth_dev_get_port_by_name|rte_eth_dev_stop|rte_eth_dev_close|\
    rte_eth_call_rx_callbacks|rte_eth_call_tx_callbacks|rte_ring_free";

fn main() {
    for file in ["build.rs", "shim.c", "shim.h"] {
        println!("cargo::rerun-if-changed={file}");
    }
    for name in ["PKG_CONFIG_PATH", "PENSTOCK_DPDK_DRIVERS"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    check_version();
    let flags = pkg_config(&["--cflags", "libdpdk"]);
    let flags: Vec<&str> = flags.split_whitespace().collect();
    compile_shim(&flags);
    generate(&flags);
    link(Path::new(pkg_config(&["--variable=libdir", "libdpdk"]).trim()));
}

/// Ends the build with one sentence.
fn fail(sentence: &str) -> ! {
    println!("cargo::error={sentence}");
    exit(1)
}

fn pkg_config(arguments: &[&str]) -> String {
    match Command::new("pkg-config").args(arguments).output() {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).into_owned(),
        Ok(_) => fail("DPDK's development files are missing: apt-get install libdpdk-dev (22.11 or later)."),
        Err(_) => fail("pkg-config is missing: apt-get install pkg-config."),
    }
}

fn check_version() {
    if let Err(sentence) = version::check(&pkg_config(&["--modversion", "libdpdk"])) {
        fail(&sentence);
    }
}

fn compile_shim(flags: &[&str]) {
    let mut build = cc::Build::new();
    build.file("shim.c").opt_level(2).flag("-std=gnu11").flag("-Werror=implicit-function-declaration");
    for flag in flags {
        build.flag(flag);
    }
    if let Err(error) = build.try_compile("dpdk_sys_shim") {
        fail(&format!("the C shim does not compile against this DPDK: {error}").replace('\n', " "));
    }
}

fn generate(flags: &[&str]) {
    let Some(out) = env::var_os("OUT_DIR") else { fail("OUT_DIR is not set: build this crate with cargo.") };
    // bindgen panics when libclang cannot be loaded; the message it prints then does not help.
    std::panic::set_hook(Box::new(|_| {}));
    let made = std::panic::catch_unwind(|| {
        bindgen::Builder::default()
            .header("shim.h")
            .clang_args(flags)
            .use_core()
            .rust_edition(bindgen::RustEdition::Edition2024)
            .wrap_unsafe_ops(true)
            .default_enum_style(bindgen::EnumVariation::ModuleConsts)
            .layout_tests(true)
            .generate_comments(false)
            .allowlist_function(FUNCTIONS)
            .allowlist_recursively(false)
            .allowlist_type("rte_eth_fp_ops|rte_ethdev_qdata|eth_.*_t|rte_eth_recycle_.*|shim_.*")
            .allowlist_var("rte_eth_fp_ops|SHIM_.*|RTE_MAX_ETHPORTS")
            // Their fields are reached through the shim or by asserted offsets, never by name.
            .blocklist_type("rte_mbuf|rte_mempool|rte_ring")
            .generate()
    });
    let _ = std::panic::take_hook();
    match made {
        Ok(Ok(bindings)) => {
            if let Err(error) = bindings.write_to_file(PathBuf::from(out).join("bindings.rs")) {
                fail(&format!("the bindings cannot be written: {error}."));
            }
        }
        Ok(Err(error)) => fail(&format!("bindgen cannot read DPDK's headers: {error}").replace('\n', " ")),
        Err(_) => fail("libclang, which bindgen needs, is missing: apt-get install libclang-dev."),
    }
}

fn link(folder: &Path) {
    println!("cargo::rustc-link-search=native={}", folder.display());
    let more = env::var("PENSTOCK_DPDK_DRIVERS").unwrap_or_default();
    let more: Vec<&str> = more.split([',', ' ']).filter(|name| !name.is_empty()).collect();
    for driver in DRIVERS.iter().chain(&more) {
        if !archive(folder, driver) {
            fail(&format!(
                "{}/librte_{driver}.a is missing: apt-get install --reinstall libdpdk-dev.",
                folder.display()
            ));
        }
        println!("cargo::rustc-link-lib=static:+whole-archive,-bundle=rte_{driver}");
    }
    for library in LIBRARIES.iter().filter(|library| archive(folder, library)) {
        println!("cargo::rustc-link-lib=static:-bundle=rte_{library}");
    }
    for library in SYSTEM {
        println!("cargo::rustc-link-lib=dylib={library}");
    }
    println!("cargo::rustc-env=DPDK_SYS_DRIVERS={} {}", DRIVERS.join(" "), more.join(" "));
}

fn archive(folder: &Path, library: &str) -> bool {
    folder.join(format!("librte_{library}.a")).exists()
}
