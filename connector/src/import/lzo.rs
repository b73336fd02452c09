//! LZO1X, unpacked: each instruction copies from what came before, or takes bytes as they are.
//!
//! Source: the description of the stream in the documentation of the Linux kernel (`lzo.txt`). Written here because the
//! crates that read it panic on hostile input or have no limit; this one stops at the size that the block announces.

/// Why a block is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LzoError {
    #[error("an LZO block is cut off")]
    CutOff,
    #[error("an LZO block refers to bytes before its beginning")]
    TooFarBack,
    #[error("an LZO block is longer than it says")]
    TooLong,
}

struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    fn byte(&mut self) -> Result<usize, LzoError> {
        let (first, rest) = self.rest.split_first().ok_or(LzoError::CutOff)?;
        self.rest = rest;
        Ok((*first).into())
    }

    fn pair(&mut self) -> Result<usize, LzoError> {
        Ok(self.byte()? | self.byte()? << 8)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], LzoError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(LzoError::CutOff)?;
        self.rest = rest;
        Ok(taken)
    }

    /// A length that does not fit its instruction: zeros count 255 each, then the rest.
    fn length(&mut self, short: usize, base: usize) -> Result<usize, LzoError> {
        if short > 0 {
            return Ok(short);
        }
        let mut length = base;
        loop {
            match self.byte()? {
                0 => length = length.checked_add(255).ok_or(LzoError::TooLong)?,
                last => return Ok(length + last),
            }
        }
    }
}

/// The `size` bytes that a block holds.
pub(crate) fn decompress(block: &[u8], size: usize) -> Result<Vec<u8>, LzoError> {
    let mut input = Input { rest: block };
    let mut output = Vec::with_capacity(size);
    // How many bytes the last instruction took as they are: none, one to three, or four and more.
    let mut literals = 0;
    if *block.first().ok_or(LzoError::CutOff)? >= 18 {
        let count = input.byte()? - 17;
        literal(&mut output, input.take(count)?, size)?;
        literals = count.min(4);
    }
    loop {
        let instruction = input.byte()?;
        let (distance, length, trailing) = match instruction {
            64.. => {
                let length = (instruction >> 5) + 1;
                let distance = (input.byte()? << 3) + (instruction >> 2 & 7) + 1;
                (distance, length, instruction & 3)
            }
            32..64 => {
                let length = input.length(instruction & 31, 31)? + 2;
                let pair = input.pair()?;
                ((pair >> 2) + 1, length, pair & 3)
            }
            16..32 => {
                let length = input.length(instruction & 7, 7)? + 2;
                let pair = input.pair()?;
                let distance = 16_384 + ((instruction & 8) << 11) + (pair >> 2);
                if distance == 16_384 {
                    return Ok(output);
                }
                (distance, length, pair & 3)
            }
            _ if literals == 0 => {
                let count = input.length(instruction, 15)? + 3;
                literal(&mut output, input.take(count)?, size)?;
                literals = 4;
                continue;
            }
            _ if literals < 4 => {
                let distance = (input.byte()? << 2) + (instruction >> 2) + 1;
                (distance, 2, instruction & 3)
            }
            _ => {
                let distance = (input.byte()? << 2) + (instruction >> 2) + 2049;
                (distance, 3, instruction & 3)
            }
        };
        copy(&mut output, distance, length, size)?;
        literal(&mut output, input.take(trailing)?, size)?;
        literals = trailing;
    }
}

fn literal(output: &mut Vec<u8>, bytes: &[u8], size: usize) -> Result<(), LzoError> {
    if output.len() + bytes.len() > size {
        return Err(LzoError::TooLong);
    }
    output.extend_from_slice(bytes);
    Ok(())
}

/// Source and target may overlap: a short pattern repeats.
fn copy(output: &mut Vec<u8>, distance: usize, length: usize, size: usize) -> Result<(), LzoError> {
    let start = output.len().checked_sub(distance).ok_or(LzoError::TooFarBack)?;
    if output.len() + length > size {
        return Err(LzoError::TooLong);
    }
    for from in start..start + length {
        output.push(*output.get(from).ok_or(LzoError::TooFarBack)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{LzoError, decompress};

    proptest! {
        /// Blocks of a writer that is not ours.
        #[test]
        fn what_another_writer_packs_is_unpacked(
            parts in prop::collection::vec((prop::collection::vec(any::<u8>(), 1..40), 1_usize..60), 1..40),
        ) {
            let plain: Vec<u8> = parts.iter().flat_map(|(part, times)| part.repeat(*times)).collect();
            let packed = lzokay_native::compress(&plain).unwrap();
            prop_assert_eq!(decompress(&packed, plain.len()), Ok(plain.clone()));
            prop_assert!(decompress(&packed, plain.len() - 1).is_err());
            prop_assert!(decompress(&packed[..packed.len() - 1], plain.len()).is_err());
        }

        #[test]
        fn no_bytes_do_harm(block in prop::collection::vec(any::<u8>(), 0..200), size in 0_usize..2000) {
            if let Ok(plain) = decompress(&block, size) {
                prop_assert!(plain.len() <= size);
            }
        }
    }

    #[test]
    fn a_reference_before_the_beginning_is_refused() {
        assert_eq!(decompress(&[18, b'a', 0x40, 0xff], 100), Err(LzoError::TooFarBack));
        assert_eq!(decompress(&[], 1), Err(LzoError::CutOff));
    }
}
