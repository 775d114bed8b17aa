//! Values that clients send with prepared statements.

use crate::WireError;
use crate::read::Reader;

/// One bound value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL.
    Null,
    /// A whole number.
    Signed(i64),
    /// A whole number declared unsigned.
    Unsigned(u64),
    /// A number with a point.
    Float(f64),
    /// Text and everything sent as text: decimals, JSON; also moments and spans, written as SQL writes them.
    Bytes(Vec<u8>),
}

/// How a value is coded: its type, and whether it is unsigned.
pub(crate) type Coding = (u8, bool);

impl Value {
    /// Reads one value.
    pub(crate) fn read(reader: &mut Reader<'_>, (kind, unsigned): Coding) -> Result<Self, WireError> {
        Ok(match kind {
            0x01 => whole(reader, 1, unsigned)?,
            0x02 | 0x0D => whole(reader, 2, unsigned)?,
            0x03 | 0x09 => whole(reader, 4, unsigned)?,
            0x08 => whole(reader, 8, unsigned)?,
            0x04 => Self::Float(f64::from(f32::from_bits(reader.u32()?))),
            0x05 => Self::Float(f64::from_bits(reader.number(8)?)),
            0x06 => Self::Null,
            0x07 | 0x0A | 0x0C => Self::Bytes(moment(reader)?.into_bytes()),
            0x0B => Self::Bytes(span(reader)?.into_bytes()),
            0x00 | 0x0F | 0x10 | 0xF5..=0xFF => Self::Bytes(reader.counted()?.to_vec()),
            _ => return Err(WireError::Protocol("a value of a type that is none")),
        })
    }
}

fn whole(reader: &mut Reader<'_>, width: usize, unsigned: bool) -> Result<Value, WireError> {
    let number = reader.number(width)?;
    // Shifting up and down again carries the sign to the top.
    let spare = 64 - 8 * width;
    Ok(if unsigned { Value::Unsigned(number) } else { Value::Signed((number << spare).cast_signed() >> spare) })
}

/// A date of 4 bytes, with a time 7, with microseconds 11; zero in 0.
fn moment(reader: &mut Reader<'_>) -> Result<String, WireError> {
    let mut part = Reader::new(reader.counted()?);
    if part.is_empty() {
        return Ok("0000-00-00".to_owned());
    }
    let date = format!("{:04}-{:02}-{:02}", part.u16()?, part.u8()?, part.u8()?);
    Ok(if part.is_empty() { date } else { format!("{date} {}", clock(&mut part, 0)?) })
}

/// A sign, days and a time in 8 bytes, with microseconds 12; zero in 0.
fn span(reader: &mut Reader<'_>) -> Result<String, WireError> {
    let mut part = Reader::new(reader.counted()?);
    if part.is_empty() {
        return Ok("00:00:00".to_owned());
    }
    let sign = if part.u8()? == 0 { "" } else { "-" };
    let days = part.u32()?;
    Ok(format!("{sign}{}", clock(&mut part, days)?))
}

fn clock(part: &mut Reader<'_>, days: u32) -> Result<String, WireError> {
    let hours = u64::from(days) * 24 + u64::from(part.u8()?);
    let time = format!("{hours:02}:{:02}:{:02}", part.u8()?, part.u8()?);
    Ok(if part.is_empty() { time } else { format!("{time}.{:06}", part.u32()?) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(kind: u8, unsigned: bool, bytes: &[u8]) -> Value {
        Value::read(&mut Reader::new(bytes), (kind, unsigned)).unwrap()
    }

    #[test]
    fn numbers_keep_their_sign() {
        assert_eq!(read(0x01, false, &[0xFE]), Value::Signed(-2));
        assert_eq!(read(0x01, true, &[0xFE]), Value::Unsigned(254));
        assert_eq!(read(0x02, false, &[0, 0x80]), Value::Signed(-32768));
        assert_eq!(read(0x05, false, &1.5_f64.to_le_bytes()), Value::Float(1.5));
        assert_eq!(read(0x04, false, &(-0.25_f32).to_le_bytes()), Value::Float(-0.25));
    }

    #[test]
    fn moments_and_spans_become_text_as_sql_writes_it() {
        let text = |kind, bytes: &[u8]| match read(kind, false, bytes) {
            Value::Bytes(bytes) => String::from_utf8(bytes).unwrap(),
            other => panic!("{other:?}"),
        };
        assert_eq!(text(0x0A, &[4, 0xEA, 7, 2, 9]), "2026-02-09");
        assert_eq!(text(0x0C, &[11, 0xEA, 7, 2, 9, 1, 2, 3, 4, 0, 0, 0]), "2026-02-09 01:02:03.000004");
        assert_eq!(text(0x0B, &[8, 1, 2, 0, 0, 0, 3, 4, 5]), "-51:04:05");
        assert_eq!((text(0x0C, &[0]), text(0x0B, &[0])), ("0000-00-00".to_owned(), "00:00:00".to_owned()));
    }

    proptest! {
        #[test]
        fn whole_numbers_come_back(number in any::<i64>()) {
            prop_assert_eq!(read(0x08, false, &number.to_le_bytes()), Value::Signed(number));
            prop_assert_eq!(read(0x08, true, &number.to_le_bytes()), Value::Unsigned(number.cast_unsigned()));
        }
    }
}
