import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { symlinkSync, writeFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { processIdentity, processStart } from '../../src/platform/process-table.js';
import { without } from '../fixtures/tools.js';

/** A process that ends when its input does. */
function start(t: Test, command: string, args: readonly string[] = []) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  t.teardown(() => child.kill('SIGKILL'));
  return child;
}

await t.test('a process that runs has a start, the same each time', async (t) => {
  const own = processStart(process.pid);
  t.match(own, /^[0-9]+$/);
  t.equal(processStart(process.pid), own);
});

await t.test('one that has ended has none', async (t) => {
  const child = start(t, 'cat');
  const pid = child.pid ?? 0;
  await once(child, 'spawn');
  t.match(processStart(pid), /^[0-9]+$/);
  child.stdin.end();
  await once(child, 'exit');
  t.equal(processStart(pid), undefined);
  t.equal(processIdentity(pid), undefined);
});

await t.test('nor has a zombie', async (t) => {
  // The shell becomes cat, which never asks after the child that the shell left behind. That one
  // ends only then, or the shell itself might ask.
  const child = 'while read -r name < /proc/$$/comm && [ "$name" != cat ]; do :; done';
  const parent = start(t, 'sh', ['-c', `{ ${child}; } & echo $!; exec cat`]);
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  while (processStart(pid) !== undefined) await setImmediate();
  t.doesNotThrow(() => process.kill(pid, 0), 'its number is still taken');
});

await t.test('a name with parentheses and blanks hides nothing', async (t) => {
  const name = `${t.testdir({})}/a) Z (b`;
  symlinkSync('/bin/cat', name);
  const child = start(t, name);
  await once(child, 'spawn');
  const [one, own] = [processStart(child.pid ?? 0), processStart(process.pid)];
  t.match(one, /^[0-9]+$/);
  t.ok(Number(one) >= Number(own), 'it started after us');
  t.strictSame(processIdentity(child.pid ?? 0), { name: 'a) Z (b', parent: process.pid });
});

await t.test('whose ^C a process gets', { skip: without('script') }, async (t) => {
  const module = JSON.stringify(new URL('../../src/platform/process-table.js', import.meta.url));
  const path = `${t.testdir({})}/say.mjs`;
  writeFileSync(path, `import(${module}).then((m) => console.log(String(m.isInForeground())));`);
  const say = `'${process.execPath}' '${path}'`;
  const run = async (line: string): Promise<string> => {
    // script(1) runs it on a terminal of its own.
    const child = start(t, 'env', ['-u', 'NODE_OPTIONS', 'script', '-qec', line, '/dev/null']);
    let printed = '';
    child.stdout.on('data', (bytes: Buffer) => (printed += bytes.toString()));
    await once(child, 'close');
    return printed.trim();
  };
  t.equal(await run(say), 'true');
  t.equal(await run(`setsid -w ${say}`), 'false', 'without a terminal');
  t.equal(await run(`sh -mc "${say} & wait"`), 'false', 'in the background of one');
});
