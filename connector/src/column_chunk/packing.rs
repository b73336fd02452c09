//! Numbers in few bits, as the pages of Parquet hold them.
//!
//! Formats: "Data encodings" of the Parquet specification, sections 3 (run length and bit packing) and 5 (deltas).

/// Bytes of levels, eight levels each, from which on a run of equal ones is written as such.
const LEVEL_RUN_MIN: usize = 4;
/// Deltas of a block, which has one least delta.
const BLOCK: usize = 128;
/// Deltas of a part of a block, which has one width.
const MINIBLOCK: usize = 32;

/// A number in groups of seven bits, the lowest first.
fn push_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(low_byte(number) | 0x80);
        number >>= 7;
    }
    out.push(low_byte(number));
}

/// A number with a sign so that those near zero are short.
fn push_zigzag(out: &mut Vec<u8>, number: i64) {
    push_varint(out, ((number << 1) ^ (number >> 63)).cast_unsigned());
}

fn low_byte(number: u64) -> u8 {
    let [low, ..] = number.to_le_bytes();
    low
}

/// Bits that a number needs.
pub(super) fn width_of(number: u64) -> u32 {
    u64::BITS - number.leading_zeros()
}

/// Numbers of `width` bits (1 to 64) without gaps; the last byte is filled up.
fn pack(out: &mut Vec<u8>, numbers: impl Iterator<Item = u64>, width: u32) {
    let (mut word, mut used) = (0_u64, 0);
    for number in numbers {
        word |= number << used;
        used += width;
        if used >= u64::BITS {
            out.extend_from_slice(&word.to_le_bytes());
            used -= u64::BITS;
            word = if used == 0 { 0 } else { number >> (width - used) };
        }
    }
    out.extend(word.to_le_bytes().into_iter().take(used.div_ceil(8) as usize));
}

/// Numbers of `width` bits as groups of eight; the last group is filled up with zeros.
fn push_groups(out: &mut Vec<u8>, numbers: &[u32], width: u32) {
    if numbers.is_empty() {
        return;
    }
    let groups = numbers.len().div_ceil(8);
    push_varint(out, (groups as u64) << 1 | 1);
    let padding = std::iter::repeat_n(0, groups * 8 - numbers.len());
    pack(out, numbers.iter().map(|number| u64::from(*number)).chain(padding), width);
}

/// Numbers of `width` bits (1 to 32), repetitions as runs.
pub(super) fn push_numbers(out: &mut Vec<u8>, numbers: &[u32], width: u32) {
    let run_min = (32 / width.max(1) as usize).max(8);
    // The first numbers of the rest, which no run has ended yet.
    let (mut rest, mut single) = (numbers, 0);
    while let Some(first) = rest.get(single) {
        let run = rest.iter().skip(single).take_while(|number| *number == first).count();
        // Groups before a run must be whole.
        let fill = single.next_multiple_of(8) - single;
        if run < fill + run_min {
            single += run;
            continue;
        }
        let (before, behind) = rest.split_at(single + fill);
        push_groups(out, before, width);
        push_varint(out, ((run - fill) as u64) << 1);
        out.extend(first.to_le_bytes().into_iter().take(width.div_ceil(8) as usize));
        rest = behind.get(run - fill..).unwrap_or_default();
        single = 0;
    }
    push_groups(out, rest, width);
}

/// Levels of one bit, eight in a byte, with the length before them that the first version of data pages has.
pub(super) fn push_levels(out: &mut Vec<u8>, bits: &[u8], levels: usize) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    let whole = bits.get(..levels / 8).unwrap_or_default();
    let (mut rest, mut single) = (whole, 0);
    let push_single = |out: &mut Vec<u8>, bytes: &[u8]| {
        if !bytes.is_empty() {
            push_varint(out, (bytes.len() as u64) << 1 | 1);
            out.extend_from_slice(bytes);
        }
    };
    while let Some(first) = rest.get(single) {
        let run = rest.iter().skip(single).take_while(|byte| *byte == first).count();
        if run < LEVEL_RUN_MIN || !matches!(*first, 0 | u8::MAX) {
            single += run;
            continue;
        }
        let (before, behind) = rest.split_at(single);
        push_single(out, before);
        push_varint(out, (run as u64 * 8) << 1);
        out.push(first & 1);
        rest = behind.get(run..).unwrap_or_default();
        single = 0;
    }
    push_single(out, rest);
    if let Some(last) = bits.get(levels / 8).filter(|_| !levels.is_multiple_of(8)) {
        push_single(out, &[last & ((1 << (levels % 8)) - 1)]);
    }
    let length = u32::try_from(out.len() - start - 4).unwrap_or_default();
    if let Some(place) = out.get_mut(start..start + 4) {
        place.copy_from_slice(&length.to_le_bytes());
    }
}

/// Numbers as differences to the one before, in blocks.
pub(super) fn push_deltas(out: &mut Vec<u8>, numbers: &[i64]) {
    push_varint(out, BLOCK as u64);
    push_varint(out, (BLOCK / MINIBLOCK) as u64);
    push_varint(out, numbers.len() as u64);
    push_zigzag(out, numbers.first().copied().unwrap_or_default());
    let mut deltas = [0_i64; BLOCK];
    let behind = numbers.get(1..).unwrap_or_default();
    for (block, before) in behind.chunks(BLOCK).zip(numbers.chunks(BLOCK)) {
        for ((delta, number), before) in deltas.iter_mut().zip(block).zip(before) {
            *delta = number.wrapping_sub(*before);
        }
        let deltas = deltas.get(..block.len()).unwrap_or_default();
        let least = deltas.iter().copied().min().unwrap_or_default();
        push_zigzag(out, least);
        let above = |delta: &i64| delta.wrapping_sub(least).cast_unsigned();
        let width = |part: &[i64]| width_of(part.iter().map(above).max().unwrap_or_default());
        let widths = deltas.chunks(MINIBLOCK).map(|part| low_byte(u64::from(width(part))));
        out.extend(widths.chain(std::iter::repeat(0)).take(BLOCK / MINIBLOCK));
        for part in deltas.chunks(MINIBLOCK) {
            let width = width(part);
            if width > 0 {
                let padding = std::iter::repeat_n(0, MINIBLOCK - part.len());
                pack(out, part.iter().map(above).chain(padding), width);
            }
        }
    }
}
