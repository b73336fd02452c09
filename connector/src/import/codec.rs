//! What a file is wrapped in, by its first bytes: gzip, bzip2, Snappy frames or lzop around Parquet, or nothing.
//!
//! Parquet compresses inside itself; the suffixes that vendors document (`.parquet.gz`) suggest that people compress
//! once more. The first bytes decide; a suffix that says something else is only mentioned.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use super::lzo;

/// lzop writes blocks of 256 KiB, and none above 64 MiB.
const LZOP_BLOCK_BYTES_MAX: u32 = 64 * 1024 * 1024;

/// What a file is wrapped in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrapping {
    None,
    Gzip,
    Bzip2,
    SnappyFrames,
    Lzop,
}

const PARQUET: &[u8] = b"PAR1";
/// Parquet whose footer is encrypted.
const ENCRYPTED_PARQUET: &[u8] = b"PARE";
const LZOP: &[u8] = b"\x89LZO\0\r\n\x1a\n";
const SNAPPY: &[u8] = b"\xff\x06\0\0sNaPpY";

impl Wrapping {
    /// By the first bytes; `None` if they are those of nothing that can be read.
    pub(crate) fn of(first: &[u8]) -> Option<Self> {
        match first {
            _ if first.starts_with(PARQUET) => Some(Self::None),
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Some(Self::Bzip2),
            _ if first.starts_with(SNAPPY) => Some(Self::SnappyFrames),
            _ if first.starts_with(LZOP) => Some(Self::Lzop),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "Parquet",
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::SnappyFrames => "Snappy frames",
            Self::Lzop => "lzop",
        }
    }
}

/// Why a file could not be unwrapped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnwrapError {
    /// The file is wrong: a defect to report to its owner.
    #[error("{0}")]
    File(String),
    /// This machine is at fault.
    #[error("the spool file cannot be used: {0}")]
    Machine(io::Error),
}

/// What the first bytes of an unreadable file suggest.
pub(crate) fn describe(first: &[u8], bytes: u64) -> String {
    if bytes == 0 {
        return "the file is empty".to_owned();
    }
    if first.starts_with(ENCRYPTED_PARQUET) {
        return "the file is encrypted Parquet, whose keys are not known here".to_owned();
    }
    let guess = guess(first);
    let shown = hex::encode(first.get(..4).unwrap_or(first));
    format!(
        "the file is not Parquet, nor gzip, bzip2, Snappy frames or lzop around it: it begins with the bytes \
         {shown}{guess}"
    )
}

/// What bytes that are no beginning of a file to read may be of.
fn guess(first: &[u8]) -> &'static str {
    match first {
        [b'P', b'K', ..] => ", a ZIP archive",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => ", Zstandard",
        [b'{' | b'[', ..] => ", JSON",
        [b'O', b'b', b'j', 1, ..] => ", Avro",
        [b'O', b'R', b'C', ..] => ", ORC",
        [b'A', b'R', b'R', b'O', b'W', b'1', ..] => ", an Arrow or Feather file",
        [b'S', b'Q', b'L', b'i', b't', b'e', ..] => ", SQLite",
        [0xef, 0xbb, 0xbf, ..] => ", text, perhaps CSV",
        _ if first.len() > 3
            && first.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n')) =>
        {
            ", text, perhaps CSV"
        }
        _ => "",
    }
}

/// What is wrong with a file that should be Parquet from its first byte to its last, as far as its ends tell.
pub(crate) fn ends(file: &mut File) -> io::Result<Option<String>> {
    let bytes = file.seek(SeekFrom::End(0))?;
    let mut first = Vec::with_capacity(16);
    file.seek(SeekFrom::Start(0))?;
    Read::by_ref(file).take(16).read_to_end(&mut first)?;
    if !first.starts_with(PARQUET) {
        return Ok(Some(match Wrapping::of(&first) {
            Some(wrapping) => {
                format!(
                    "what was packed is packed once more, by {}; only one packing is undone",
                    wrapping.name()
                )
            }
            None => format!("unpacked, {}", describe(&first, bytes)),
        }));
    }
    let mut last = [0; 4];
    // Magic at both ends, the length of the footer and something in it.
    if bytes > 12 {
        file.seek(SeekFrom::End(-4))?;
        file.read_exact(&mut last)?;
    }
    file.seek(SeekFrom::Start(0))?;
    Ok((last != *PARQUET && last != *ENCRYPTED_PARQUET).then(|| {
        format!(
            "the file is cut off, or was still being written: it begins as Parquet and does not end so after {bytes} bytes; \
             upload it again"
        )
    }))
}

