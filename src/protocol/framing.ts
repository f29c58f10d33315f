/**
 * Frames between client and compile server (`length:u32 type:u8 job:u32 body`), docs/protocol.md
 * §2. Pure: bytes to frames and back. What a body means is messages.ts.
 */
import { WIRE } from '../core/limits.js';
import { MalformedFrame } from './field-codec.js';

/** Frame types; the table in docs/protocol.md §2 says who sends which. */
export const FRAME = {
  hello: 0x01,
  welcome: 0x02,
  state: 0x03,
  ping: 0x04,
  pong: 0x05,
  aboutQuery: 0x06,
  about: 0x07,
  toolchainQuery: 0x10,
  toolchain: 0x11,
  entries: 0x12,
  options: 0x13,
  missing: 0x14,
  gone: 0x15,
  blobs: 0x16,
  precompiled: 0x17,
  job: 0x20,
  chunk: 0x21,
  cancel: 0x22,
  result: 0x23,
  refused: 0x24,
  pumpJob: 0x25,
  pumpResult: 0x26,
  goodbye: 0x30,
} as const;

export type FrameType = (typeof FRAME)[keyof typeof FRAME];

export interface Frame {
  readonly type: FrameType;
  /** Job that the frame belongs to, 0 for none. */
  readonly job: number;
  /** A view of the received bytes, valid as long as the reader keeps it. */
  readonly body: Uint8Array;
}

const LENGTH_SIZE = 4;
/** Type and job, which `length` counts besides the body. */
const PREFIX_SIZE = 5;
const HEADER_SIZE = LENGTH_SIZE + PREFIX_SIZE;
const LARGEST = PREFIX_SIZE + Math.max(WIRE.controlBytes, WIRE.chunkBytes);

const TYPES: ReadonlySet<number> = new Set(Object.values(FRAME));

/** What precedes a body of `bodyLength` bytes on the wire. */
export function frameHeader(type: FrameType, job: number, bodyLength: number): Buffer {
  const header = Buffer.allocUnsafe(HEADER_SIZE);
  header.writeUInt32LE(PREFIX_SIZE + bodyLength, 0);
  header.writeUInt8(type, LENGTH_SIZE);
  header.writeUInt32LE(job, LENGTH_SIZE + 1);
  return header;
}

/**
 * Cuts the byte stream of a peer into frames. Length and type are checked as soon as their bytes
 * are there, so a peer cannot make this side hold more than one frame of the allowed size.
 */
export class WireSplitter {
  #parts: Uint8Array[] = [];
  #size = 0;

  /** Adds bytes and yields each frame that is complete; throws MalformedFrame. */
  *push(bytes: Uint8Array): Generator<Frame> {
    if (bytes.length === 0) return;
    this.#parts.push(bytes);
    this.#size += bytes.length;
    while (this.#size >= LENGTH_SIZE) {
      const length = this.#checkedLength();
      if (this.#size < LENGTH_SIZE + length) return;
      const joined = this.#joined();
      const header = new DataView(joined.buffer, joined.byteOffset, HEADER_SIZE);
      const end = LENGTH_SIZE + length;
      this.#parts = this.#size === end ? [] : [joined.subarray(end)];
      this.#size -= end;
      yield {
        type: header.getUint8(LENGTH_SIZE) as FrameType,
        job: header.getUint32(LENGTH_SIZE + 1, true),
        body: joined.subarray(HEADER_SIZE, end),
      };
    }
  }

  /** Length of the next frame, checked with as much of its header as has arrived. */
  #checkedLength(): number {
    const head = this.#head();
    const length = head.getUint32(0, true);
    if (length < PREFIX_SIZE || length > LARGEST) {
      throw new MalformedFrame(
        `frame of ${length} bytes; ${PREFIX_SIZE} to ${LARGEST} are allowed`,
      );
    }
    if (head.byteLength > LENGTH_SIZE) {
      const type = head.getUint8(LENGTH_SIZE);
      if (!TYPES.has(type)) throw new MalformedFrame(`unknown frame type ${type}`);
      const limit = type === FRAME.chunk ? WIRE.chunkBytes : WIRE.controlBytes;
      if (length - PREFIX_SIZE > limit) {
        throw new MalformedFrame(
          `frame of type ${type} with ${length - PREFIX_SIZE} bytes; ${limit} are allowed`,
        );
      }
    }
    return length;
  }

  /** The first bytes received: a whole header unless fewer are there. */
  #head(): DataView {
    const wanted = Math.min(HEADER_SIZE, this.#size);
    const first = this.#parts[0];
    const head = first !== undefined && first.length >= wanted ? first : this.#joined();
    return new DataView(head.buffer, head.byteOffset, wanted);
  }

  #joined(): Uint8Array {
    const only = this.#parts[0];
    if (this.#parts.length === 1 && only !== undefined) return only;
    const joined = Buffer.concat(this.#parts, this.#size);
    this.#parts = [joined];
    return joined;
  }
}
