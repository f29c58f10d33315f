/** The rule by which both ends take compressed content for a bomb: the sender sends it as it is. */
import { WIRE } from '../core/limits.js';

/** Whether so few encoded bytes may not stand for so many. */
export function expandsTooFar(bytes: number, encodedBytes: number): boolean {
  return bytes > WIRE.expansionFree && bytes > WIRE.expansion * encodedBytes;
}

/** For people, whom it tells what to do. */
export function describeExpansion(bytes: number, encodedBytes: number): string {
  return (
    `${encodedBytes} bytes are said to hold ${bytes}; ` +
    `more than ${WIRE.expansion} times as much is not taken: send it uncompressed`
  );
}
