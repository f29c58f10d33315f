import { chmodSync, lstatSync, mkdtempSync, rmSync, symlinkSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import t from 'tap';
import { scratchInMemory, SHARED_MEMORY } from '../../src/server/scratch.js';

const uid = process.getuid?.() ?? 0;
/** A place of the test's own below shared memory. */
function newMemory(t: { teardown(end: () => void): void }): string {
  const memory = mkdtempSync(`${SHARED_MEMORY}/tscc-test-`);
  t.teardown(() => rmSync(memory, { recursive: true }));
  return memory;
}

void t.test('a directory of this user, closed to others, is made and found again', async (t) => {
  const memory = newMemory(t);
  const made = scratchInMemory(1, uid, memory);
  t.strictSame(made, { path: `${memory}/tscc-${uid}` });
  t.equal(lstatSync(`${memory}/tscc-${uid}`).mode & 0o7777, 0o700);
  t.strictSame(scratchInMemory(1, uid, memory), made);
});

void t.test('what others could have put there is not used', async (t) => {
  const memory = newMemory(t);
  const path = `${memory}/tscc-${uid}`;
  const why = new RegExp(`^${path} is no directory of uid ${uid} that is closed to others$`);
  mkdirSync(path);
  chmodSync(path, 0o750);
  t.match(scratchInMemory(1, uid, memory), { why });
  rmSync(path, { recursive: true });
  symlinkSync(memory, path);
  t.match(scratchInMemory(1, uid, memory), { why });
  t.match(scratchInMemory(1, uid + 1, memory), { why: /is no directory of uid/ }, "another's");
});

void t.test('there must be room for all slots', async (t) => {
  const memory = newMemory(t);
  t.match(scratchInMemory(4096 * 1024, uid, memory), { why: /free, and 4194304 slots want/ });
});

void t.test('a disk is no memory', async (t) => {
  const disk = mkdtempSync(`${tmpdir()}/tscc-test-`);
  t.teardown(() => rmSync(disk, { recursive: true }));
  t.match(scratchInMemory(1, uid, `${disk}/none`), { why: /ENOENT/ });
  t.match(scratchInMemory(1, uid, '/proc'), { why: '/proc is not in memory' });
});