/// Writes what `file` holds, unwrapped, to a file of its own, which has at most `limit` bytes.
pub(crate) fn unwrap(file: &mut File, wrapping: Wrapping, limit: u64) -> Result<File, UnwrapError> {
    file.seek(SeekFrom::Start(0)).map_err(UnwrapError::Machine)?;
    let input = BufReader::with_capacity(256 * 1024, &mut *file);
    let mut reader: Box<dyn Read + '_> = match wrapping {
        Wrapping::None => Box::new(input),
        Wrapping::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(input)),
        Wrapping::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(input)),
        Wrapping::SnappyFrames => Box::new(snap::read::FrameDecoder::new(input)),
        Wrapping::Lzop => Box::new(Lzop::new(input)),
    };
    let mut output = BufWriter::new(tempfile::tempfile().map_err(UnwrapError::Machine)?);
    let mut buffer = vec![0; 256 * 1024];
    let mut total = 0_u64;
    loop {
        let count = reader.read(&mut buffer).map_err(|error| {
            UnwrapError::File(format!(
                "the {} around the file is damaged or cut off: {error}",
                wrapping.name()
            ))
        })?;
        if count == 0 {
            break;
        }
        total += count as u64;
        if total > limit {
            return Err(UnwrapError::File(format!(
                "the file unpacks to more than {limit} bytes; split it, or raise `limits.unpacked_mib`"
            )));
        }
        output.write_all(buffer.get(..count).unwrap_or_default()).map_err(UnwrapError::Machine)?;
    }
    let mut output = output.into_inner().map_err(|error| UnwrapError::Machine(error.into_error()))?;
    output.seek(SeekFrom::Start(0)).map_err(UnwrapError::Machine)?;
    Ok(output)
}

/// Reads the container of lzop: a header, then blocks of LZO1X with their sizes.
///
/// Source: the format as lzop writes it. Checksums of blocks are passed over; Parquet has its own structure to fail on.
struct Lzop<R> {
    input: R,
    block: Vec<u8>,
    at: usize,
    flags: Option<u32>,
}

impl<R: Read> Lzop<R> {
    fn new(input: R) -> Self {
        Self { input, block: Vec::new(), at: 0, flags: None }
    }

    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn number(&mut self) -> io::Result<u32> {
        self.bytes().map(u32::from_be_bytes)
    }

    fn skip(&mut self, count: u64) -> io::Result<()> {
        let copied = io::copy(&mut (&mut self.input).take(count), &mut io::sink())?;
        if copied == count { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    fn header(&mut self) -> io::Result<u32> {
        let _magic: [u8; 9] = self.bytes()?;
        let version = u16::from_be_bytes(self.bytes()?);
        let _library: [u8; 2] = self.bytes()?;
        if version >= 0x0940 {
            let _needed: [u8; 2] = self.bytes()?;
        }
        let [method] = self.bytes()?;
        if !(1..=3).contains(&method) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("method {method} is not LZO1X")));
        }
        if version >= 0x0940 {
            let _level: [u8; 1] = self.bytes()?;
        }
        let flags = self.number()?;
        if flags & 0x800 != 0 {
            let _filter = self.number()?;
        }
        let _mode_and_time: [u8; 8] = self.bytes()?;
        if version >= 0x0940 {
            let _time_high: [u8; 4] = self.bytes()?;
        }
        let [name_length] = self.bytes()?;
        self.skip(name_length.into())?;
        let _checksum = self.number()?;
        if flags & 0x40 != 0 {
            let extra = self.number()?;
            self.skip(u64::from(extra) + 4)?;
        }
        Ok(flags)
    }

    /// The next block; an empty one ends the file.
    fn fill(&mut self) -> io::Result<()> {
        let flags = match self.flags {
            Some(flags) => flags,
            None => self.header()?,
        };
        self.flags = Some(flags);
        self.at = 0;
        self.block.clear();
        let plain = self.number()?;
        if plain == 0 {
            return Ok(());
        }
        let packed = self.number()?;
        if plain > LZOP_BLOCK_BYTES_MAX || packed > plain {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a block has an impossible size"));
        }
        let of_plain = u64::from((flags & 1) + ((flags >> 8) & 1)) * 4;
        let of_packed = u64::from(((flags >> 1) & 1) + ((flags >> 9) & 1)) * 4;
        self.skip(of_plain + if packed < plain { of_packed } else { 0 })?;
        let mut data = Vec::new();
        (&mut self.input).take(packed.into()).read_to_end(&mut data)?;
        if data.len() as u64 != u64::from(packed) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if packed == plain {
            self.block = data;
            return Ok(());
        }
        let unpacked = lzo::decompress(&data, plain as usize)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
        if unpacked.len() != plain as usize {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a block has another size than it says"));
        }
        self.block = unpacked;
        Ok(())
    }
}

impl<R: Read> Read for Lzop<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.block.len() {
            if self.flags.is_some() && self.block.is_empty() {
                return Ok(0);
            }
            self.fill()?;
        }
        let rest = self.block.get(self.at..).unwrap_or_default();
        let count = rest.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.at += count;
        Ok(count)
    }
}
