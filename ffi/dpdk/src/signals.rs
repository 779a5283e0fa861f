//! The signals by which a driver wakes its process.
//!
//! `net_tap` has the kernel send a real-time signal for every wake-up of its interface, to any thread that does
//! not block it, and returns packets only after one has come. A worker is to be woken by nobody, so the program
//! blocks them before it starts a thread, and one thread, which polls the taps, accepts them.
//!
//! Where the queue of such signals is full the kernel sends SIGIO instead, whose default is the end of the process;
//! it stays blocked everywhere, and the next wake-up finds the queue drained.

use std::mem::MaybeUninit;

/// Blocks them in this thread and in all that it starts from now on.
pub fn block_driver_signals() {
    mask(libc::SIG_BLOCK, true);
}

/// This thread takes them, if it is the one that polls the taps.
pub fn accept_driver_signals() {
    mask(libc::SIG_UNBLOCK, false);
}

fn mask(how: libc::c_int, with_sigio: bool) {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // JUSTIFICATION: std has no signal masks, and the drivers' handlers are C's.
    // SAFETY: sigemptyset makes the set a valid one before anything reads it; the signals are those of this
    // system; the mask is the calling thread's own, and no old one is asked for.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for signal in libc::SIGRTMIN()..=libc::SIGRTMAX() {
            libc::sigaddset(set.as_mut_ptr(), signal);
        }
        if with_sigio {
            libc::sigaddset(set.as_mut_ptr(), libc::SIGIO);
        }
        libc::pthread_sigmask(how, set.as_ptr(), std::ptr::null_mut());
    }
}

#[cfg(test)]
mod tests {
    use super::{accept_driver_signals, block_driver_signals};

    /// The blocked signals of this thread, as the kernel tells them.
    fn blocked() -> u64 {
        let text = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap();
        u64::from_str_radix(line.trim(), 16).unwrap()
    }

    const SIGIO: u64 = 1 << (libc::SIGIO - 1);

    #[test]
    fn a_thread_inherits_the_mask_and_one_may_lift_it_but_for_sigio() {
        let real_time = 1_u64 << (libc::SIGRTMIN() - 1);
        std::thread::spawn(move || {
            block_driver_signals();
            assert_eq!(blocked() & (SIGIO | real_time), SIGIO | real_time);
            let ferry = std::thread::spawn(move || {
                assert_eq!(blocked() & real_time, real_time, "inherited");
                accept_driver_signals();
                blocked() & (SIGIO | real_time)
            });
            assert_eq!(ferry.join().unwrap(), SIGIO);
            assert_eq!(blocked() & real_time, real_time, "of the other thread alone");
        })
        .join()
        .unwrap();
    }
}
