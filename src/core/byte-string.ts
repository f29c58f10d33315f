/**
 * File names and arguments are bytes on Unix, not text. A ByteString holds such bytes in a
 * JavaScript string, one character (U+0000–U+00FF) per byte, so that `startsWith`, `slice` and
 * look-ups in option tables work as on text, and a name that is not UTF-8 survives unharmed.
 *
 * Only three places convert: the wire codecs (bytes in, bytes out), `src/platform` (system calls)
 * and `toText` (anything that a person or JSON reads).
 */
export type ByteString = string;

/** The bytes of a buffer as a ByteString. */
export function fromBytes(bytes: Uint8Array): ByteString {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** The bytes of a ByteString. */
export function toBytes(value: ByteString): Buffer {
  return Buffer.from(value, 'latin1');
}

/** Ordinary text (a JavaScript string in Unicode) as its UTF-8 bytes. */
export function fromText(text: string): ByteString {
  // eslint-disable-next-line no-control-regex
  return /^[\0-\x7f]*$/.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** For people and JSON: UTF-8 decoded, bytes that are not UTF-8 shown as U+FFFD. */
export function toText(value: ByteString): string {
  // eslint-disable-next-line no-control-regex
  return /^[\0-\x7f]*$/.test(value) ? value : toBytes(value).toString('utf8');
}

/** Last component of a path, as basename(1) gives it for a path without trailing slashes. */
export function baseName(path: ByteString): ByteString {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Everything before the last slash; `.` without one, `/` for a file in the root directory. */
export function directoryName(path: ByteString): ByteString {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '.' : slash === 0 ? '/' : path.slice(0, slash);
}

/** `path` as seen from `directory`; an absolute path stays as it is. No `..` is resolved. */
export function joinPath(directory: ByteString, path: ByteString): ByteString {
  if (path.startsWith('/')) return path;
  return directory.endsWith('/') ? directory + path : `${directory}/${path}`;
}
