import t from 'tap';
import {
  baseName,
  directoryName,
  fromBytes,
  fromText,
  joinPath,
  toBytes,
  toText,
} from '../../src/core/byte-string.js';

await t.test('every byte survives both ways', async (t) => {
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  t.strictSame(new Uint8Array(toBytes(fromBytes(all))), all);
});

await t.test('text is UTF-8', async (t) => {
  t.equal(fromText('é'), '\xc3\xa9');
  t.equal(toText('\xc3\xa9'), 'é');
  t.equal(toText('a\xffb'), 'a\ufffdb', 'what is no UTF-8 is shown as such');
});

await t.test('a view into a larger buffer gives its own bytes only', async (t) => {
  t.equal(fromBytes(Buffer.from('abcdef').subarray(2, 4)), 'cd');
});

await t.test('paths', async (t) => {
  t.equal(baseName('/a/b.c'), 'b.c');
  t.equal(baseName('b.c'), 'b.c');
  t.equal(directoryName('/a/b.c'), '/a');
  t.equal(directoryName('b.c'), '.');
  t.equal(directoryName('/b.c'), '/');
  t.equal(joinPath('/a', 'b/c'), '/a/b/c');
  t.equal(joinPath('/', 'b'), '/b');
  t.equal(joinPath('/a', '/b'), '/b');
});
