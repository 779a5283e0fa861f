//! Any instructions give a program or a reason, and any program ends on any packet.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of a test fail as the test does")]

use filter::{Fault, INSNS_MAX, Insn, Program, Refused};
use proptest::prelude::{any, proptest};

const RETURN_ALL: Insn = Insn { code: 6, jump_true: 0, jump_false: 0, k: 0xffff };

fn insn(code: u16, jumps: (u8, u8), k: u32) -> Insn {
    Insn { code, jump_true: jumps.0, jump_false: jumps.1, k }
}

fn fault(insns: &[Insn]) -> (usize, Fault) {
    let Refused { at, fault } = Program::check(insns).unwrap_err();
    (at, fault)
}

proptest! {
    #[test]
    fn any_instructions_and_any_packet_end(
        words in proptest::collection::vec(any::<u64>(), 0..40), packet in proptest::collection::vec(any::<u8>(), 0..80), len in any::<u32>(),
    ) {
        let insns: Vec<Insn> = words.iter().map(|&bits| Insn::from_bits(bits)).collect();
        if let Ok(program) = Program::check(&insns) {
            assert_eq!(program.matches(&packet, len), program.run(&packet, len) != 0);
        }
    }

    #[test]
    fn an_instruction_comes_back_from_its_word(bits in any::<u64>()) {
        assert_eq!(Insn::from_bits(bits).to_bits(), bits);
    }
}

#[test]
fn what_is_wrong_is_refused_with_its_place() {
    assert_eq!(fault(&[]), (0, Fault::Empty));
    assert_eq!(fault(&vec![RETURN_ALL; INSNS_MAX + 1]), (INSNS_MAX, Fault::TooMany));
    assert_eq!(fault(&[insn(0x20, (0, 0), 0)]), (0, Fault::Beyond));
    assert_eq!(fault(&[insn(0x15, (1, 0), 0), RETURN_ALL]), (0, Fault::Beyond));
    assert_eq!(fault(&[insn(0x05, (0, 0), u32::MAX), RETURN_ALL]), (0, Fault::Back));
    assert_eq!(fault(&[insn(0x05, (0, 0), 1), RETURN_ALL]), (0, Fault::Beyond));
    assert_eq!(fault(&[RETURN_ALL, insn(0x02, (0, 0), 16), RETURN_ALL]), (1, Fault::Memory(16)));
    assert_eq!(fault(&[insn(0x34, (0, 0), 0), RETURN_ALL]), (0, Fault::Zero));
    assert_eq!(fault(&[insn(0x64, (0, 0), 32), RETURN_ALL]), (0, Fault::Shift(32)));
    assert_eq!(fault(&[insn(0xffff, (0, 0), 0), RETURN_ALL]), (0, Fault::Unknown(0xffff)));
    let told = Program::check(&[insn(0x34, (0, 0), 0), RETURN_ALL]).unwrap_err().to_string();
    assert_eq!(told, "instruction 0 of the filter divides by zero");
}

/// `ip` as libpcap writes it, by hand.
#[test]
fn a_filter_for_ipv4_takes_ipv4() {
    let program = Program::check(&[
        insn(0x28, (0, 0), 12),
        insn(0x15, (0, 1), 0x0800),
        RETURN_ALL,
        insn(0x06, (0, 0), 0),
    ])
    .unwrap();
    let mut frame = [0; 60];
    assert!(!program.matches(&frame, 60));
    (frame[12], frame[13]) = (8, 0);
    assert!(program.matches(&frame, 60));
    assert!(!program.matches(&frame[..13], 60), "the type is not at hand");
}
