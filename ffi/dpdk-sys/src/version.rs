//! Which DPDK will do. Part of the build script; the crate itself only tests it.

/// The oldest release whose `rte_eth_fp_ops` and mbuf layout the crate was written for.
const OLDEST: (u32, u32) = (22, 11);

/// Whether the release that pkg-config found will do.
///
/// # Errors
/// The sentence that says why not.
pub(crate) fn check(found: &str) -> Result<(), String> {
    let mut parts = found.trim().split('.').map_while(|part| part.parse::<u32>().ok());
    let version = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    if version >= OLDEST {
        return Ok(());
    }
    let (major, minor) = OLDEST;
    Err(format!(
        "DPDK {} is too old: Penstock needs {major}.{minor} or later (Debian 12 and later have it as libdpdk-dev).",
        found.trim()
    ))
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn debian_12_s_dpdk_and_later_ones_will_do() {
        for found in ["22.11.0", "22.11.11\n", "23.3.1", "24.11.4", "26.03"] {
            assert_eq!(check(found), Ok(()), "{found}");
        }
    }

    #[test]
    fn an_older_one_is_refused_in_one_sentence() {
        let sentence = "DPDK 21.11.2 is too old: Penstock needs 22.11 or later (Debian 12 and later have it as libdpdk-dev).";
        assert_eq!(check("21.11.2\n"), Err(sentence.into()));
        for found in ["22.7.0", "2.2", "", "main"] {
            assert!(check(found).is_err(), "{found}");
        }
    }
}
