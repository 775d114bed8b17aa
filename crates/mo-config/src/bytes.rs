//! Sizes as the original reads them: `100MB`, `768 KiB`, `64m`, all by powers of 1024.

/// Reads a size. Own code, because the libraries take `MB` for a million and the original (`RAMInBytes`) does not.
pub(crate) fn read(text: &str) -> Option<u64> {
    let text = text.trim();
    let cut = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(cut);
    let factor = factor(&unit.trim_start().to_ascii_lowercase())?;
    match number.parse::<u64>() {
        Ok(whole) => whole.checked_mul(factor),
        Err(_) => fraction(number, factor),
    }
}

fn factor(unit: &str) -> Option<u64> {
    let mut letters = unit.chars();
    let power = match letters.next() {
        None => return Some(1),
        Some('b') if unit == "b" => return Some(1),
        Some(letter) => "kmgtp".find(letter)?,
    };
    let known = matches!(letters.as_str(), "" | "b" | "ib");
    known.then(|| 1024_u64.pow(u32::try_from(power).unwrap_or(0) + 1))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to fit right before")]
fn fraction(number: &str, factor: u64) -> Option<u64> {
    let bytes = number.parse::<f64>().ok()? * factor as f64;
    (bytes.is_finite() && bytes < 9e18).then_some(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn every_unit_is_a_power_of_1024() {
        let mib = 1 << 20;
        for (text, bytes) in [("100MB", 100 * mib), ("768KiB", 768 << 10), ("64m", 64 * mib), ("1.5 GiB", 1536 * mib)] {
            assert_eq!(read(text), Some(bytes), "{text}");
        }
        assert_eq!((read("17"), read("17b")), (Some(17), Some(17)));
        for wrong in ["", "MB", "1x", "1 MBit", "-1k", "1.2.3", "99999999999999999999p"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
