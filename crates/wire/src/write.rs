//! Writes the protocol's length-encoded numbers and texts.

/// A length-encoded number.
pub(crate) fn length(packet: &mut Vec<u8>, number: u64) {
    let bytes = number.to_le_bytes();
    let (head, width) = match number {
        0..=250 => return packet.push(bytes[0]),
        251..=0xFFFF => (0xFC, 2),
        0x1_0000..=0xFF_FFFF => (0xFD, 3),
        _ => (0xFE, 8),
    };
    packet.push(head);
    packet.extend_from_slice(&bytes[..width]);
}

/// Bytes after their count.
pub(crate) fn counted(packet: &mut Vec<u8>, bytes: &[u8]) {
    length(packet, bytes.len() as u64);
    packet.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::Reader;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_again(count in 0..70_000_usize, byte in any::<u8>(), after in any::<u8>()) {
            let bytes = vec![byte; count];
            let mut packet = Vec::new();
            counted(&mut packet, &bytes);
            packet.push(after);
            let mut reader = Reader::new(&packet);
            prop_assert_eq!(reader.counted().unwrap(), bytes);
            prop_assert_eq!(reader.u8().unwrap(), after);
        }
    }
}
