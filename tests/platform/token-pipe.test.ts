import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  writeSync,
} from 'node:fs';
import t, { type Test } from 'tap';
import { findTokens, openTokens } from '../../src/platform/token-pipe.js';
import { processGone } from '../fixtures/until.js';

/** A stand-in for make 4.3: both ends of a pipe as descriptors 3 and 4, and what else is asked for. */
async function startMake(t: Test, also = '') {
  const line = `exec 3< <(:); exec 4>/proc/self/fd/3 ${also}; echo; read -r`;
  const child = spawn('bash', ['-c', line], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

const pidOf = ({ pid = 0 }: ChildProcess) => pid;
const flagsOf = (pid: number, file: number) =>
  /^flags:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/fdinfo/${file}`, 'latin1'))?.[1];
/** Writing ends of a pipe that this process has open. */
const ownWriters = (id: string) =>
  readdirSync('/proc/self/fd').filter((name) => {
    try {
      return (
        readlinkSync(`/proc/self/fd/${name}`) === id &&
        flagsOf(process.pid, Number(name))?.endsWith('1') === true
      );
    } catch {
      return false; // the directory's own descriptor
    }
  });
const PIPE = { kind: 'pipe', read: 3, write: 4 } as const;

await t.test('the pipe of a make', async (t) => {
  const make = await startMake(t);
  const pid = pidOf(make);
  const before = [flagsOf(pid, 3), flagsOf(pid, 4)];
  const found = findTokens(PIPE, pid);
  t.match(found, { id: /^pipe:\[[0-9]+\]$/, path: `/proc/${pid}/fd/3` });
  const pipe = openTokens(found?.path ?? '');
  t.teardown(() => pipe?.close());
  t.equal(pipe?.take(), 'none', 'without waiting');
  t.equal(pipe?.put(), true);
  t.equal(pipe?.put(), true);
  t.strictSame(ownWriters(found?.id ?? ''), [], 'no writing end stays, for which make would wait');
  // As make itself would take one.
  const makes = openSync(`/proc/${pid}/fd/3`, 'r');
  const byte = Buffer.alloc(2);
  t.equal(readSync(makes, byte, 0, 1, null), 1);
  t.equal(byte.toString('latin1', 0, 1), '+');
  closeSync(makes);
  t.equal(pipe?.take(), 'taken');
  t.equal(pipe?.take(), 'none');
  t.strictSame([flagsOf(pid, 3), flagsOf(pid, 4)], before, "make's own descriptors are as before");
  make.kill('SIGKILL');
  await processGone(pid);
  t.equal(pipe?.take(), 'gone');
  t.equal(findTokens(PIPE, pid), undefined);
  t.equal(openTokens(`/proc/${pid}/fd/3`), undefined);
});

await t.test('descriptors that are something else', async (t) => {
  const pid = pidOf(await startMake(t, '5</dev/null 6< <(:)'));
  for (const [read, write] of [
    [5, 5],
    [3, 6],
    [6, 4],
    [3, 9],
    [9, 4],
  ] as const) {
    t.equal(findTokens({ kind: 'pipe', read, write }, pid), undefined, `${read},${write}`);
  }
});

await t.test('the named pipe of make 4.4', async (t) => {
  const directory = t.testdir({ file: 'x' });
  const path = `${directory}/GMfifo1`;
  execFileSync('mkfifo', ['-m', '600', path]);
  const reading = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writing = openSync(path, constants.O_WRONLY);
  t.teardown(() => closeSync(reading));
  const found = findTokens({ kind: 'fifo', path }, 1);
  t.strictSame(found, { id: path, path });
  const pipe = openTokens(path);
  writeSync(writing, '+');
  t.equal(pipe?.take(), 'taken');
  t.equal(pipe?.take(), 'none');
  t.equal(pipe?.put(), true);
  t.equal(readSync(reading, Buffer.alloc(9), 0, 9, null), 1);
  closeSync(writing);
  t.equal(pipe?.take(), 'gone');
  pipe?.close();
});

await t.test('what is no named pipe is not opened', async (t) => {
  const directory = t.testdir({ file: 'x', link: t.fixture('symlink', 'file') });
  for (const name of ['file', 'link', 'none', '.', 'file/below', 'x'.repeat(300)]) {
    t.equal(findTokens({ kind: 'fifo', path: `${directory}/${name}` }, 1), undefined, name);
  }
  t.equal(openTokens(`${directory}/file`), undefined);
});
