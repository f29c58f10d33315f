import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import t, { type Test } from 'tap';
import { BuildMessages } from '../../src/client/build-messages.js';
import { Session } from '../../src/client/sessions.js';
import { readSettings } from '../../src/client/settings.js';
import { realFiles } from '../../src/platform/files.js';
import { Journal } from '../../src/report/journal.js';
import { FakeLauncher, runRequest, WORLD } from '../fixtures/fake-launcher.js';
import { ManualClock } from '../fixtures/manual-clock.js';
import { MemoryJournals } from '../fixtures/memory-journals.js';

const END = {
  event: 'local',
  id: 1,
  cwd: '/',
  argv: ['gcc'],
  source: 'x.c',
  waited: 0,
  decline: 'lto',
} as const;

/** Messages of commands of one session, one for each environment. */
function setUp(t: Test, ...environments: Readonly<Record<string, string>>[]) {
  const cwd = t.testdir({});
  const clock = new ManualClock();
  const journal = new Journal('/s', 'test', new MemoryJournals(), clock, () => {});
  const session = new Session(journal, false);
  const commands = environments.map(({ world = WORLD, ...variables }) => {
    const launcher = new FakeLauncher(clock);
    const settings = readSettings(new Map(Object.entries(variables)));
    const request = runRequest({ cwd, world });
    const context = { files: realFiles, clock, world: WORLD };
    const messages = new BuildMessages(launcher.connection, request, settings, session, context);
    return { launcher, messages };
  });
  return { cwd, clock, commands };
}

const VERBOSE = { TSCC_VERBOSE: '1' };

await t.test('nothing by default but notices, once a session', async (t) => {
  const { commands } = setUp(t, {}, {});
  for (const { messages } of commands) {
    messages.end(END);
    messages.remote('x.c', 'plain', 'plain', 'red');
    messages.notice('no server: red', 'no server');
  }
  const [one, two] = commands;
  t.equal((await one?.launcher.expect('stderr'))?.toString(), 'tscc: no server: red\n');
  two?.messages.notice('another');
  t.equal((await two?.launcher.expect('stderr'))?.toString(), 'tscc: another\n', 'and no more');
});

await t.test('every outcome with TSCC_VERBOSE, in one line each', async (t) => {
  const { commands } = setUp(t, VERBOSE);
  const [command] = commands;
  command?.messages.end(END);
  t.match((await command?.launcher.expect('stderr'))?.toString(), /^tscc: x\.c: local, lto: .+\n$/);
  command?.messages.remote('a\nb\xff.c', 'plain', 'red');
  t.equal(
    (await command?.launcher.expect('stderr'))?.toString('latin1'),
    'tscc: a?b\xff.c: plain on red\n',
  );
});

await t.test('TSCC_LOG takes them instead', async (t) => {
  const { cwd, clock, commands } = setUp(t, { ...VERBOSE, TSCC_LOG: 'log' });
  const [command] = commands;
  command?.messages.notice('careful');
  command?.messages.remote('\xc3\xa9.c', 'plain', 'red');
  const time = new Date(clock.now()).toISOString();
  t.equal(
    readFileSync(`${cwd}/log`, 'utf8'),
    `${time} 4711 careful\n${time} 4711 é.c: plain on red\n`,
  );
});

await t.test('a log that cannot be had is told once, and nothing is lost', async (t) => {
  const logs = ['none/log', 'directory', 'device'];
  const { cwd, commands } = setUp(t, ...logs.map((log) => ({ ...VERBOSE, TSCC_LOG: log })), {
    ...VERBOSE,
    TSCC_LOG: 'log',
    world: 'mnt:[2] 2 3',
  });
  mkdirSync(`${cwd}/directory`);
  symlinkSync('/dev/full', `${cwd}/device`);
  const whys = [/is in no directory/, /is no regular file/, /is no regular file/];
  for (const [index, { launcher, messages }] of commands.entries()) {
    messages.remote('x.c', 'plain', 'plain', 'red');
    messages.remote('y.c', 'plain', 'red');
    const why = whys[index];
    if (why !== undefined) t.match((await launcher.expect('stderr')).toString(), why);
    for (const name of ['x.c', 'y.c']) {
      t.equal((await launcher.expect('stderr')).toString(), `tscc: ${name}: plain on red\n`);
    }
  }
});
