import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, renameSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { TsccError } from '../../src/core/errors.js';
import { LogFile } from '../../src/cli/tsccd-log-file.js';
import { lineFormat, logPath, LogOutput } from '../../src/cli/tsccd-log-output.js';

await t.test('appends, and tells when it cannot', async (t) => {
  const path = `${t.testdir({ log: 'older\n' })}/log`;
  const file = new LogFile(path);
  t.equal(file.write('one\n'), true);
  file.close();
  t.equal(readFileSync(path, 'utf8'), 'older\none\n');
  const full = new LogFile('/dev/full');
  t.equal(full.write('one\n'), false);
  full.close();
  t.throws(() => new LogFile('/'), TsccError);
});

const SMALL_DISK =
  'mount -t tmpfs -o size=4k none "$0" && cd "$0" && exec env -u NODE_OPTIONS "$@"';
const skip =
  spawnSync('unshare', ['-Urm', 'sh', '-c', SMALL_DISK, '/mnt', 'true']).status !== 0 &&
  'a small file system cannot be mounted';

await t.test('half a line on a full disk does not spoil the next', { skip }, async (t) => {
  const module = fileURLToPath(new URL('../../src/cli/tsccd-log-file.js', import.meta.url));
  const script = `
    import { readFileSync, truncateSync } from 'node:fs';
    import { LogFile } from ${JSON.stringify(module)};
    const file = new LogFile('log');
    const written = [file.write('x'.repeat(5000) + '\\n')];
    truncateSync('log', 10);
    written.push(file.write('next\\n'), file.write('last\\n'));
    console.log(JSON.stringify([written, readFileSync('log', 'utf8')]));
  `;
  const node = [process.execPath, '--input-type=module', '-e', script];
  const printed = execFileSync('unshare', ['-Urm', 'sh', '-c', SMALL_DISK, t.testdir({}), ...node]);
  t.same(JSON.parse(printed.toString()), [[false, true, true], `${'x'.repeat(10)}\nnext\nlast\n`]);
});

await t.test('goes on in another file, or in the one that has its name now', async (t) => {
  const directory = t.testdir({});
  const [path, other] = [`${directory}/log`, `${directory}/other`];
  const output = new LogOutput(path);
  t.notOk(output.isTerminal);
  output.write('1\n');
  renameSync(path, `${path}.1`);
  output.write('2\n');
  output.reopen();
  output.write('3\n');
  output.reopen(other);
  output.write('4\n');
  t.throws(() => output.reopen(directory), /log file cannot be written: EISDIR/);
  output.write('5\n');
  output.reopen();
  output.write('6\n');
  const contents = [`${path}.1`, path, other].map((name) => readFileSync(name, 'utf8'));
  t.same(contents, ['1\n2\n', '3\n', '4\n5\n6\n']);
});

await t.test('where it is, and what is loaded for it', async (t) => {
  t.equal(logPath({ logFile: undefined, daemon: false }, '/s'), undefined);
  t.equal(logPath({ logFile: undefined, daemon: true }, '/s'), '/s/tsccd.log');
  t.equal(logPath({ logFile: '/l', daemon: true }, '/s'), '/l');
  const record = { time: 0, level: 'info', where: 'a', what: 'b', refused: undefined } as const;
  t.equal((await lineFormat('text'))(record), '1970-01-01T00:00:00.000Z a: b');
  t.match(JSON.parse((await lineFormat('json'))(record)), { pid: process.pid, msg: 'b' });
});
