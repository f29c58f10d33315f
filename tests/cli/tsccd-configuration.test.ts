/** Command line and configuration file: one table, two spellings. */
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { parseArguments } from '../../src/cli/tsccd-arguments.js';
import { configCandidates, parseConfig, readConfigFile } from '../../src/cli/tsccd-config-file.js';
import { Configuration } from '../../src/cli/tsccd-configuration.js';
import {
  nameOf,
  OPTION_NAMES,
  OPTIONS,
  type OptionName,
  type Settings,
} from '../../src/cli/tsccd-options.js';
import { changesThatWait, settle } from '../../src/cli/tsccd-settings.js';
import { EXIT, TsccError } from '../../src/core/errors.js';

/** An option in both spellings, what it means, and a value in a file that makes no sense. */
interface Sample {
  readonly words: readonly string[];
  readonly toml: string;
  readonly value: unknown;
  readonly wrong: string;
  readonly allowed: RegExp;
}

const here = process.cwd();

const SAMPLES: Record<OptionName, Sample> = {
  listen: {
    words: ['--listen', '[::1]:4000'],
    toml: '"[::1]:4000"',
    value: { host: '::1', port: 4000 },
    wrong: '"1:2:3"',
    allowed: /'1:2:3' is not HOST:PORT/,
  },
  jobs: {
    words: ['-j', '7'],
    toml: '7',
    value: 7,
    wrong: '"7"',
    allowed: /a whole number from 1 to 4096/,
  },
  store: {
    words: ['--store', 'x/s'],
    toml: '"x/s"',
    value: `${here}/x/s`,
    wrong: '1',
    allowed: /a path/,
  },
  storeSize: {
    words: ['--store-size', '20G'],
    toml: '"20g"',
    value: 20 * 1024 ** 3,
    wrong: '1.5',
    allowed: /a number of bytes, as 500M/,
  },
  scratch: {
    words: ['--scratch', '/s'],
    toml: '"/s"',
    value: '/s',
    wrong: '1',
    allowed: /a path/,
  },
  keyFile: {
    words: ['--key-file', 'a', '--key-file', '/b'],
    toml: '["a", "/b"]',
    value: [`${here}/a`, '/b'],
    wrong: '[1]',
    allowed: /a path, or a list of them/,
  },
  allow: {
    words: ['-a', '10.0.0.0/8', 'fd00::/8'],
    toml: '["10.0.0.0/8", "fd00::/8"]',
    value: ['10.0.0.0/8', 'fd00::/8'],
    wrong: '["10.0.0.0/99"]',
    allowed: /'10\.0\.0\.0\/99' is not an address or network/,
  },
  nice: {
    words: ['-N', '19'],
    toml: '19',
    value: 19,
    wrong: '20',
    allowed: /a whole number from 0 to 19/,
  },
  daemon: {
    words: ['--daemon'],
    toml: 'true',
    value: true,
    wrong: '"yes"',
    allowed: /true or false/,
  },
  user: {
    words: ['--user', 'tscc'],
    toml: "'tscc'",
    value: 'tscc',
    wrong: '65534',
    allowed: /a string/,
  },
  unsafeNoSandbox: {
    words: ['--unsafe-no-sandbox'],
    toml: 'true',
    value: true,
    wrong: '1',
    allowed: /true or false/,
  },
  pidFile: {
    words: ['-P', '/run/pid'],
    toml: '"/run/pid"',
    value: '/run/pid',
    wrong: 'false',
    allowed: /a path/,
  },
  logFile: {
    words: ['--log-file', 'log'],
    toml: '"log"',
    value: `${here}/log`,
    wrong: '""',
    allowed: /a path/,
  },
  logFormat: {
    words: ['--log-format', 'json'],
    toml: '"json"',
    value: 'json',
    wrong: '"xml"',
    allowed: /'text' or 'json'/,
  },
  metricsPort: {
    words: ['--metrics-port', '9100'],
    toml: '9100',
    value: 9100,
    wrong: '70000',
    allowed: /a whole number from 0 to 65535/,
  },
};

const FILE = `${here}/tsccd.toml`;

await t.test('each option has a key of its name that means the same', async (t) => {
  for (const name of OPTION_NAMES) {
    const { words, toml, value } = SAMPLES[name];
    const expected = { [name]: value };
    t.strictSame((await parseArguments(words)).flags, expected, words.join(' '));
    t.strictSame(await parseConfig(`${nameOf(name)} = ${toml}\n`, FILE), expected, nameOf(name));
  }
  t.same(await parseConfig('key-file = "one"\nstore-size = 4096\n', FILE), {
    keyFile: [`${here}/one`],
    storeSize: 4096,
  });
});

await t.test('a wrong value: file, line, key, and what is allowed', async (t) => {
  for (const name of OPTION_NAMES) {
    const { wrong, allowed } = SAMPLES[name];
    const text = `# a comment\n\n  ${nameOf(name)} = ${wrong}\n`;
    const error = await parseConfig(text, '/etc/t.toml').then(
      () => new Error('accepted'),
      (reason: Error) => reason,
    );
    t.match(error.message, allowed);
    t.ok(error.message.startsWith(`/etc/t.toml:3: '${nameOf(name)}'`), error.message);
    t.match(error, { exitCode: EXIT.badArguments });
  }
});

