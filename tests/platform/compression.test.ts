import t from 'tap';
import { compress, compressAtOnce, decompress } from '../../src/platform/compression.js';

const SIZES = [0, 1, 1000, 64 * 1024, 64 * 1024 + 1, 1 << 20];

/** Text that Brotli makes much smaller, and bytes that it cannot. */
function contents(size: number): Buffer[] {
  const noise = Buffer.alloc(size);
  for (let i = 0, state = 1; i < size; i++) {
    state = (state * 48271) % 0x7fffffff;
    noise[i] = state >> 8;
  }
  return [Buffer.alloc(size, 'int f(void);\n'), noise];
}

for (const size of SIZES) {
  void t.test(`${size} bytes are the same again`, async (t) => {
    for (const content of contents(size)) {
      const packed = await compress(content);
      t.ok((await decompress(packed, size)).equals(content));
    }
  });

  void t.test(`what ${size} bytes become holds no more memory than it has bytes`, async (t) => {
    for (const content of contents(size)) {
      const packed = await compress(content);
      t.equal(packed.buffer.byteLength, packed.length);
    }
  });
}

void t.test('at once or in a thread, the bytes are the same', async (t) => {
  const [content = Buffer.alloc(0)] = contents(1 << 20);
  t.same(compressAtOnce(content), await compress(content));
});

void t.test('more than announced is no content', async (t) => {
  const [content = Buffer.alloc(0)] = contents(1000);
  await t.rejects(decompress(await compress(content), 999));
});
