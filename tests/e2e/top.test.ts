/** `tscc top` as somebody at a terminal sees it, and as a script does. */
import { writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import type { LiveView } from '../../src/report/live.js';
import { BuildHost, finish } from '../fixtures/build-host.js';
import { FakeCompiler, UNSEALED } from '../fixtures/fake-compiler.js';
import { Terminal } from '../fixtures/terminal.js';
import { without } from '../fixtures/tools.js';

const skip = without('tmux');

/** A host on which a compile runs until the test ends it. */
async function compiling(t: Test) {
  const compiler = FakeCompiler.build(['gcc']);
  t.teardown(() => compiler.close());
  const host = new BuildHost(t);
  host.env['PATH'] = `${compiler.directory}:${host.env['PATH']}`;
  host.env['TSCC_MODE'] = 'plain';
  await host.startServers(['127.0.0.1'], UNSEALED);
  writeFileSync(`${host.directory}/slow.c`, 'int x;\n');
  const build = finish(host.spawn('tscc', ['gcc', '-c', 'slow.c']));
  const preprocessor = await compiler.nextInvocation();
  await preprocessor.stdout('int x;\n');
  await preprocessor.exit(0);
  const running = await compiler.nextInvocation();
  return {
    host,
    async end() {
      await running.write(running.valueOf('-o') ?? '', 'object');
      await running.exit(0);
      return build;
    },
  };
}

await t.test('on a terminal', { skip }, async (t) => {
  const { host, end } = await compiling(t);
  const terminal = new Terminal(t, host.directory, host.env);
  terminal.type('echo before; tscc top --interval 0.2');
  const rows = await terminal.until((rows) => rows.some((row) => row.startsWith('slow.c')));
  t.match(rows[0], /^tscc top: 1 running, 0 queued +[0-9:]{8}$/);
  t.equal(rows[0]?.length, 80);
  t.match(rows[1], /^[0-9a-f-]+ {2}[0-9ms]+ {2}0 done: none$/);
  t.match(rows[2], /^here: compile 0\/[0-9]+, preprocess 0\/[0-9]+, other 0\/[0-9]+$/);
  t.match(rows[4], /^HOST +STATE +OURS\/SLOTS +OTHERS +LOAD$/);
  t.match(rows[5], /^127\.0\.0\.1:[0-9]+ +up +1\/2 +0 +[0-9.]+$/);
  t.match(rows[7], /^SOURCE +HOST +PHASE +SECONDS$/);
  t.match(rows[8], /^slow\.c +127\.0\.0\.1:[0-9]+ +remote +[0-9.]+$/);
  t.equal(terminal.state('cursor_flag'), '0');

  await t.test('follows what happens', async (t) => {
    await end();
    const rows = await terminal.until((rows) => rows[1]?.endsWith('1 done: 1 plain') === true);
    t.notOk(rows.some((row) => row.startsWith('slow.c')));
  });

  await t.test('takes another size', async (t) => {
    terminal.resize(40, 3);
    const small = await terminal.until((rows) => rows[0]?.length === 40 && rows.length === 3);
    t.match(small[0], /^tscc top: 0 running, 0 queued +[0-9:]{8}$/);
    terminal.resize(132, 43);
    const large = await terminal.until((rows) => rows[0]?.length === 132);
    t.equal(large.length, 43);
  });

  await t.test('leaves the terminal as it was', async (t) => {
    for (const key of ['q', 'C-c']) {
      if (key === 'C-c') {
        terminal.type('tscc top');
        await terminal.until((rows) => rows[0]?.startsWith('tscc top: ') === true);
      }
      terminal.key(key);
      // What is typed before the shell is there again is the program's.
      const rows = await terminal.until((rows) => rows.includes('before') && rows.includes('$'));
      t.notOk(
        rows.some((row) => row.startsWith('tscc top')),
        key,
      );
      terminal.type(`stty -a | grep -o ' icanon' && echo status $?`);
      await terminal.until((rows) => rows.some((row) => row.trim() === 'icanon'));
      t.equal(terminal.state('cursor_flag'), '1');
      t.equal(terminal.state('alternate_on'), '0');
      t.equal(terminal.state('wrap_flag'), '1');
      terminal.type('clear; echo before');
      await terminal.until((rows) => rows[0] === 'before');
    }
  });

  await t.test('on a signal too', async (t) => {
    terminal.type('clear; echo before; sh -c "echo \\$\\$ > pid; exec tscc top"; echo "status $?"');
    await terminal.until((rows) => rows[0]?.startsWith('tscc top: ') === true);
    terminal.resize(80, 24);
    await host.shell('kill $(cat pid)');
    await terminal.until((rows) => rows.includes('status 143'));
    t.equal(terminal.state('cursor_flag'), '1');
    t.equal(terminal.state('alternate_on'), '0');
  });
});

await t.test('into a pipe: one look, without a terminal’s codes', async (t) => {
  const { host, end } = await compiling(t);
  const { status, stdout, stderr } = await host.run('tscc', ['top']);
  t.strictSame([status, stderr], [0, '']);
  t.match(stdout, /^tscc top: 1 running, 0 queued, [0-9:]{8} UTC\n/);
  t.match(stdout, /^slow\.c +127\.0\.0\.1:[0-9]+ +remote +[0-9.]+$/m);
  t.notOk(stdout.includes('\x1b'));

  const json = JSON.parse((await host.run('tscc', ['top', '--json'])).stdout) as LiveView;
  t.match(json, {
    schema: 1,
    daemon: Number,
    running: 1,
    hosts: [{ state: 'up', slots: 2, mine: 1, others: 0 }],
    commands: [{ kind: 'compile', name: 'slow.c', phase: 'remote', host: /^127\.0\.0\.1:/ }],
  });
  await end();

  // Ends with its reader.
  const lines = await host.shell(
    'tscc top --interval 0.1 | head -n 2; tscc top --json --interval 0.1 | head -n 1',
  );
  t.strictSame([lines.status, lines.stderr], [0, '']);
  const [one = '', two = '', three = ''] = lines.stdout.split('\n');
  for (const line of [one, two])
    t.match(line, /^[0-9T:.Z-]+ 0 running, 0 queued; .* 1 done: 1 plain$/);
  t.match(JSON.parse(three), { schema: 1, running: 0 });
});

await t.test('without a daemon: the last session, from disk', async (t) => {
  const host = new BuildHost(t);
  const top = () => host.run('tscc', ['top']);
  t.match(await top(), { status: 0, stdout: /^tscc top: no session daemon runs; .* UTC\n$/ });
  host.env['TSCC_HOSTS'] = '127.0.0.1:1';
  writeFileSync(`${host.directory}/x.c`, 'int x;\n');
  await host.run('tscc', ['gcc', '-c', 'x.c']);
  await host.run('tscc', ['stop']);
  t.match(await top(), {
    stdout: /^.* no session daemon .*\n.* \(ended\) .* 1 done: 1 local; 1 of /,
  });
  t.match(await host.run('tscc', ['top', '--interval', '0']), {
    status: 101,
    stderr: 'tscc: --interval is a number of seconds from 0.1 to 86400\n',
  });
});
