/** A number for a text: the same in every process, not safe against who wants two to be equal. */

/** 53 bits, from two rounds that mix each character into 32 bits. */
export function hashText(text: string): number {
  let low = 0x9e3779b9;
  let high = 0x85ebca6b;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x5bd1e995);
  }
  return mix32(high ^ low) * 0x20_0000 + (mix32(low ^ (high >>> 7)) >>> 11);
}

/** Every bit of the answer depends on every bit of `value`; unsigned. */
export function mix32(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x7feb352d);
  bits = Math.imul(bits ^ (bits >>> 15), 0x846ca68b);
  return (bits ^ (bits >>> 16)) >>> 0;
}
