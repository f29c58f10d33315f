/** The session daemon holds nothing of the build that started it, and comes and goes unnoticed. */
import { readFileSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { BuildHost } from '../fixtures/build-host.js';
import { without } from '../fixtures/tools.js';

function newHost(t: Test): BuildHost {
  const host = new BuildHost(t);
  host.env['TSCC_HOSTS'] = '127.0.0.1:1';
  writeFileSync(`${host.directory}/x.c`, 'int x;\n');
  return host;
}

/** Daemons that have started for this host. */
function starts(host: BuildHost): number[] {
  const log = readFileSync(`${host.directory}/.state/daemon.log`, 'utf8');
  return [...log.matchAll(/serves .*, pid ([0-9]+)/g)].map((match) => Number(match[1]));
}

await t.test('started inside $(…), a pipe, make -j', async (t) => {
  for (const line of [
    'v=$(tscc gcc -dumpmachine) && test -n "$v"',
    'tscc gcc -dumpmachine | cat',
    `printf 'all: a b\\na b:\\n\\ttscc gcc -c x.c -o $$@.o\\n' > Makefile && make -s -j2`,
  ]) {
    // A daemon that kept an end of a pipe or a lock would let this hang until the test times out.
    const host = newHost(t);
    t.match(await host.shell(line), { status: 0 }, line);
    t.equal(starts(host).length, 1);
  }
});

await t.test('started inside flock', { skip: without('flock') }, async (t) => {
  const host = newHost(t);
  const line = 'flock lock tscc gcc -dumpmachine && flock -n lock true';
  t.match(await host.shell(line), { status: 0 });
  t.equal(starts(host).length, 1);
});

await t.test('started inside ninja', { skip: without('ninja') }, async (t) => {
  const host = newHost(t);
  writeFileSync(
    `${host.directory}/build.ninja`,
    'rule cc\n command = tscc gcc -c $in -o $out\nbuild x.o: cc x.c\n',
  );
  t.match(await host.run('ninja', []), { status: 0 });
  t.equal(starts(host).length, 1);
});

await t.test('it has no descriptor, directory, umask or session of the build', async (t) => {
  const host = newHost(t);
  await host.shell('umask 0; exec 7< x.c; exec tscc gcc -dumpmachine');
  const [pid = 0] = starts(host);
  const script = `ls -l /proc/${pid}/fd; readlink /proc/${pid}/cwd; grep Umask /proc/${pid}/status`;
  const { stdout } = await host.shell(`${script}; cat /proc/${pid}/environ | tr '\\0' '\\n'`);
  t.notMatch(stdout, /x\.c/);
  t.match(stdout, /\n\/\n/, 'its directory is /');
  t.match(stdout, /Umask:\s+0077/);
  t.notMatch(stdout, /TSCC_HOSTS/, 'settings travel with each request');
  const sessions = (await host.shell(`cut -d' ' -f6 /proc/${pid}/stat /proc/self/stat`)).stdout;
  t.equal(new Set(sessions.trim().split(/\s+/)).size, 2, 'a session of its own');
});

await t.test('64 first starts at once end with one daemon', async (t) => {
  const host = newHost(t);
  const line = 'for i in $(seq 64); do tscc gcc -dumpmachine & done; wait';
  const { status, stdout } = await host.shell(line);
  t.equal(status, 0);
  t.equal(stdout.trim().split('\n').length, 64);
  t.equal(starts(host).length, 1);
});

await t.test('a crash leaves a stale socket, and the next command another daemon', async (t) => {
  const host = newHost(t);
  await host.run('tscc', ['gcc', '-dumpmachine']);
  process.kill(starts(host)[0] ?? 0, 'SIGKILL');
  t.match(await host.run('tscc', ['gcc', '-dumpmachine']), { status: 0, stderr: '' });
  t.equal(starts(host).length, 2);
});

await t.test('told to stop it ends, and what it knew is on disk', async (t) => {
  const host = newHost(t);
  await host.run('tscc', ['gcc', '-dumpmachine']);
  t.match(await host.run('tscc', ['stop']), { status: 0, stdout: 'the session daemon ends\n' });
  t.match(await host.status(), { other: { query: 1 }, ended: Number });
  t.match(await host.run('tscc', ['gcc', '-dumpmachine']), { status: 0 });
  t.equal(starts(host).length, 2);
});

await t.test('two state directories have two daemons', async (t) => {
  const host = newHost(t);
  await host.run('tscc', ['gcc', '-dumpmachine']);
  const env = { TSCC_DIR: `${host.directory}/.other` };
  await host.run('tscc', ['gcc', '-dumpmachine'], { env });
  t.equal(starts(host).length, 1);
  t.match(await host.run('tscc', ['stop'], { env }), { stdout: 'the session daemon ends\n' });
});
