/**
 * Paths are bytes held in a latin1 string, as everywhere (see core/byte-string.ts; this layer is
 * below it and knows only that each character is a byte).
 */
export type PathBytes = string;

/** A path as node:fs takes it: text where it is ASCII, which is cheaper, else its bytes. */
export function systemPath(path: PathBytes): string | Buffer {
  // eslint-disable-next-line no-control-regex
  return /^[\0-\x7f]*$/.test(path) ? path : Buffer.from(path, 'latin1');
}
