//! Calls of 32-bit programs: through `int 0x80`, with arguments that lie otherwise, told as the native call.

use super::harness::{B, E, N, Surface, s};
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
        assert!(number == 102 || row.i386.contains(&(number as u16)), "{number} is {name}");
        let result = system_call32(number, args);
        self.expect(&format!("32-bit {name}{args:x?}"), row.event, params(result));
        result
    }
}

const MINUS: u32 = u32::MAX;
const EBADF: i64 = -9;

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
