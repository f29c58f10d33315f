/** The dynamic loader that an ELF program names, from the program's first bytes. */

const PT_INTERP = 3;

/** Bytes that hold the program headers and the loader's name in any program linked as usual. */
export const ELF_START_BYTES = 4096;

/** Path of the loader; undefined for a static program or something that is not ELF. */
export function elfInterpreter(start: Buffer): string | undefined {
  if (start.length < 64 || start.toString('latin1', 0, 4) !== '\x7fELF') return undefined;
  const is64 = start[4] === 2;
  const isLittle = start[5] === 1;
  const u16 = (at: number): number => (isLittle ? start.readUInt16LE(at) : start.readUInt16BE(at));
  const u32 = (at: number): number => (isLittle ? start.readUInt32LE(at) : start.readUInt32BE(at));
  const word = (at: number): number => {
    if (!is64) return u32(at);
    return Number(isLittle ? start.readBigUInt64LE(at) : start.readBigUInt64BE(at));
  };
  const headers = word(is64 ? 32 : 28);
  const size = u16(is64 ? 54 : 42);
  const count = u16(is64 ? 56 : 44);
  for (let i = 0; i < count; i++) {
    const header = headers + i * size;
    if (header + size > start.length || size < (is64 ? 56 : 32)) return undefined;
    if (u32(header) !== PT_INTERP) continue;
    const offset = word(header + (is64 ? 8 : 4));
    const length = word(header + (is64 ? 32 : 16));
    if (length < 2 || offset + length > start.length) return undefined;
    return start.toString('latin1', offset, offset + length - 1);
  }
  return undefined;
}
