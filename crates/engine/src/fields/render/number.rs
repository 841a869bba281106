//! Numbers as C's `printf` writes them.

use std::fmt::{self, Write};

use peregrine_event::PrintFormat;

/// Writes an integer of `bits` width, given sign- or zero-extended, by a parameter's print format: upstream prints all
/// integers signed, 8 and 16 bits after widening to 32.
pub(crate) fn integer(out: &mut impl Write, value: i64, bits: u32, fmt: PrintFormat) -> fmt::Result {
    let narrow = bits <= 32;
    let unsigned = if narrow { u64::from(value as u32) } else { value as u64 };
    let signed = if narrow { i64::from(value as i32) } else { value };
    match fmt {
        PrintFormat::Oct if unsigned == 0 => out.write_char('0'),
        PrintFormat::Oct => write!(out, "0{unsigned:o}"),
        PrintFormat::Hex => write!(out, "{unsigned:X}"),
        PrintFormat::PaddedDec => write!(out, "{signed:09}"),
        _ => write!(out, "{signed}"),
    }
}

/// C's `%lg`: six significant digits, trailing zeros cut, an exponent from 1e6 up and below 1e-4.
pub(crate) fn general(out: &mut impl Write, value: f64) -> fmt::Result {
    if value == 0.0 {
        return out.write_char('0');
    }
    let scientific = format_digits(value);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        let decimals = usize::try_from(5 - exponent).unwrap_or(0);
        return out.write_str(cut_zeros(&format!("{value:.decimals$}")));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    write!(out, "{}e{sign}{:02}", cut_zeros(mantissa), exponent.abs())
}

fn format_digits(value: f64) -> String {
    format!("{value:.5e}")
}

fn cut_zeros(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(value: i64, bits: u32, fmt: PrintFormat) -> String {
        let mut out = String::new();
        integer(&mut out, value, bits, fmt).unwrap();
        out
    }

    #[test]
    fn integers() {
        use PrintFormat as F;
        assert_eq!(int(0o640, 32, F::Oct), "0640");
        assert_eq!(int(0, 32, F::Oct), "0");
        assert_eq!(int(0x1ed, 32, F::Hex), "1ED");
        assert_eq!(int(0x7FFE_5777_8878, 64, F::Hex), "7FFE57778878");
        assert_eq!(int(i64::from(u32::MAX), 32, F::Dec), "-1");
        assert_eq!(int(-1, 64, F::Dec), "-1");
        assert_eq!(int(-1, 8, F::Hex), "FFFFFFFF");
        assert_eq!(int(255, 8, F::Dec), "255");
        assert_eq!(int(42, 64, F::PaddedDec), "000000042");
    }

    #[test]
    fn general_notation() {
        for (value, text) in [
            (0.003, "0.003"),
            (0.001_998_59, "0.00199859"),
            (0.0, "0"),
            (1e6, "1e+06"),
            (999_999.5, "1e+06"),
            (123_456.789, "123457"),
            (1.5, "1.5"),
            (1e-9, "1e-09"),
            (0.000_1, "0.0001"),
            (1_234_567.0, "1.23457e+06"),
            (100.0, "100"),
        ] {
            let mut out = String::new();
            general(&mut out, value).unwrap();
            assert_eq!(out, text);
        }
    }
}
