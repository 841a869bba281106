//! Calls of 32-bit programs: through `int 0x80`, with arguments that lie otherwise, told as the native call.

use super::harness::{B, E, Is, N, Surface, s};
use peregrine_event::{calls, code};

/// The call by its 32-bit number; an error as a negative errno.
fn system_call32(number: u32, args: &[u32]) -> i64 {
    let mut words = [0u32; 7];
    words[0] = number;
    words[1..=args.len()].copy_from_slice(args);
    let mut result = words.as_ptr() as u64;
    // SAFETY: the registers that the call takes are saved or declared; pointers among the arguments are below 4 GiB.
    unsafe {
        std::arch::asm!(
            "push rbx", "push rbp",
            "mov ebx, [rax + 4]", "mov ecx, [rax + 8]", "mov edx, [rax + 12]",
            "mov esi, [rax + 16]", "mov edi, [rax + 20]", "mov ebp, [rax + 24]", "mov eax, [rax]",
            "int 0x80",
            "pop rbp", "pop rbx",
            inout("rax") result, out("rcx") _, out("rdx") _, out("rsi") _, out("rdi") _,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
        );
    }
    i64::from(result as u32 as i32)
}

/// Memory below 4 GiB.
struct Low {
    base: u64,
    used: u64,
}

impl Low {
    fn new() -> Self {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_32BIT;
        // SAFETY: new memory, for as long as the process lives.
        let base =
            unsafe { libc::mmap(std::ptr::null_mut(), 1 << 16, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
        assert_ne!(base, libc::MAP_FAILED);
        Self { base: base as u64, used: 0 }
    }

    fn put(&mut self, bytes: &[u8]) -> u32 {
        let at = self.base + self.used;
        self.used += (bytes.len() as u64 + 15) & !15;
        assert!(self.used <= 1 << 16);
        // SAFETY: inside the mapping, whose free part nobody looks at.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), at as *mut u8, bytes.len()) };
        at as u32
    }

    fn words(&mut self, words: &[u32]) -> u32 {
        self.put(&words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>())
    }
}

impl Surface {
    /// Makes a 32-bit call that is told as `name`, and checks its number's row with it.
    fn call32(
        &mut self,
        name: &str,
        number: u32,
        args: &[u32],
        params: impl FnOnce(i64) -> Vec<super::harness::P>,
    ) -> i64 {
        let row = calls::by_name(name).expect(name);
        assert!([102, 117].contains(&number) || row.i386.contains(&(number as u16)), "{number} is {name}");
        let result = system_call32(number, args);
        self.expect(&format!("32-bit {name}{args:x?}"), row.event, params(result));
        result
    }
}

const MINUS: u32 = u32::MAX;
const EBADF: i64 = -9;
const EINVAL: i64 = -22;

/// Every row of this file.
pub fn rows(t: &mut Surface) {
    let mut low = Low::new();
    // A kernel without 32-bit calls kills whoever tries.
    if std::fs::metadata("/proc/sys/abi/vsyscall32").is_err() {
        println!("skipped: this kernel has no 32-bit calls");
        return;
    }
    files(t, &mut low);
    ids(t);
    memory(t, &mut low);
    times(t, &mut low);
    messages(t, &mut low);
    semaphores(t, &mut low);
}

fn files(t: &mut Surface, low: &mut Low) {
    let text = low.put(b"text\0");
    // Positions of 64 bits come in two registers.
    t.call32("pread64", 180, &[MINUS, text, 4, 5, 1], |_| vec![N(EBADF), E, N(-1), N(4), N(0x1_0000_0005)]);
    t.call32("pwrite64", 181, &[MINUS, text, 4, 5, 1], |_| {
        vec![N(EBADF), B(b"text".to_vec()), N(-1), N(4), N(0x1_0000_0005)]
    });
    let pieces = low.words(&[text, 2, 0, 0, text + 2, 2]);
    t.call32("preadv", 333, &[MINUS, pieces, 3, 7, 2], |_| vec![N(EBADF), N(0), E, N(-1), N(0x2_0000_0007)]);
    t.call32("pwritev", 334, &[MINUS, pieces, 3, 7, 2], |_| {
        vec![N(EBADF), B(b"text".to_vec()), N(-1), N(4), N(0x2_0000_0007)]
    });
    let offset = low.words(&[3, 1]);
    t.call32("sendfile", 187, &[MINUS, MINUS, offset, 9], |_| vec![N(EBADF), N(3), N(-1), N(-1), N(9)]);
    t.call32("sendfile", 239, &[MINUS, MINUS, offset, 9], |_| vec![N(EBADF), N(0x1_0000_0003), N(-1), N(-1), N(9)]);
    let nowhere = low.put(b"/no/such/place\0");
    t.call32("umount2", 22, &[nowhere, 0xf], |_| vec![N(-2), s("/no/such/place"), N(0)]);
    t.call32("umount2", 52, &[nowhere, 1], |_| vec![N(-2), s("/no/such/place"), N(1)]);
    for number in [16, 198] {
        t.call32("lchown", number, &[nowhere, 7, MINUS], |_| vec![N(-2), s("/no/such/place"), N(7), N(-1)]);
    }
    for number in [182, 212] {
        t.call32("chown", number, &[nowhere, 0xffff_0000 | 7, 8], |_| {
            vec![N(-2), s("/no/such/place"), N(if number == 182 { 7 } else { 0xffff_0007 }), N(8)]
        });
    }
    for number in [95, 207] {
        t.call32("fchown", number, &[MINUS, 7, 0xffff], |_| {
            vec![N(EBADF), N(-1), N(7), N(if number == 95 { -1 } else { 0xffff })]
        });
    }
}

fn ids(t: &mut Surface) {
    for number in [70, 203] {
        t.call32("setreuid", number, &[MINUS, MINUS], |res| vec![N(res), N(-1), N(-1)]);
    }
    for number in [71, 204] {
        t.call32("setregid", number, &[MINUS, MINUS], |res| vec![N(res), N(-1), N(-1)]);
    }
    t.call32("setresuid", 164, &[0xffff, 0xffff, 0xffff], |res| {
        assert_eq!(res, 0);
        vec![N(0), N(-1), N(-1), N(-1)]
    });
}

fn memory(t: &mut Surface, low: &mut Low) {
    let limits = low.words(&[12345, MINUS]);
    // A resource that there is not: nothing changes.
    t.call32("setrlimit", 75, &[99, limits], |_| vec![N(-22), N(12345), N(-1), N(255)]);
    let vm = || super::harness::Is("of this process", |bytes| bytes.len() == 4);
    let protection = (libc::PROT_READ | libc::PROT_WRITE) as u32;
    let flags = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS) as u32;
    let area = low.words(&[0, 8192, protection, flags, MINUS, 0x2000]);
    for (number, args) in [(90, vec![area]), (192, vec![0, 8192, protection, flags, MINUS, 2])] {
        let result = system_call32(number, &args);
        let result = i64::from(result as u32);
        assert!(result > 0 && result & 0xfff == 0, "{result:x}");
        let params = vec![N(result), vm(), vm(), vm(), N(0), N(8192), N(3), N(2 | 8), N(-1), N(0x2000)];
        self_expect(t, params);
        t.call32("munmap", 91, &[result as u32, 8192], |res| vec![N(res), vm(), vm(), vm(), N(result), N(8192)]);
    }
}

fn self_expect(t: &mut Surface, params: Vec<super::harness::P>) {
    t.expect("32-bit mmap", code::SYSCALL_MMAP_X, params);
}

fn times(t: &mut Surface, low: &mut Low) {
    let time = low.words(&[1, 2_000_000_000]);
    t.call32("nanosleep", 162, &[time, 0], |_| vec![N(EINVAL), N(3_000_000_000)]);
    let mask = low.words(&[6, 0]);
    t.call32("ppoll", 309, &[0, 0, time, mask, 8], |_| vec![N(EINVAL), B(vec![0, 0]), N(3_000_000_000), N(6)]);
    let time = low.words(&[1, 0, 2_000_000_000, 0]);
    t.call32("ppoll", 414, &[0, 0, time, mask, 8], |_| vec![N(EINVAL), B(vec![0, 0]), N(3_000_000_000), N(6)]);
    let word = low.words(&[5]);
    for number in [240, 422] {
        t.call32("futex", number, &[word, 1, 3], |res| vec![N(res), N(word.into()), N(1), N(3)]);
    }
    // As wide as the calls are: soft and hard limit, and ids of 16 bits and of 32.
    let into = low.words(&[7; 6]);
    t.call32("getrlimit", 191, &[99, into], |_| vec![N(EINVAL), N(-1), N(-1), N(255)]);
    t.call32("getrlimit", 191, &[4, into], |res| {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: the structure is ours.
        assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_CORE, &raw mut limit) }, 0);
        let told = |limit: u64| N(if limit >= u64::from(u32::MAX) { -1 } else { limit as i64 });
        vec![N(res), told(limit.rlim_cur), told(limit.rlim_max), N(4)]
    });
    let (ids, next) = (low.words(&[0xaaaa_aaaa; 3]), 2);
    t.call32("getresuid", 165, &[ids, ids + next, ids + 2 * next], |res| vec![N(res), N(0), N(0), N(0)]);
    t.call32("getresgid", 211, &[ids, ids + 4, ids + 8], |res| vec![N(res), N(0), N(0), N(0)]);
    // The offset in two halves, the higher one first.
    t.call32("lseek", 140, &[MINUS, 1, 2, into, 1], |_| vec![N(EBADF), N(-1), N(0x1_0000_0002), N(1)]);
    t.call32("lseek", 19, &[MINUS, -7i32 as u32, 2], |_| vec![N(EBADF), N(-1), N(-7), N(2)]);
}

