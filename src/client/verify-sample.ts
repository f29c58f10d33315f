/** Which compiles TSCC_VERIFY picks. */
import type { ByteString } from '../core/byte-string.js';
import { digestOf } from '../core/digest.js';
import { VERIFY } from '../core/limits.js';

/**
 * A session's name and the output decide: each build of a project compares others of its compiles,
 * and a session that is given the same name again the same ones.
 *
 * @param perMille so many of a thousand
 * @param output absolute
 */
export function isSampled(perMille: number, session: string, output: ByteString): boolean {
  if (perMille <= 0) return false;
  if (perMille >= VERIFY.scale) return true;
  return sampleOrder(session, output) % VERIFY.scale < perMille;
}

/** A number below 2^32 that is another one for each pair of names. */
export function sampleOrder(session: string, output: ByteString): number {
  return parseInt(digestOf(`${session}\0${output}`).slice(0, 8), 16);
}
