import { createHash, hash, webcrypto, type Hash } from 'node:crypto';

/**
 * Content address of bytes: SHA-256 in lower-case hex. SHA-256 because node:crypto has it in
 * native code with the processor's SHA instructions, and nobody has to be convinced of it.
 */
export type Digest = string & { readonly __digest: unique symbol };

const DIGEST_PATTERN = /^[0-9a-f]{64}$/;

export function isDigest(value: unknown): value is Digest {
  return typeof value === 'string' && DIGEST_PATTERN.test(value);
}

export function digestOf(bytes: Uint8Array | string): Digest {
  // Half of what an object for one content costs.
  return hash('sha256', bytes) as Digest;
}

/** The same in another thread, for content that would hold up the event loop. */
export async function digestAside(bytes: Uint8Array): Promise<Digest> {
  const digest = await webcrypto.subtle.digest('SHA-256', bytes);
  return Buffer.from(digest).toString('hex') as Digest;
}

/** For content that arrives in pieces: `update` the hash, then `finishDigest`. */
export function startDigest(): Hash {
  return createHash('sha256');
}

export function finishDigest(hash: Hash): Digest {
  return hash.digest('hex') as Digest;
}
