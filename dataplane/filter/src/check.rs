//! From instructions to a program: everything that could go wrong while it runs is refused here.

use std::fmt;

use crate::insn::{Insn, RETURN_A, SOURCE_X, TXA, class, load};
use crate::program::{Arithmetic, Condition, INSNS_MAX, MEMORY_WORDS, Op, Operand, Program, Width};

/// Why instructions are no program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Which instruction, from 0.
    pub at: usize,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is none at all.
    Empty,
    /// There are more than [`INSNS_MAX`].
    TooMany,
    /// No such code.
    Unknown(u16),
    /// It jumps, or runs, beyond the last.
    Beyond,
    /// It jumps back: libpcap makes loops of `protochain`.
    Back,
    /// It names a memory word that is not there.
    Memory(u32),
    /// It divides by zero.
    Zero,
    /// It shifts by more bits than a word has.
    Shift(u32),
}

impl std::error::Error for Refused {}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "instruction {} of the filter ", self.at)?;
        match self.fault {
            Fault::Empty => f.write_str("is missing: there is none"),
            Fault::TooMany => write!(f, "is one too many: at most {INSNS_MAX} run; use a shorter expression"),
            Fault::Unknown(code) => write!(f, "has code {code:#06x}, which is none"),
            Fault::Beyond => f.write_str("leads beyond the last"),
            Fault::Back => f.write_str("jumps back: loops, as of protochain, are not run"),
            Fault::Memory(word) => write!(f, "names memory word {word} of {MEMORY_WORDS}"),
            Fault::Zero => f.write_str("divides by zero"),
            Fault::Shift(bits) => write!(f, "shifts by {bits} bits"),
        }
    }
}

impl Program {
    /// Checks instructions: each is known, jumps go forward and stay inside, memory words exist, no constant
    /// divides by zero or shifts too far, and the last returns.
    ///
    /// # Errors
    /// The first that is wrong.
    pub fn check(insns: &[Insn]) -> Result<Self, Refused> {
        if insns.len() > INSNS_MAX {
            return Err(Refused { at: INSNS_MAX, fault: Fault::TooMany });
        }
        let ops: Result<Vec<Op>, Refused> = insns
            .iter()
            .enumerate()
            .map(|(at, insn)| decode(*insn, at, insns.len()).map_err(|fault| Refused { at, fault }))
            .collect();
        let ops = ops?;
        match ops.last() {
            Some(Op::Return(_)) => Ok(Self::new(ops)),
            Some(_) => Err(Refused { at: ops.len() - 1, fault: Fault::Beyond }),
            None => Err(Refused { at: 0, fault: Fault::Empty }),
        }
    }
}

fn decode(insn: Insn, at: usize, len: usize) -> Result<Op, Fault> {
    let Insn { code, k, .. } = insn;
    let unknown = Err(Fault::Unknown(code));
    let operand = if code & SOURCE_X == 0 { Operand::K(k) } else { Operand::X };
    match code & 7 {
        class::LD => load_a(insn),
        class::LDX => load_x(insn),
        class::ST if code == class::ST => Ok(Op::StoreA(word(k)?)),
        class::STX if code == class::STX => Ok(Op::StoreX(word(k)?)),
        class::ALU if code <= 0xff => arithmetic(code, operand),
        class::JMP if code <= 0xff => jump(insn, operand, at, len),
        class::RET => match code & !7 {
            0 => Ok(Op::Return(Operand::K(k))),
            RETURN_A => Ok(Op::Return(Operand::A)),
            _ => unknown,
        },
        class::MISC if code == class::MISC => Ok(Op::ToX),
        class::MISC if code == class::MISC | TXA => Ok(Op::ToA),
        _ => unknown,
    }
}

fn word(k: u32) -> Result<u8, Fault> {
    u8::try_from(k).ok().filter(|&word| usize::from(word) < MEMORY_WORDS).ok_or(Fault::Memory(k))
}

fn load_a(insn: Insn) -> Result<Op, Fault> {
    let Insn { code, k, .. } = insn;
    let width = match code & 0x18 {
        load::WORD => Width::Four,
        load::HALF => Width::Two,
        load::BYTE => Width::One,
        _ => return Err(Fault::Unknown(code)),
    };
    match code & !0x1f {
        load::ABSOLUTE => Ok(Op::Load(width, k)),
        load::INDIRECT => Ok(Op::LoadIndirect(width, k)),
        load::IMMEDIATE if width == Width::Four => Ok(Op::SetA(k)),
        load::MEMORY if width == Width::Four => Ok(Op::RecallA(word(k)?)),
        load::LENGTH if width == Width::Four => Ok(Op::LengthA),
        _ => Err(Fault::Unknown(code)),
    }
}

fn load_x(insn: Insn) -> Result<Op, Fault> {
    const HEADER: u16 = class::LDX | load::BYTE | load::HEADER_LENGTH;
    const MEMORY: u16 = class::LDX | load::MEMORY;
    const LENGTH: u16 = class::LDX | load::LENGTH;
    match insn.code {
        class::LDX => Ok(Op::SetX(insn.k)),
        MEMORY => Ok(Op::RecallX(word(insn.k)?)),
        LENGTH => Ok(Op::LengthX),
        HEADER => Ok(Op::HeaderLength(insn.k)),
        code => Err(Fault::Unknown(code)),
    }
}

fn arithmetic(code: u16, operand: Operand) -> Result<Op, Fault> {
    let kind = match code & 0xf0 {
        0x00 => Arithmetic::Add,
        0x10 => Arithmetic::Subtract,
        0x20 => Arithmetic::Multiply,
        0x30 => Arithmetic::Divide,
        0x40 => Arithmetic::Or,
        0x50 => Arithmetic::And,
        0x60 => Arithmetic::Left,
        0x70 => Arithmetic::Right,
        0x80 if operand != Operand::X => return Ok(Op::Negate),
        0x90 => Arithmetic::Modulo,
        0xa0 => Arithmetic::Xor,
        _ => return Err(Fault::Unknown(code)),
    };
    match (kind, operand) {
        (Arithmetic::Divide | Arithmetic::Modulo, Operand::K(0)) => Err(Fault::Zero),
        (Arithmetic::Left | Arithmetic::Right, Operand::K(bits @ 32..)) => Err(Fault::Shift(bits)),
        _ => Ok(Op::Compute(kind, operand)),
    }
}

fn jump(insn: Insn, operand: Operand, at: usize, len: usize) -> Result<Op, Fault> {
    let to = |skipped: u32| {
        let target = usize::try_from(skipped).ok().and_then(|skipped| (at + 1).checked_add(skipped));
        let inside = target.filter(|&target| target < len);
        inside.and_then(|target| u16::try_from(target).ok()).ok_or(Fault::Beyond)
    };
    let condition = match insn.code & 0xf0 {
        // Numbers wrap around on the way back.
        0x00 if operand != Operand::X && insn.k > u32::MAX / 2 => return Err(Fault::Back),
        0x00 if operand != Operand::X => return Ok(Op::Jump(to(insn.k)?)),
        0x10 => Condition::Equal,
        0x20 => Condition::Greater,
        0x30 => Condition::AtLeast,
        0x40 => Condition::AnyBit,
        _ => return Err(Fault::Unknown(insn.code)),
    };
    Ok(Op::Branch(condition, operand, to(insn.jump_true.into())?, to(insn.jump_false.into())?))
}
