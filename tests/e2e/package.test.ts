/** What `npm run package` makes, unpacked elsewhere. */
import { execFileSync, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { BuildHost } from '../fixtures/build-host.js';
import { without } from '../fixtures/tools.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const scratch = mkdtempSync(`${tmpdir()}/tscc-package-test-`);
t.teardown(() => rmSync(scratch, { recursive: true, force: true }));

/** Packs into a directory of its own and gives the archive's path. */
function pack(
  t: Test,
  name: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv = {},
): string {
  const output = `${scratch}/${name}`;
  const line = 'umask $UMASK; exec "$@"';
  const program = [process.execPath, `${root}scripts/package.mjs`, '--output', output, ...words];
  const printed = execFileSync('env', ['-u', 'NODE_OPTIONS', 'sh', '-c', line, 'sh', ...program], {
    env: { ...process.env, UMASK: '022', ...env },
    encoding: 'utf8',
  });
  const archive = printed.split('\n')[0] ?? '';
  t.equal(archive, `${output}/${readdirSync(output)[0]}`, 'it says where the archive is');
  return archive;
}

/** A directory whose name says nothing of where the archive came from. */
function unpack(archive: string, name: string): string {
  const place = `${scratch}/${name}`;
  mkdirSync(place);
  execFileSync('tar', ['-xf', archive, '-C', place, '--strip-components=1']);
  return place;
}

/** All programs of this host but node and what runs by it. */
function pathWithoutNode(): string {
  const place = mkdtempSync(`${scratch}/programs-`);
  for (const name of readdirSync('/usr/bin')) {
    if (!/^(?:node|npm|npx|corepack|tscc)/.test(name))
      symlinkSync(`/usr/bin/${name}`, `${place}/${name}`);
  }
  return place;
}

/** Starts a server, and gives its process once it listens. */
async function startServer(t: Test, host: BuildHost, program: string): Promise<ChildProcess> {
  const child = host.spawn(program, [
    '--listen',
    '127.0.0.1:0',
    '--store',
    `${host.directory}/.stores`,
  ]);
  const ended = once(child, 'close');
  t.teardown(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  let printed = '';
  child.stdout?.on('data', (bytes: Buffer) => (printed += bytes.toString()));
  child.stderr?.on('data', (bytes: Buffer) => (printed += bytes.toString()));
  while (!/^tsccd: listening on (\S+)$/m.test(printed) && child.exitCode === null) {
    await Promise.race([once(child.stdout ?? child, 'data'), ended]);
  }
  host.env['TSCC_HOSTS'] = /^tsccd: listening on (\S+)$/m.exec(printed)?.[1];
  t.ok(host.env['TSCC_HOSTS'], printed);
  return child;
}

async function compile(t: Test, host: BuildHost): Promise<void> {
  writeFileSync(
    `${host.directory}/x.c`,
    '#include <stdio.h>\nint main(void) { return puts("x"); }\n',
  );
  const line = 'gcc -g -c x.c -o expected.o && tscc gcc -g -c x.c -o x.o && cmp x.o expected.o';
  t.strictSame(await host.shell(line), { status: 0, stdout: '', stderr: '' });
  const { stdout } = await host.run('tscc', ['status', '--json']);
  t.match(JSON.parse(stdout), { outcomes: { local: 0 }, fallbacks: {}, declines: {} });
  t.equal((await host.run('tscc', ['stop'])).status, 0);
}

await t.test(
  'the same bytes each time, run by a node along PATH',
  { skip: without('xz') },
  async (t) => {
    const archive = pack(t, 'one', [], { TZ: 'UTC' });
    const again = pack(t, 'two', [], { TZ: 'Asia/Tokyo', UMASK: '077', XZ_OPT: '-9', LC_ALL: 'C' });
    t.ok(readFileSync(archive).equals(readFileSync(again)), 'same bytes');
    t.match(archive, /\/tscc-[0-9.]+-linux-[a-z0-9]+\.tar\.xz$/);
    const list = ['-tvf', archive, '--utc', '--numeric-owner'];
    const names = execFileSync('tar', list, { encoding: 'utf8' });
    // Mode, owner, size, date, time, name.
    const words = names
      .trim()
      .split('\n')
      .map((line) => line.split(/\s+/));
    const marks = new Set(words.map(([, owner, , date, time]) => `${owner} ${date} ${time}`));
    t.equal(marks.size, 1, 'one owner and time');
    t.match([...marks][0], /^0\/0 /);
    for (const wanted of [
      / tscc-[^/]*\/LICENSE$/m,
      /\/NOTICE$/m,
      /\/share\/man\/man1\/tsccd\.1$/m,
    ]) {
      t.match(names, wanted);
    }
    t.notMatch(names, /\.map$|\.ts$|libexec/m);

    const place = unpack(archive, 'without node');
    for (const name of ['bash-completion/completions/tscc', 'zsh/site-functions/_tscc']) {
      t.match(readFileSync(`${place}/share/${name}`, 'utf8'), /tscc/);
    }
    t.match(
      readFileSync(`${place}/NOTICE`, 'utf8'),
      /^msgpackr \S+, MIT\n\n.*Permission is hereby/ms,
    );
    const traces = spawnSync('grep', ['-rlF', root, place], { encoding: 'utf8' });
    t.match(traces, { status: 1, stdout: '' }, 'nothing tells where it was made');

    const host = new BuildHost(t);
    // By a link from elsewhere, as people install it.
    symlinkSync(`${place}/bin/tsccd`, `${host.directory}/tsccd`);
    host.env['PATH'] = `${place}/bin:${process.env['PATH']}`;
    await startServer(t, host, `${host.directory}/tsccd`);
    await compile(t, host);
    const { status, stderr } = await host.run('tscc', ['--version'], {
      env: { PATH: `${place}/bin:${pathWithoutNode()}` },
    });
    t.match({ status, stderr }, { status: 100, stderr: /cannot start node .*install Node.js/ });
  },
);

await t.test('with node it needs none on the host', async (t) => {
  const place = unpack(pack(t, 'three', ['--with-node', '--compress', 'none']), 'with node');
  const host = new BuildHost(t);
  host.env['PATH'] = `${place}/bin:${pathWithoutNode()}`;
  t.equal((await host.shell('command -v node')).status, 127);
  const child = await startServer(t, host, 'tsccd');
  t.equal(readlinkSync(`/proc/${child.pid}/exe`), realpathSync(`${place}/libexec/node`));
  await compile(t, host);
  const doctor = await host.run('tscc', ['doctor']);
  t.match(doctor, { status: 0, stdout: /^ok .* pump: a compile there gives the same object/m });
  t.match(await host.run('tscc-pump', ['--version']), { status: 0, stdout: /^tscc-pump / });
});
