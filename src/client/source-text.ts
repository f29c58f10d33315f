/** What a preprocessed source tells about how it may travel. Pure searches over bytes. */
import type { ByteString } from '../core/byte-string.js';

/**
 * Whether inline assembly may read a file: `.incbin` or `.include`, also when the directive is
 * pieced together from adjacent string literals (`".inc" "bin"`). The server would look for the
 * file on its own disk. A hit in ordinary text costs one local compile.
 */
export function mayReadFiles(source: Buffer): boolean {
  for (let at = source.indexOf('.inc'); at >= 0; at = source.indexOf('.inc', at + 4)) {
    const next = source.toString('latin1', at + 4, at + 8);
    if (/^(bin|lude|b?"|l?u?d?"|\\)/.test(next)) return true;
  }
  return false;
}

/**
 * What puts a column number into the object. Preprocessing moves columns wherever a macro is
 * expanded, so such a source is compiled where it stands.
 */
const COLUMN_BUILTINS = ['__builtin_source_location', '__builtin_COLUMN'];

export function asksForColumns(source: Buffer): boolean {
  return COLUMN_BUILTINS.some((name) => source.includes(name));
}

/**
 * A source that came preprocessed, named as the compiler would name it: the server has it under
 * another name, and without a line marker at its beginning that one would stand in the object.
 */
export function withName(source: Buffer, name: ByteString): Buffer {
  if (/^#(?:line)? ?[0-9]+ "/.test(source.toString('latin1', 0, 32))) return source;
  const quoted = name.replaceAll(/["\\]/g, String.raw`\$&`);
  return Buffer.concat([Buffer.from(`# 1 "${quoted}"\n`, 'latin1'), source]);
}
