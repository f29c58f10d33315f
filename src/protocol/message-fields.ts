/** Checked access to the fields of a decoded message body. Pure. */
import type { ByteString } from '../core/byte-string.js';
import { isDigest, type Digest } from '../core/digest.js';
import { WIRE } from '../core/limits.js';
import { MalformedFrame } from './field-codec.js';

/** Bytes without NUL, one per character, as file names and arguments have them. */
// eslint-disable-next-line no-control-regex
const BYTE_STRING = /^[\u0001-\u00ff]*$/;

/** A map that a peer sent. Each method gives one field or throws MalformedFrame. */
export class MessageFields {
  readonly #values: { readonly [name: string]: unknown };

  constructor(values: { readonly [name: string]: unknown }) {
    this.#values = values;
  }

  isNull(name: string): boolean {
    return this.#values[name] === null;
  }

  boolean(name: string): boolean {
    const value = this.#values[name];
    if (typeof value !== 'boolean') throw wrong(name, 'true or false');
    return value;
  }

  /** Whole number from 0 to `maximum`. */
  integer(name: string, maximum: number): number {
    const value = this.#values[name];
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > maximum) {
      throw wrong(name, `a whole number from 0 to ${maximum}`);
    }
    return value;
  }

  nonNegative(name: string): number {
    const value = this.#values[name];
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
      throw wrong(name, 'a number from 0');
    }
    return value;
  }

  /** Text for people of at most `maximum` characters. */
  text(name: string, maximum: number): string {
    const value = this.#values[name];
    if (typeof value !== 'string' || value.length > maximum) {
      throw wrong(name, `text of at most ${maximum} characters`);
    }
    return value;
  }

  texts(name: string, maximum: number): string[] {
    const value = this.#values[name];
    if (!Array.isArray(value)) throw wrong(name, 'a list');
    return value.map((item: unknown) => {
      if (typeof item !== 'string' || item.length > maximum) {
        throw wrong(name, `a list of texts of at most ${maximum} characters`);
      }
      return item;
    });
  }

  byteString(name: string, maximum: number): ByteString {
    const value = this.#values[name];
    if (!isByteString(value, maximum)) throw wrong(name, `at most ${maximum} bytes, none NUL`);
    return value;
  }

  /** Raw bytes, of which nothing is copied. */
  bytes(name: string, maximum: number): Uint8Array {
    const value = this.#values[name];
    if (!(value instanceof Uint8Array) || value.length > maximum) {
      throw wrong(name, `at most ${maximum} bytes`);
    }
    return value;
  }

  /** A list whose items are for the caller to check. */
  list(name: string): readonly unknown[] {
    const value = this.#values[name];
    if (!Array.isArray(value)) throw wrong(name, 'a list');
    return value;
  }

  byteStrings(name: string, maximum: number): ByteString[] {
    return this.list(name).map((item) => {
      if (!isByteString(item, maximum)) throw wrong(name, 'a list of byte strings');
      return item;
    });
  }

  digest(name: string): Digest {
    const value = this.#values[name];
    if (!isDigest(value)) throw wrong(name, 'a SHA-256 in hex');
    return value;
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T {
    const value = allowed.find((one) => one === this.#values[name]);
    if (value === undefined) throw wrong(name, `one of ${allowed.join(', ')}`);
    return value;
  }

  /** List of [name, value or null]. */
  pairs(name: string): (readonly [ByteString, ByteString | null])[] {
    const list = this.#values[name];
    if (!Array.isArray(list)) throw wrong(name, 'a list');
    return list.map((pair: unknown) => {
      if (!Array.isArray(pair) || pair.length !== 2) throw wrong(name, 'a list of pairs');
      const [key, value] = pair as [unknown, unknown];
      if (!isByteString(key, WIRE.nameBytes)) throw wrong(name, 'a list of [name, value]');
      if (value !== null && !isByteString(value, WIRE.controlBytes)) {
        throw wrong(name, 'a list of [name, value or null]');
      }
      return [key, value];
    });
  }
}

export function isByteString(value: unknown, maximum: number): value is ByteString {
  return typeof value === 'string' && value.length <= maximum && BYTE_STRING.test(value);
}

function wrong(name: string, expected: string): MalformedFrame {
  return new MalformedFrame(`field '${name}' is not ${expected}`);
}
