//! DPDK's log: kept while something is being started, so that a failure can say why; else to stderr.
//! Nothing of it ever goes to stdout, which belongs to our own output.

use std::ffi::CStr;
use std::sync::{Mutex, PoisonError};

use dpdk_sys as sys;

/// The most that is kept; the shim's buffer has the same size.
const BYTES_MAX: usize = 16_384;

/// The most lines that a reason quotes.
const REASON_LINES_MAX: usize = 4;

/// One keeper at a time, or two would take each other's lines.
static KEEPER: Mutex<()> = Mutex::new(());

/// Opens the log. `verbose` copies all lines to stderr.
pub(crate) fn open(verbose: bool) -> bool {
    // JUSTIFICATION: the log's stream is a C FILE.
    // SAFETY: no arguments with a lifetime; called once, before rte_eal_init, by `Eal::start`.
    unsafe { sys::shim_log_open(i32::from(verbose)) == 0 }
}

/// Runs something and gives what DPDK logged meanwhile.
pub(crate) fn keep<T>(run: impl FnOnce() -> T) -> (T, String) {
    let guard = KEEPER.lock().unwrap_or_else(PoisonError::into_inner);
    // JUSTIFICATION: the buffer is behind a C lock.
    // SAFETY: no pointers are passed.
    unsafe { sys::shim_log_hold(1) };
    let result = run();
    let mut text = vec![0_u8; BYTES_MAX];
    // JUSTIFICATION: as above.
    // SAFETY: `text` has room for as many bytes as are named, and the shim writes no more.
    let length = unsafe { sys::shim_log_take(text.as_mut_ptr().cast(), text.len()) };
    // JUSTIFICATION: as above.
    // SAFETY: no pointers are passed.
    unsafe { sys::shim_log_hold(0) };
    drop(guard);
    text.truncate(length);
    (result, String::from_utf8_lossy(&text).into_owned())
}

/// The kept lines that tell why, made one clause: the last few, each once.
pub(crate) fn reason(text: &str, otherwise: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    if lines.is_empty() {
        return otherwise.to_owned();
    }
    let first = lines.len().saturating_sub(REASON_LINES_MAX);
    lines.split_off(first).join("; ")
}

/// The text for an error number of DPDK's, negative or not.
pub(crate) fn error_text(number: i32) -> String {
    // JUSTIFICATION: DPDK adds numbers of its own to errno's.
    // SAFETY: rte_strerror gives static or per-thread text that ends in zero; it is copied at once.
    let text = unsafe { CStr::from_ptr(sys::rte_strerror(number.saturating_abs())) };
    text.to_string_lossy().into_owned()
}

/// `rte_errno` of this thread.
pub(crate) fn last_error() -> i32 {
    // JUSTIFICATION: rte_errno is a C thread-local.
    // SAFETY: no arguments.
    unsafe { sys::shim_errno() }
}

#[cfg(test)]
mod tests {
    use super::reason;

    #[test]
    fn a_reason_quotes_the_last_lines_once() {
        let text = "EAL: a\nEAL: b\n\nEAL: b\nEAL: c\nEAL: d\nEAL: e\n";
        assert_eq!(reason(text, "none"), "EAL: b; EAL: c; EAL: d; EAL: e");
        assert_eq!(reason(" \n", "Cannot allocate memory"), "Cannot allocate memory");
    }
}
