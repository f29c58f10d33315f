/**
 * The sections of an ELF file, in any class and byte order: what comparing two objects needs, and
 * no more. Every number in the file is checked against its size. Pure.
 */

/**
 * By class: bytes of the file's header, where in it the table of sections is named and where the
 * size of its entries; bytes of an entry, where in it are the section's place and size; bytes of
 * an address.
 */
const LAYOUT = {
  32: { header: 52, tableAt: 32, entrySizeAt: 46, entry: 40, offset: 16, size: 20, word: 4 },
  64: { header: 64, tableAt: 40, entrySizeAt: 58, entry: 64, offset: 24, size: 32, word: 8 },
} as const;

/** Section without contents in the file. */
const SHT_NOBITS = 8;
/** Number of the section of names that says: it is in the first header. */
const SHN_XINDEX = 0xffff;

export interface ElfSection {
  /** One character per byte. */
  readonly name: string;
  readonly type: number;
  /** The header without the places of name and contents: flags, alignment, links and the like. */
  readonly attributes: string;
  /** Bytes, in memory where the file has none. */
  readonly size: number;
  /** Empty for a section without contents in the file. */
  readonly bytes: Uint8Array;
}

/** Undefined for what is no ELF file, has no sections, or breaks the format. */
export function elfSections(file: Uint8Array): readonly ElfSection[] | undefined {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (bytes.length < 20 || bytes.toString('latin1', 0, 4) !== '\x7fELF') return undefined;
  const layout = bytes[4] === 1 ? LAYOUT[32] : bytes[4] === 2 ? LAYOUT[64] : undefined;
  if (layout === undefined || bytes.length < layout.header) return undefined;
  const isLittle = bytes[5] === 1;
  const u16 = (at: number) => (isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
  const u32 = (at: number) => (isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  const word = (at: number) => {
    if (layout.word === 4) return u32(at);
    return Number(isLittle ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at));
  };
  const table = word(layout.tableAt);
  const entry = u16(layout.entrySizeAt);
  if (table === 0 || entry < layout.entry || table + entry > bytes.length) return undefined;
  // More than 65,279 sections: the first header has the numbers.
  const count = u16(layout.entrySizeAt + 2) || word(table + layout.size);
  const given = u16(layout.entrySizeAt + 4);
  const names = given === SHN_XINDEX ? u32(table + layout.size + layout.word) : given;
  if (table + entry * count > bytes.length || names >= count) return undefined;

  const contents = (header: number): Buffer | undefined => {
    if (u32(header + 4) === SHT_NOBITS) return bytes.subarray(0, 0);
    const from = word(header + layout.offset);
    const to = from + word(header + layout.size);
    return to <= bytes.length ? bytes.subarray(from, to) : undefined;
  };
  const strings = contents(table + entry * names);
  if (strings === undefined) return undefined;
  const sections: ElfSection[] = [];
  for (let i = 0; i < count; i++) {
    const header = table + entry * i;
    const content = contents(header);
    const name = u32(header);
    const end = strings.indexOf(0, name);
    if (content === undefined || end < 0) return undefined;
    const afterSize = header + layout.size + layout.word;
    sections.push({
      name: strings.toString('latin1', name, end),
      type: u32(header + 4),
      attributes:
        bytes.toString('hex', header + 8, header + layout.offset) +
        bytes.toString('hex', afterSize, header + layout.entry),
      size: word(header + layout.size),
      bytes: content,
    });
  }
  return sections;
}