await t.test('what is no key, or no TOML', async (t) => {
  const cases: [text: string, message: RegExp][] = [
    ['jobs = 4\njbos = 5\n', /^\/f:2: 'jbos' is no key here; keys .*listen, jobs, .*metrics-port$/],
    ['store_size = 4\n', /^\/f:1: 'store_size' is no key here/],
    ['storeSize = 4\n', /^\/f:1: 'storeSize' is no key here/],
    ['\n[server]\njobs = 4\n', /^\/f:2: 'server' is no key here/],
    ['config = "/other"\n', /^\/f:1: 'config' is no key here \(.*names no other\)$/],
    ['"__proto__" = 4\n', /^\/f:1: '__proto__' is no key here/],
    ['a.b = 4\n', /^\/f:1: 'a' is no key here/],
    ['jobs = 4\njobs = 5\n', /^\/f:2:1: Invalid TOML document: .*already defined[^\n]*$/],
    ['jobs = \n', /^\/f:1:\d+: Invalid TOML[^\n]*$/],
    ['listen = 127.0.0.1\n', /^\/f:1:\d+: Invalid TOML/],
    ['allow = 2026-11-27\n', /^\/f:1: 'allow' must be a list of networks/],
  ];
  for (const [text, message] of cases) {
    await t.rejects(parseConfig(text, '/f'), { message, exitCode: EXIT.badArguments }, text);
  }
  t.same(await parseConfig('# nothing\n', '/f'), {});
});

await t.test('flags that make no sense', async (t) => {
  const cases: [words: string[], message: RegExp][] = [
    [['--jobs', 'many'], /^--jobs must be a whole number from 1 to 4096$/],
    [['--jobs', '2.5'], /^--jobs must be/],
    [['--jobs', '3', '-j', '4'], /^--jobs is given twice$/],
    [['--listen', 'a:1', '--listen', 'b:1'], /^--listen is given twice$/],
    [['--log-format', 'xml'], /^--log-format must be 'text' or 'json'$/],
    [['--config', 'a', '--config', 'b'], /^--config must be one path$/],
    [['--metrics-port', '-1'], /^--metrics-port must be a whole number from 0 to 65535$/],
    [['--store-size', '4X'], /^--store-size must be a number of bytes/],
    [['--frobnicate'], /frobnicate/],
  ];
  for (const [words, message] of cases) {
    await t.rejects(parseArguments(words), { message, exitCode: EXIT.badArguments });
  }
});

await t.test('flags over the file over the defaults', async (t) => {
  const root = t.testdir({
    'tsccd.toml': 'jobs = 3\nnice = 7\ndaemon = true\nallow = ["10.0.0.0/8"]\nstore = "s"\n',
  });
  const file = `${root}/tsccd.toml`;
  const open = (...words: string[]) => Configuration.open(words, {});
  const { settings, configuration } = await open('--config', file);
  t.match(settings, { jobs: 3, nice: 7, daemon: true, store: `${root}/s`, logFormat: 'text' });
  t.equal(configuration.file, file);
  const words = ['--jobs', '5', '--no-daemon', '--allow', 'fd00::/8'];
  const over = await open('--config', file, ...words);
  t.match(over.settings, { jobs: 5, nice: 7, daemon: false });
  t.strictSame(over.settings.allow, ['fd00::/8'], 'a list is replaced, not added to');

  writeFileSync(file, 'jobs = 9\nnice = 8\n');
  t.match(await over.configuration.read(), { jobs: 5, nice: 8, allow: ['fd00::/8'] });
  t.match(await configuration.read(), { jobs: 9, daemon: false, allow: [] });
  rmSync(file);
  await t.rejects(configuration.read(), /tsccd\.toml cannot be read: ENOENT/);
  await t.rejects(open('--config', file), TsccError);
});

await t.test('where a file is looked for', async (t) => {
  const etc = '/etc/tscc/tsccd.toml';
  t.same(configCandidates({}), [etc]);
  t.same(configCandidates({ HOME: '/h' }), ['/h/.config/tscc/tsccd.toml', etc]);
  t.same(configCandidates({ HOME: '/h', XDG_CONFIG_HOME: '/x' }), ['/x/tscc/tsccd.toml', etc]);
  t.same(configCandidates({ XDG_CONFIG_HOME: 'relative' }), [etc]);

  const home = t.testdir({ tscc: { 'tsccd.toml': 'jobs = 3\n' } });
  const { settings, configuration } = await Configuration.open([], { XDG_CONFIG_HOME: home });
  t.equal(settings.jobs, 3);
  t.equal(configuration.file, `${home}/tscc/tsccd.toml`);
  rmSync(`${home}/tscc`, { recursive: true });
  await t.rejects(configuration.read(), /ENOENT/, 'what was read once must stay');
});

await t.test('what is read of a file', async (t) => {
  const root = t.testdir({ large: `# ${'x'.repeat(70_000)}`, latin: Buffer.from([0x23, 0xe4]) });
  t.equal(await readConfigFile(`${root}/none`, false), undefined);
  t.same(await readConfigFile('/dev/null', true), {});
  for (const [name, message] of [
    ['none', /ENOENT/],
    ['large', /more than 65536 bytes/],
    ['latin', /not valid/],
    ['', /EISDIR/],
  ] as const) {
    await t.rejects(readConfigFile(`${root}/${name}`, true), message);
  }
  execFileSync('mkfifo', [`${root}/pipe`]);
  t.same(await readConfigFile(`${root}/pipe`, true), {}, 'a pipe without a writer is empty');
});

await t.test('what may change without a restart', async (t) => {
  const before = settle({}, {});
  const all = Object.fromEntries(OPTION_NAMES.map((name) => [name, SAMPLES[name].value]));
  const waiting = changesThatWait(before, all as unknown as Settings);
  t.strictSame(
    OPTION_NAMES.filter((name) => !waiting.includes(name)),
    OPTION_NAMES.filter((name) => OPTIONS[name].isLive),
  );
  t.same(changesThatWait(before, settle({ jobs: before.jobs + 1 }, {})), []);
  const same = { host: '::1', port: 1 };
  t.same(changesThatWait(settle({ listen: same }, {}), settle({ listen: { ...same } }, {})), []);
});
