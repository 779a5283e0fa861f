//! A checked program, and the machine that runs it.

/// The most instructions of a program, and so the most steps it takes on a packet.
pub const INSNS_MAX: usize = 512;

/// Words of scratch memory. They are zero when a program begins.
pub const MEMORY_WORDS: usize = 16;

/// A program that has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    ops: Box<[Op]>,
}

/// Where an operand comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    K(u32),
    X,
    A,
}

/// How much of the packet is read, big-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    One,
    Two,
    Four,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Or,
    And,
    Xor,
    Left,
    Right,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    Equal,
    Greater,
    AtLeast,
    AnyBit,
}

/// One instruction, understood. Targets of jumps are places in the program, further on and inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Load(Width, u32),
    LoadIndirect(Width, u32),
    SetA(u32),
    SetX(u32),
    RecallA(u8),
    RecallX(u8),
    LengthA,
    LengthX,
    HeaderLength(u32),
    StoreA(u8),
    StoreX(u8),
    Compute(Arithmetic, Operand),
    Negate,
    Jump(u16),
    Branch(Condition, Operand, u16, u16),
    Return(Operand),
    ToX,
    ToA,
}

/// The machine's registers and memory.
struct Machine<'p> {
    packet: &'p [u8],
    wire_len: u32,
    a: u32,
    x: u32,
    memory: [u32; MEMORY_WORDS],
}

impl Program {
    pub(crate) fn new(ops: Vec<Op>) -> Self {
        Self { ops: ops.into_boxed_slice() }
    }

    /// Whether a packet is wanted: `packet` is what is at hand of `wire_len` bytes. A look beyond what is at hand
    /// says no, as it does in libpcap.
    #[must_use]
    pub fn matches(&self, packet: &[u8], wire_len: u32) -> bool {
        self.run(packet, wire_len) != 0
    }

    /// What the program returns.
    #[must_use]
    pub fn run(&self, packet: &[u8], wire_len: u32) -> u32 {
        let mut machine = Machine { packet, wire_len, a: 0, x: 0, memory: [0; MEMORY_WORDS] };
        let mut at = 0;
        // Every step goes forward, and the last instruction returns.
        while let Some(op) = self.ops.get(at) {
            at = match *op {
                Op::Return(operand) => return machine.value(operand),
                Op::Jump(target) => usize::from(target),
                Op::Branch(condition, operand, yes, no) => {
                    let (a, b) = (machine.a, machine.value(operand));
                    usize::from(if condition.holds(a, b) { yes } else { no })
                }
                op => match machine.step(op) {
                    Some(()) => at + 1,
                    None => return 0,
                },
            };
        }
        0
    }
}

impl Condition {
    const fn holds(self, a: u32, b: u32) -> bool {
        match self {
            Self::Equal => a == b,
            Self::Greater => a > b,
            Self::AtLeast => a >= b,
            Self::AnyBit => a & b != 0,
        }
    }
}

impl Machine<'_> {
    const fn value(&self, operand: Operand) -> u32 {
        match operand {
            Operand::K(k) => k,
            Operand::X => self.x,
            Operand::A => self.a,
        }
    }

    /// One step that does not jump; `None` ends the program with a no.
    fn step(&mut self, op: Op) -> Option<()> {
        match op {
            Op::Load(width, k) => self.a = self.load(width, k)?,
            Op::LoadIndirect(width, k) => self.a = self.load(width, self.x.checked_add(k)?)?,
            Op::SetA(k) => self.a = k,
            Op::SetX(k) => self.x = k,
            Op::RecallA(word) => self.a = self.recall(word),
            Op::RecallX(word) => self.x = self.recall(word),
            Op::LengthA => self.a = self.wire_len,
            Op::LengthX => self.x = self.wire_len,
            // The length of an IPv4 header, of its first byte (RFC 791 §3.1).
            Op::HeaderLength(k) => self.x = (self.load(Width::One, k)? & 0xf) << 2,
            Op::StoreA(word) => self.store(word, self.a),
            Op::StoreX(word) => self.store(word, self.x),
            Op::Compute(kind, operand) => self.a = kind.of(self.a, self.value(operand))?,
            Op::Negate => self.a = self.a.wrapping_neg(),
            Op::ToX => self.x = self.a,
            Op::ToA => self.a = self.x,
            Op::Jump(_) | Op::Branch(..) | Op::Return(_) => return None,
        }
        Some(())
    }

    fn load(&self, width: Width, at: u32) -> Option<u32> {
        let bytes = self.packet.get(usize::try_from(at).ok()?..)?;
        Some(match width {
            Width::One => u32::from(*bytes.first()?),
            Width::Two => u32::from(u16::from_be_bytes(*bytes.first_chunk()?)),
            Width::Four => u32::from_be_bytes(*bytes.first_chunk()?),
        })
    }

    fn recall(&self, word: u8) -> u32 {
        self.memory.get(usize::from(word)).copied().unwrap_or(0)
    }

    fn store(&mut self, word: u8, value: u32) {
        if let Some(slot) = self.memory.get_mut(usize::from(word)) {
            *slot = value;
        }
    }
}

impl Arithmetic {
    /// `None`: a division by a zero that only the packet shows.
    const fn of(self, a: u32, b: u32) -> Option<u32> {
        Some(match self {
            Self::Add => a.wrapping_add(b),
            Self::Subtract => a.wrapping_sub(b),
            Self::Multiply => a.wrapping_mul(b),
            Self::Divide => return a.checked_div(b),
            Self::Modulo => return a.checked_rem(b),
            Self::Or => a | b,
            Self::And => a & b,
            Self::Xor => a ^ b,
            Self::Left if b < 32 => a << b,
            Self::Right if b < 32 => a >> b,
            Self::Left | Self::Right => 0,
        })
    }
}
