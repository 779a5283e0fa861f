//! libpcap's filter compiler, made safe: `compile("tcp port 80")` gives instructions for Ethernet frames.
//!
//! No policy: it says what libpcap says. Names of hosts in an expression are looked up by the C library, which
//! may wait; so this is for the command line, and a running box is given instructions.

#![allow(unsafe_code, reason = "this crate is the border to C")]

use std::ffi::{CStr, CString};
use std::fmt;

use filter::Insn;

mod raw;

/// The longest expression.
pub const EXPRESSION_BYTES_MAX: usize = 8192;

/// libpcap's number for Ethernet (LINKTYPE_ETHERNET).
const ETHERNET: i32 = 1;

/// What a program that accepts returns: all of the packet.
const SNAPLEN: i32 = 262_144;

/// Why an expression is no filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAFilter {
    expression: String,
    text: String,
}

impl std::error::Error for NotAFilter {}

impl fmt::Display for NotAFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the filter {:?}: {}; pcap-filter(7) has the language", self.expression, self.text)
    }
}

/// Compiles a pcap-filter expression for Ethernet frames, optimised.
///
/// # Errors
/// [`NotAFilter`] with libpcap's own words.
pub fn compile(expression: &str) -> Result<Vec<Insn>, NotAFilter> {
    let refused = |text: String| {
        let shown: String = expression.chars().take(80).collect();
        NotAFilter { expression: shown, text }
    };
    if expression.len() > EXPRESSION_BYTES_MAX {
        return Err(refused(format!("it is longer than {EXPRESSION_BYTES_MAX} bytes")));
    }
    let text = CString::new(expression).map_err(|_| refused("it holds a zero byte".to_owned()))?;
    let handle = Handle::open().ok_or_else(|| refused("libpcap has no memory for it".to_owned()))?;
    handle.compile(&text).map_err(refused)
}

/// What libpcap's own machine makes of a packet, of which all bytes are at hand; `None` if libpcap would not run the
/// program. For tests, which hold ours to it.
#[must_use]
pub fn reference(insns: &[Insn], packet: &[u8], wire_len: u32) -> Option<u32> {
    let insns: Vec<raw::bpf_insn> = insns.iter().map(|insn| raw::bpf_insn::from(*insn)).collect();
    let (count, len) = (i32::try_from(insns.len()).ok()?, u32::try_from(packet.len()).ok()?);
    // JUSTIFICATION: libpcap is C.
    // SAFETY: the pointer is to `count` instructions that live until the call returns, and it only reads them.
    let is_sound = unsafe { raw::bpf_validate(insns.as_ptr(), count) } != 0;
    // libpcap's check lets an unconditional jump go back by running over the top of its number, and such a program
    // might never end.
    let goes_back = |insn: &raw::bpf_insn| insn.code & 0xf7 == 5 && insn.k >= count.unsigned_abs();
    if !is_sound || insns.iter().any(goes_back) {
        return None;
    }
    // JUSTIFICATION: libpcap is C.
    // SAFETY: the instructions were just found valid, so every jump stays inside and the last one returns; loads
    // are checked against `len`, which is how many bytes `packet` has.
    Some(unsafe { raw::bpf_filter(insns.as_ptr(), packet.as_ptr(), wire_len, len) })
}

/// A handle that captures nothing and compiles. Freed when dropped.
struct Handle(std::ptr::NonNull<raw::pcap_t>);

impl Handle {
    fn open() -> Option<Self> {
        // JUSTIFICATION: libpcap is C.
        // SAFETY: two numbers go in; what comes out is null or ours to close.
        std::ptr::NonNull::new(unsafe { raw::pcap_open_dead(ETHERNET, SNAPLEN) }).map(Self)
    }

    fn compile(&self, text: &CStr) -> Result<Vec<Insn>, String> {
        let mut program = raw::bpf_program { bf_len: 0, bf_insns: std::ptr::null_mut() };
        // JUSTIFICATION: libpcap is C.
        // SAFETY: the handle is open, the program is ours to write, the text ends with a zero and is only read.
        // Since libpcap 1.8 its compiler shares nothing between handles.
        let status = unsafe {
            raw::pcap_compile(self.0.as_ptr(), &raw mut program, text.as_ptr(), 1, raw::PCAP_NETMASK_UNKNOWN)
        };
        if status != 0 {
            return Err(self.error());
        }
        let count = usize::try_from(program.bf_len).unwrap_or(0);
        let insns = if program.bf_insns.is_null() {
            Vec::new()
        } else {
            // JUSTIFICATION: libpcap owns the array that it made.
            // SAFETY: after a compilation that succeeded, `bf_insns` points to `bf_len` instructions, and nothing
            // else has the program.
            let made = unsafe { std::slice::from_raw_parts(program.bf_insns, count) };
            made.iter().map(|insn| Insn::from(*insn)).collect()
        };
        // JUSTIFICATION: what libpcap allocated, libpcap frees.
        // SAFETY: the program was made by `pcap_compile`, is freed once, and its instructions have been copied.
        unsafe { raw::pcap_freecode(&raw mut program) };
        Ok(insns)
    }

    fn error(&self) -> String {
        // JUSTIFICATION: libpcap is C.
        // SAFETY: the handle is open; the text is its own, ends with a zero, and is copied before the handle is
        // used again.
        let text = unsafe { CStr::from_ptr(raw::pcap_geterr(self.0.as_ptr())) };
        text.to_string_lossy().into_owned()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // JUSTIFICATION: what libpcap allocated, libpcap frees.
        // SAFETY: the handle is open, and nobody uses it after this.
        unsafe { raw::pcap_close(self.0.as_ptr()) }
    }
}
