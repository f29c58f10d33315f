import t from 'tap';
import { digestOf, finishDigest, isDigest, startDigest } from '../../src/core/digest.js';

/** FIPS 180-2, appendix B.1. */
const ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';

await t.test('SHA-256 in lower-case hex, of text and of bytes', async (t) => {
  t.equal(digestOf('abc'), ABC);
  t.equal(digestOf(Buffer.from('abc')), ABC);
});

await t.test('in pieces', async (t) => {
  const hash = startDigest();
  for (const piece of ['a', '', 'bc']) hash.update(piece);
  t.equal(finishDigest(hash), ABC);
});

await t.test('what is a digest', async (t) => {
  t.equal(isDigest(ABC), true);
  const others = [ABC.toUpperCase(), ABC.slice(1), `${ABC}0`, `${ABC}\n`, ` ${ABC}`, '', 7, null];
  for (const other of others) t.equal(isDigest(other), false, String(other));
});
