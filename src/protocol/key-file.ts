/**
 * The pre-shared key of a cluster: one line `tscc-key 1 ID HEX64` in a file that only its owner
 * can read, the same on every host.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { describeError, errnoCode, EXIT, TsccError } from '../core/errors.js';

export interface Key {
  /** Which key this is, so that two can be in use while hosts change over; not secret. */
  readonly id: string;
  /** 256 bits. */
  readonly secret: Buffer;
}

const SECRET_BYTES = 32;
const LINE = /^tscc-key 1 ([A-Za-z0-9_.-]{1,64}) ([0-9a-f]{64})\n?$/;
/** More than any key file has; a wrong file is not read to its end. */
const LARGEST_FILE = 256;

/** A new random key with a random id. */
export function generateKey(): Key {
  return { id: randomBytes(6).toString('hex'), secret: randomBytes(SECRET_BYTES) };
}

/** The content of a key file, line end included. */
export function formatKey({ id, secret }: Key): string {
  return `tscc-key 1 ${id} ${secret.toString('hex')}\n`;
}

/** The key in a key file's content, undefined when it is none. */
export function parseKey(text: string): Key | undefined {
  const [, id, hex] = LINE.exec(text) ?? [];
  if (id === undefined || hex === undefined) return undefined;
  return { id, secret: Buffer.from(hex, 'hex') };
}

/**
 * Reads a key file. Rejects with a TsccError when it is missing, no key file, not the user's own,
 * or open to others: a key that others could have read protects nothing.
 *
 * @param uid user who must own it
 */
export async function readKeyFile(path: string, uid: number): Promise<Key> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const hint = errnoCode(error) === 'ENOENT' ? "; 'tscc keygen' makes one" : '';
    throw keyError(path, `cannot be read: ${describeError(error)}${hint}`);
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw keyError(path, 'is not a regular file');
    if (stat.uid !== uid) {
      throw keyError(path, `belongs to uid ${stat.uid}, not to you (uid ${uid}): chown it`);
    }
    if ((stat.mode & 0o077) !== 0) {
      const mode = (stat.mode & 0o777).toString(8).padStart(4, '0');
      throw keyError(path, `can be read by others (mode ${mode}): chmod 600 it`);
    }
    const buffer = Buffer.alloc(LARGEST_FILE);
    const { bytesRead } = await file.read(buffer, 0, LARGEST_FILE, 0);
    const key = parseKey(buffer.toString('latin1', 0, bytesRead));
    if (key === undefined) {
      throw keyError(path, "is not one line 'tscc-key 1 ID HEX' as 'tscc keygen' writes it");
    }
    return key;
  } finally {
    await file.close();
  }
}

function keyError(path: string, what: string): TsccError {
  return new TsccError(`key file ${path} ${what}`, EXIT.badArguments);
}
