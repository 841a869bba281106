//! Writes the kernel programs' header from the event table and compiles the programs.

use peregrine_event::{calls, code, defines, record, table};
use std::env;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};

#[path = "src/counters.rs"]
mod counters;

fn main() {
    println!("cargo:rerun-if-changed=src/bpf");
    println!("cargo:rerun-if-changed=src/counters.rs");
    println!("cargo:rerun-if-env-changed=CLANG");
    println!("cargo:rerun-if-env-changed=LLVM_STRIP");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let arch = env::var("CARGO_CFG_TARGET_ARCH").expect("cargo sets the architecture");
    let arch = match arch.as_str() {
        "x86_64" => "x86",
        "aarch64" => "arm64",
        other => fail(&format!("the kernel programs know x86_64 and aarch64, not {other}")),
    };
    std::fs::write(out.join("peregrine_events.h"), header(arch)).expect("the header can be written to OUT_DIR");
    compile(&out, arch);
}

/// `clang -target bpf`, then the debug sections off; the type information (BTF) stays, but for that of source lines.
fn compile(out: &Path, arch: &str) {
    let object = out.join("driver.bpf.o");
    let clang = tool("CLANG", &["clang-19", "clang"]).unwrap_or_else(|| {
        fail("the kernel programs need clang: install clang-19, llvm-19 and libbpf-dev, or set CLANG to the compiler")
    });
    let mut command = Command::new(&clang);
    command.args(["-target", "bpf", "-g", "-O2", "-mcpu=v3", "-std=gnu11", "-Wall", "-Werror"]);
    command.args(["-Wno-unused-function", "-fno-stack-protector"]);
    command.arg(format!("-D__TARGET_ARCH_{arch}")).arg("-I").arg(out).args(["-I", "src/bpf"]);
    command.args(["-c", "src/bpf/driver.bpf.c", "-o"]).arg(&object);
    if !command.status().is_ok_and(|status| status.success()) {
        fail(&format!("{clang} could not compile the kernel programs; libbpf-dev holds the headers they include"));
    }
    let strip = tool("LLVM_STRIP", &["llvm-strip-19", "llvm-strip"])
        .unwrap_or_else(|| fail("the kernel programs need llvm-strip: install llvm-19, or set LLVM_STRIP to it"));
    if !Command::new(&strip).arg("-g").arg(&object).status().is_ok_and(|status| status.success()) {
        fail(&format!("{strip} could not strip the kernel programs"));
    }
    without_lines(&object);
}

/// Takes out which instruction is of which source line. It is for the verifier's words about a program that it refuses;
/// with it, loading copies the lines of all programs for each of them.
fn without_lines(object: &Path) {
    let mut bytes = std::fs::read(object).expect("the object was just made");
    let number = |bytes: &[u8], at: usize, len: usize| {
        bytes[at..at + len].iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
    };
    // ELF64: the section headers' place, size, number, and which of them holds their names.
    let (headers, each, count, names) =
        (number(&bytes, 40, 8), number(&bytes, 58, 2), number(&bytes, 60, 2), number(&bytes, 62, 2));
    let section = |index: usize| headers + index * each;
    let names = number(&bytes, section(names) + 24, 8);
    let ext = (0..count).map(section).find(|at| bytes[names + number(&bytes, *at, 4)..].starts_with(b".BTF.ext\0"));
    let ext = number(&bytes, ext.expect("clang writes .BTF.ext") + 24, 8);
    // struct btf_ext_header, little endian: the length of line_info.
    bytes[ext + 20..ext + 24].fill(0);
    std::fs::write(object, bytes).expect("the object can be written");
}

/// The first of the candidates that runs; the environment's choice wins.
fn tool(variable: &str, candidates: &[&str]) -> Option<String> {
    let chosen = env::var(variable).ok();
    let names: Vec<String> = chosen.map_or_else(|| candidates.iter().map(|s| s.to_string()).collect(), |c| vec![c]);
    names.into_iter().find(|name| Command::new(name).arg("--version").output().is_ok_and(|o| o.status.success()))
}

/// The C side of the event table: codes, parameter counts, definitions, record tags, call numbers, counters.
fn header(arch: &str) -> String {
    let mut text = String::from("/* Written by build.rs from the event table. */\n#pragma once\n");
    for (code, symbol) in code::SYMBOLS.iter().enumerate() {
        let params = table::EVENTS[code].params.len();
        line(&mut text, format_args!("#define PPME_{symbol} {code}\n#define PPME_{symbol}_PARAMS {params}"));
    }
    for (name, value) in defines::DEFINES {
        line(&mut text, format_args!("#define {name} {value:#x}"));
    }
    for tag in record::Tag::ALL {
        line(&mut text, format_args!("#define RECORD_{} {}", format!("{tag:?}").to_uppercase(), tag as u16));
    }
    line(&mut text, format_args!("#define RECORD_MAGIC {:#x}", u32::from_le_bytes(record::MAGIC)));
    for (name, bit) in [
        ("COMPAT", record::mark::COMPAT),
        ("IO_URING", record::mark::IO_URING),
        ("PATH_CUT", record::mark::PATH_CUT),
        ("UNLINKED", record::mark::UNLINKED),
    ] {
        line(&mut text, format_args!("#define MARK_{name} {bit:#x}"));
    }
    for (index, (name, _)) in counters::COUNTERS.iter().enumerate() {
        line(&mut text, format_args!("#define COUNTER_{} {index}", name.trim_start_matches("n_").to_uppercase()));
    }
    line(&mut text, format_args!("#define COUNTERS {}", counters::COUNTERS.len()));
    call_numbers(&mut text, arch);
    text
}

/// Numbers and ids of this architecture's calls, and the way from a 32-bit x86 number to the native one.
fn call_numbers(text: &mut String, arch: &str) {
    let mut ids = String::new();
    let mut compat = String::new();
    for call in calls::CALLS {
        let number = if arch == "x86" { call.x86_64 } else { call.aarch64 };
        if number == calls::NONE {
            continue;
        }
        line(text, format_args!("#define NR_{} {number}", call.name));
        line(&mut ids, format_args!("\t[{number}] = {},", call.id()));
        for i386 in call.i386.iter().filter(|_| arch == "x86") {
            line(&mut compat, format_args!("\t[{i386}] = {},", number + 1));
        }
    }
    line(text, format_args!("static const unsigned short call_ids[512] = {{\n{ids}}};"));
    line(text, format_args!("/* One more than the native number; 0 for none. */"));
    line(text, format_args!("static const unsigned short compat_calls[512] = {{\n{compat}}};"));
}

fn line(text: &mut String, args: std::fmt::Arguments<'_>) {
    writeln!(text, "{args}").expect("a string takes every line");
}

fn fail(message: &str) -> ! {
    println!("cargo:warning={message}");
    eprintln!("error: {message}");
    exit(1)
}
