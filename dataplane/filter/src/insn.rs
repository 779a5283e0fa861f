//! An instruction as it travels, and its codes.

/// One instruction, as `struct bpf_insn` has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Insn {
    /// What to do.
    pub code: u16,
    /// How many instructions to skip if a condition holds.
    pub jump_true: u8,
    /// How many if it does not.
    pub jump_false: u8,
    /// The constant.
    pub k: u32,
}

impl Insn {
    /// All of it in a word: `code << 48 | jump_true << 40 | jump_false << 32 | k`.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        (self.code as u64) << 48
            | (self.jump_true as u64) << 40
            | (self.jump_false as u64) << 32
            | self.k as u64
    }

    /// And back.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, reason = "fields are taken out of their bits")]
    pub const fn from_bits(bits: u64) -> Self {
        Self {
            code: (bits >> 48) as u16,
            jump_true: (bits >> 40) as u8,
            jump_false: (bits >> 32) as u8,
            k: bits as u32,
        }
    }
}

/// Classes, in the low three bits.
pub(crate) mod class {
    pub(crate) const LD: u16 = 0;
    pub(crate) const LDX: u16 = 1;
    pub(crate) const ST: u16 = 2;
    pub(crate) const STX: u16 = 3;
    pub(crate) const ALU: u16 = 4;
    pub(crate) const JMP: u16 = 5;
    pub(crate) const RET: u16 = 6;
    pub(crate) const MISC: u16 = 7;
}

/// Widths and addressing modes of loads, above the class.
pub(crate) mod load {
    pub(crate) const WORD: u16 = 0x00;
    pub(crate) const HALF: u16 = 0x08;
    pub(crate) const BYTE: u16 = 0x10;
    pub(crate) const IMMEDIATE: u16 = 0x00;
    pub(crate) const ABSOLUTE: u16 = 0x20;
    pub(crate) const INDIRECT: u16 = 0x40;
    pub(crate) const MEMORY: u16 = 0x60;
    pub(crate) const LENGTH: u16 = 0x80;
    pub(crate) const HEADER_LENGTH: u16 = 0xa0;
}

/// The operand is the index register and not the constant.
pub(crate) const SOURCE_X: u16 = 0x08;
/// `ret` gives the accumulator and not the constant.
pub(crate) const RETURN_A: u16 = 0x10;
/// `misc`: the index register goes to the accumulator, and not the other way.
pub(crate) const TXA: u16 = 0x80;
