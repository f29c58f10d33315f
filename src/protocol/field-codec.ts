/**
 * Tagged fields (`tag:u8 length:u32 bytes`), the encoding that the C programs share: see
 * docs/protocol.md, "Fields". Pure functions over buffers.
 */
import { fromBytes, type ByteString } from '../core/byte-string.js';

const HEADER = 5;

export type FieldValue = ByteString | number | bigint | Uint8Array;

/** Appends fields in call order; `finish` gives one frame of the given type. */
export class FieldWriter {
  readonly #fields: { readonly tag: number; readonly bytes: Uint8Array | string }[] = [];
  #length = 0;

  /** A number becomes a u32, a bigint a u64, a ByteString its bytes. */
  add(tag: number, value: FieldValue): this {
    const bytes =
      typeof value === 'number' ? u32(value) : typeof value === 'bigint' ? u64(value) : value;
    this.#fields.push({ tag, bytes });
    this.#length += HEADER + bytes.length;
    return this;
  }

  addAll(tag: number, values: Iterable<FieldValue>): this {
    for (const value of values) this.add(tag, value);
    return this;
  }

  /** `length:u32 type:u8` and the fields. */
  finish(type: number): Buffer {
    const frame = Buffer.allocUnsafe(4 + 1 + this.#length);
    let at = frame.writeUInt32LE(1 + this.#length, 0);
    at = frame.writeUInt8(type, at);
    for (const { tag, bytes } of this.#fields) {
      at = frame.writeUInt8(tag, at);
      at = frame.writeUInt32LE(bytes.length, at);
      if (typeof bytes === 'string') frame.write(bytes, at, 'latin1');
      else frame.set(bytes, at);
      at += bytes.length;
    }
    return frame;
  }
}

/** What these values take up in a frame, one field each. */
export function fieldBytes(values: readonly ByteString[]): number {
  return values.reduce((sum, value) => sum + HEADER + value.length, 0);
}

/** A frame whose whole body is raw bytes. */
export function bytesFrame(type: number, body: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(5 + body.length);
  frame.writeUInt32LE(1 + body.length, 0);
  frame.writeUInt8(type, 4);
  frame.set(body, 5);
  return frame;
}

/** The fields of one frame body, by tag, in order. */
export class Fields {
  readonly #byTag = new Map<number, Uint8Array[]>();

  /** Throws MalformedFrame when a field runs past the body. */
  constructor(body: Uint8Array) {
    const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    let at = 0;
    while (at < body.length) {
      if (at + HEADER > body.length) throw new MalformedFrame('a field header is cut short');
      const tag = view.getUint8(at);
      const end = at + HEADER + view.getUint32(at + 1, true);
      if (end > body.length) throw new MalformedFrame(`field ${tag} runs past its frame`);
      const bytes = body.subarray(at + HEADER, end);
      const sameTag = this.#byTag.get(tag);
      if (sameTag === undefined) this.#byTag.set(tag, [bytes]);
      else sameTag.push(bytes);
      at = end;
    }
  }

  /** First field with this tag; throws MalformedFrame when there is none. */
  bytes(tag: number): Uint8Array {
    const value = this.#byTag.get(tag)?.[0];
    if (value === undefined) throw new MalformedFrame(`field ${tag} is missing`);
    return value;
  }

  has(tag: number): boolean {
    return this.#byTag.has(tag);
  }

  string(tag: number): ByteString {
    return fromBytes(this.bytes(tag));
  }

  strings(tag: number): ByteString[] {
    return (this.#byTag.get(tag) ?? []).map(fromBytes);
  }

  number(tag: number): number {
    const bytes = this.bytes(tag);
    if (bytes.length !== 4) throw new MalformedFrame(`field ${tag} is not a u32`);
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  }

  bigNumber(tag: number): bigint {
    const bytes = this.bytes(tag);
    if (bytes.length !== 8) throw new MalformedFrame(`field ${tag} is not a u64`);
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  }
}

/** The peer broke the protocol: its connection is closed, nothing else is touched. */
export class MalformedFrame extends Error {
  override readonly name = 'MalformedFrame';
}

/**
 * Cuts a byte stream into frames (`length:u32 type:u8 body`). The length is checked before
 * anything is kept, and no copy is made of a frame that arrived in one piece.
 */
export class FrameSplitter {
  readonly #maximum: number;
  #parts: Uint8Array[] = [];
  #size = 0;

  /** @param maximum largest allowed value of `length`, in bytes */
  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** Adds bytes and yields each frame that is complete. Throws MalformedFrame on a bad length. */
  *push(bytes: Uint8Array): Generator<{ readonly type: number; readonly body: Uint8Array }> {
    this.#parts.push(bytes);
    this.#size += bytes.length;
    while (this.#size >= 4) {
      const length = this.#peekLength();
      if (length < 1 || length > this.#maximum) {
        throw new MalformedFrame(`frame of ${length} bytes; 1 to ${this.#maximum} are allowed`);
      }
      if (this.#size < 4 + length) return;
      const joined = this.#joined();
      const frame = joined.subarray(4, 4 + length);
      const rest = joined.subarray(4 + length);
      this.#parts = rest.length === 0 ? [] : [rest];
      this.#size = rest.length;
      yield { type: frame[0] ?? 0, body: frame.subarray(1) };
    }
  }

  #peekLength(): number {
    const first = this.#parts[0];
    const head = first !== undefined && first.length >= 4 ? first : this.#joined();
    return new DataView(head.buffer, head.byteOffset, 4).getUint32(0, true);
  }

  #joined(): Uint8Array {
    const only = this.#parts[0];
    if (this.#parts.length === 1 && only !== undefined) return only;
    const joined = Buffer.concat(this.#parts, this.#size);
    this.#parts = [joined];
    return joined;
  }
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

function u64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes;
}
