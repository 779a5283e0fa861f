//! What is called of libpcap, by hand: eight functions and three types, as pcap/pcap.h and pcap/bpf.h declare
//! them since release 0.7. Nothing of it leaves this crate.
#![allow(non_camel_case_types, reason = "names as in C")]

use std::ffi::{c_char, c_int};

use filter::Insn;

pub(crate) const PCAP_NETMASK_UNKNOWN: u32 = 0xffff_ffff;

/// Opaque.
#[repr(C)]
pub(crate) struct pcap_t {
    _opaque: [u8; 0],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct bpf_insn {
    pub(crate) code: u16,
    pub(crate) jt: u8,
    pub(crate) jf: u8,
    pub(crate) k: u32,
}

const _: () = assert!(size_of::<bpf_insn>() == 8 && align_of::<bpf_insn>() == 4);

#[repr(C)]
pub(crate) struct bpf_program {
    pub(crate) bf_len: u32,
    pub(crate) bf_insns: *mut bpf_insn,
}

impl From<Insn> for bpf_insn {
    fn from(insn: Insn) -> Self {
        Self { code: insn.code, jt: insn.jump_true, jf: insn.jump_false, k: insn.k }
    }
}

impl From<bpf_insn> for Insn {
    fn from(insn: bpf_insn) -> Self {
        Self { code: insn.code, jump_true: insn.jt, jump_false: insn.jf, k: insn.k }
    }
}

// JUSTIFICATION: libpcap is C, and linked for DPDK's net_pcap anyway; its registry crate hides the instructions.
// SAFETY: the declarations are those of pcap/pcap.h and pcap/bpf.h, types and all.
unsafe extern "C" {
    pub(crate) fn pcap_open_dead(linktype: c_int, snaplen: c_int) -> *mut pcap_t;
    pub(crate) fn pcap_close(handle: *mut pcap_t);
    pub(crate) fn pcap_geterr(handle: *mut pcap_t) -> *mut c_char;
    pub(crate) fn pcap_compile(
        handle: *mut pcap_t,
        program: *mut bpf_program,
        text: *const c_char,
        optimize: c_int,
        netmask: u32,
    ) -> c_int;
    pub(crate) fn pcap_freecode(program: *mut bpf_program);
    pub(crate) fn bpf_validate(insns: *const bpf_insn, len: c_int) -> c_int;
    pub(crate) fn bpf_filter(insns: *const bpf_insn, packet: *const u8, wirelen: u32, buflen: u32) -> u32;
}
