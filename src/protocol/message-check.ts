/**
 * Looks at the raw bytes of a msgpack body before a decoder sees them: a few bytes of nested
 * headers can make a decoder allocate hundreds of megabytes or overflow its stack. Allocates
 * nothing but a stack of at most WIRE.depth entries.
 */
import { WIRE } from '../core/limits.js';
import { MalformedFrame } from './field-codec.js';

/** An array or map whose items are being read. */
interface Open {
  /** Values still to come; a map counts keys and values. */
  left: number;
  readonly isMap: boolean;
}

type Item =
  | { readonly kind: 'scalar'; readonly size: number; readonly isString: boolean }
  | {
      readonly kind: 'container';
      readonly size: number;
      readonly count: number;
      readonly isMap: boolean;
    };

/**
 * Throws MalformedFrame unless `body` is exactly one msgpack map with string keys, no extension
 * types, nesting ≤ WIRE.depth, no array or map of more than WIRE.elements elements, and no length
 * that points past its end.
 */
export function checkMessageBytes(body: Uint8Array): void {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const open: Open[] = [];
  let at = 0;
  do {
    const inner = open.at(-1);
    const item = readItem(view, at);
    if (inner === undefined && !(item.kind === 'container' && item.isMap)) {
      throw new MalformedFrame('the body is not a map');
    }
    if (inner?.isMap === true && inner.left % 2 === 0 && !isString(item)) {
      throw new MalformedFrame('a map key is not a string');
    }
    if (item.size > body.length - at) throw new MalformedFrame('a value runs past its frame');
    at += item.size;
    if (inner !== undefined) inner.left--;
    if (item.kind === 'container') {
      if (item.count > WIRE.elements) {
        throw new MalformedFrame(`${item.count} elements; ${WIRE.elements} are allowed`);
      }
      if (open.length === WIRE.depth) {
        throw new MalformedFrame(`nested deeper than ${WIRE.depth} levels`);
      }
      open.push({ left: item.isMap ? 2 * item.count : item.count, isMap: item.isMap });
    }
    while (open.at(-1)?.left === 0) open.pop();
  } while (open.length > 0);
  if (at !== body.length) throw new MalformedFrame('bytes after the end of the map');
}

function isString(item: Item): boolean {
  return item.kind === 'scalar' && item.isString;
}

const scalar = (size: number): Item => ({ kind: 'scalar', size, isString: false });
const text = (size: number): Item => ({ kind: 'scalar', size, isString: true });
const array = (size: number, count: number): Item => ({
  kind: 'container',
  size,
  count,
  isMap: false,
});
const map = (size: number, count: number): Item => ({
  kind: 'container',
  size,
  count,
  isMap: true,
});

/** The item that starts at `at`; for a container, `size` is that of its header. */
function readItem(view: DataView, at: number): Item {
  const u8 = (offset: number) => need(view, at + offset, 1).getUint8(at + offset);
  const u16 = (offset: number) => need(view, at + offset, 2).getUint16(at + offset);
  const u32 = (offset: number) => need(view, at + offset, 4).getUint32(at + offset);
  const head = u8(0);
  if (head <= 0x7f || head >= 0xe0) return scalar(1);
  if (head <= 0x8f) return map(1, head & 0x0f);
  if (head <= 0x9f) return array(1, head & 0x0f);
  if (head <= 0xbf) return text(1 + (head & 0x1f));
  switch (head) {
    case 0xc0: // nil
    case 0xc2: // false
    case 0xc3: // true
      return scalar(1);
    case 0xc4:
      return scalar(2 + u8(1));
    case 0xc5:
      return scalar(3 + u16(1));
    case 0xc6:
      return scalar(5 + u32(1));
    case 0xcc: // u8
    case 0xd0: // i8
      return scalar(2);
    case 0xcd: // u16
    case 0xd1: // i16
      return scalar(3);
    case 0xca: // float 32
    case 0xce: // u32
    case 0xd2: // i32
      return scalar(5);
    case 0xcb: // float 64
    case 0xcf: // u64
    case 0xd3: // i64
      return scalar(9);
    case 0xd9:
      return text(2 + u8(1));
    case 0xda:
      return text(3 + u16(1));
    case 0xdb:
      return text(5 + u32(1));
    case 0xdc:
      return array(3, u16(1));
    case 0xdd:
      return array(5, u32(1));
    case 0xde:
      return map(3, u16(1));
    case 0xdf:
      return map(5, u32(1));
    default:
      // 0xc1 is unused by msgpack, the others are extension types.
      throw new MalformedFrame(`a value of the forbidden msgpack type ${head}`);
  }
}

function need(view: DataView, at: number, bytes: number): DataView {
  if (at + bytes > view.byteLength) throw new MalformedFrame('a value runs past its frame');
  return view;
}