fn messages(t: &mut Surface, low: &mut Low) {
    let pair = low.words(&[0, 0]);
    let arguments = low.words(&[1, 1, 0, pair]);
    let pointer = || Is("a pointer", |bytes| bytes.len() == 8 && bytes != [0; 8]);
    // SAFETY: inside our mapping.
    let told = |at: u32| i64::from(unsafe { std::ptr::read_volatile(at as usize as *const i32) });
    t.call32("socketpair", 102, &[8, arguments], |res| {
        vec![N(res), N(told(pair)), N(told(pair + 4)), pointer(), pointer(), N(1), N(1), N(0)]
    });
    let (one, two) = (told(pair), told(pair + 4));
    let text = low.put(b"by socketcall");
    let tuple = || Is("of a unix socket", |bytes| bytes.len() == 18 && bytes[0] == 1 && bytes[17] == 0);
    let arguments = low.words(&[one as u32, text, 13, 0]);
    t.call32("sendto", 102, &[9, arguments], |res| vec![N(res), B(b"by socketcall".to_vec()), N(one), N(13), tuple()]);
    let pieces = low.words(&[text, 3, text + 3, 10]);
    let none = low.words(&[0, 0, pieces, 2, 0, 0, 0, 0, 0, 0, pieces, 1, 0, 0, 0, 0]);
    t.call32("sendmmsg", 345, &[one as u32, none, 2, 0], |res| {
        assert_eq!(res, 2);
        vec![N(13), N(one), N(13), B(b"by socketcall".to_vec()), tuple()]
    });
    t.expect("the second message", code::SOCKET_SENDMMSG_X, vec![N(3), N(one), N(3), B(b"by ".to_vec()), tuple()]);
    let into = low.put(&[0; 64]);
    let arguments = low.words(&[two as u32, into, 20, 0]);
    t.call32("recvfrom", 102, &[10, arguments], |res| {
        vec![N(res), B(b"by socketcallby sock".to_vec()), tuple(), N(two), N(20)]
    });
    let pieces = low.words(&[into, 4, into + 4, 20]);
    let header = low.words(&[0, 0, pieces, 2, 0, 0, 0]);
    t.call32("recvmsg", 372, &[two as u32, header, 0x40], |res| {
        vec![N(res), N(9), B(b"etcallby ".to_vec()), tuple(), E, N(two)]
    });
}

fn semaphores(t: &mut Surface, low: &mut Low) {
    let id = t.call32("semget", 117, &[2, 0, 2, 0o1600], |id| vec![N(id), N(0), N(2), N(0x2000)]) as u32;
    let value = low.words(&[5]);
    t.call32("semctl", 117, &[3, id, 1, 16, value], |res| vec![N(res), N(id.into()), N(1), N(0x1000), N(5)]);
    let operation = low.put(&[1, 0, 0xfe, 0xff, 0, 0x18]);
    t.call32("semop", 117, &[1, id, 1, 0, operation], |res| {
        vec![N(res), N(1), N(1), N(-2), N(3), N(0), N(0), N(0), N(id.into())]
    });
    t.call32("semctl", 117, &[3, id, 0, 0, value], |res| vec![N(res), N(id.into()), N(0), N(4), N(0)]);
}
