/**
 * Options and variables of hostile commands: the client keeps each at home, and a server to which
 * somebody sends them all the same refuses each, in every way to say it and in both modes, before
 * anything is started.
 */
import { statSync } from 'node:fs';
import t from 'tap';
import { packNumbers } from '../../src/protocol/number-runs.js';
import type { WireOption } from '../../src/protocol/plain-messages.js';
import { parseCommand } from '../../src/toolchain/parse-command.js';
import { plainObstacle } from '../../src/toolchain/plain-mode.js';
import { environmentObstacle, pumpEnvironment } from '../../src/toolchain/pump-environment.js';
import { pumpObstacle } from '../../src/toolchain/pump-command.js';
import { remoteOptions } from '../../src/toolchain/remote-options.js';
import { realToolchainDeps } from '../../src/toolchain/toolchain-host.js';
import { ToolchainProbe } from '../../src/toolchain/toolchain.js';
import { PumpClient } from '../fixtures/pump-client.js';
import { TsccdProcess } from '../fixtures/tsccd-process.js';
import { WireClient } from '../fixtures/wire-client.js';
import { OPTION_VECTORS, SMUGGLED, VARIABLE_VECTORS } from './option-vectors.js';
import { Scene } from './scene.js';

const scene = new Scene(t);
const store = `${scene.directory}/store`;
const tsccd = new TsccdProcess(t, ['--listen', '127.0.0.1:0', '--jobs', '2', '--store', store]);
const port = await tsccd.port();

const PATH = '/usr/bin:/bin';
const gcc = await new ToolchainProbe(realToolchainDeps(() => undefined)).identify(
  '/usr/bin/gcc',
  PATH,
);
if (typeof gcc === 'string') throw new Error(`no gcc: ${gcc}`);

/** Ways in which a hostile client may cut words into names and values. */
function cuts(words: readonly string[]): WireOption[][] {
  const ways = [
    words.map((word): WireOption => [word, null]),
    words.map((word): WireOption => cutAt(word, word.indexOf('=') + 1)),
    words.map((word): WireOption => cutAt(word, word.indexOf(',') + 1)),
    words.map((word): WireOption => cutAt(word, 2)),
    words.map((word): WireOption => ['-Xpreprocessor', word]),
  ];
  if (words.length % 2 === 0) {
    const pairs: WireOption[] = [];
    for (let i = 0; i < words.length; i += 2) pairs.push([words[i] ?? '', words[i + 1] ?? '']);
    ways.push(pairs);
  }
  return ways;
}

function cutAt(word: string, at: number): WireOption {
  return at <= 0 || at >= word.length ? [word, null] : [word.slice(0, at), word.slice(at)];
}

/** Cut there they become the linker's entry point, which -c ignores, and a directory called `-`. */
const ALIKE: ReadonlySet<string> = new Set(['-e mit-llvm', '-e mit-ast', '-I -']);

const vectors = OPTION_VECTORS.map((vector) => ({
  ...vector,
  words: vector.words.map((word) => scene.fill(word)),
}));
const variables = VARIABLE_VECTORS.map(([name, value]) => [name, scene.fill(value)] as const);

await t.test('there are enough of them', async (t) => {
  const spelled = vectors.map(({ family, words }) => `${family} ${words.join(' ')}`);
  t.equal(new Set(spelled).size, spelled.length, 'each once');
  t.ok(spelled.length >= 250, `${spelled.length} options`);
  t.ok(variables.length >= 50, `${variables.length} variables`);
});

await t.test('the client sends none of them', async (t) => {
  for (const { words, family, verdict } of vectors) {
    const name = `${family} ${words.join(' ')}`;
    const parsed = parseCommand({
      argv: [family, ...words, '-c', 'x.c'],
      cwd: '/project',
      readResponseFile: () => undefined,
      environment: new Map(),
      family,
    });
    if (parsed.kind !== 'compile') {
      t.equal(verdict, 'declined', name);
      continue;
    }
    const { command } = parsed;
    const isPumped = pumpObstacle(command, new Map()) === undefined;
    const isPlain = plainObstacle(command) === undefined;
    if (verdict === 'declined') t.notOk(isPumped || isPlain, name);
    const values = remoteOptions(command).map(([option, value]) => option + (value ?? ''));
    const paths = values.filter((value) => value.includes(scene.directory));
    t.strictSame(isPlain ? paths : [], [], `${name}: no path in plain mode`);
  }
});

await t.test('nor variables', async (t) => {
  for (const [name, value] of variables) {
    const environment = new Map([[name, value]]);
    const isKept = environmentObstacle(environment) !== undefined;
    t.ok(isKept || pumpEnvironment(environment).length === 0, `${name}=${value}`);
  }
});

await t.test('a server refuses them as plain jobs', async (t) => {
  const client = await WireClient.greeted(port);
  t.ok(await client.knows(gcc.digest, 'gcc', statSync('/usr/bin/gcc').size));
  let asked = 0;
  const refused = async (options: readonly WireOption[]) => {
    asked++;
    client.begin(gcc.digest, 'int x;\n', { options });
    const outcome = await client.outcome();
    if (outcome.kind !== 'refused' || outcome.code !== 'option') {
      t.fail(`${JSON.stringify(options)}: ${outcome.kind}`);
    }
  };
  for (const { words } of vectors) {
    for (const options of cuts(words)) await refused(options);
  }
  for (const [name, value] of SMUGGLED) {
    const options: WireOption[] = [[scene.fill(name), value === null ? null : scene.fill(value)]];
    await refused(options);
    // Behind an honest one, too.
    await refused([['-O', '2'], ...options]);
  }
  t.ok(asked > 1_000, `${asked} jobs`);
  // It has not lost its temper.
  client.begin(gcc.digest, 'int x;\n', { options: [['-O', '2']] });
  t.equal((await client.answer()).result.status, 0);
  t.strictSame(scene.traces(), []);
  client.close();
});

await t.test('and as jobs in a sealed root', async (t) => {
  const client = await PumpClient.greeted(port);
  const closure = client.compiler('exit 0');
  let count = 0;
  const sent = async (options: readonly WireOption[], more: object = {}) => {
    client.options(...options);
    const numbers = options.map((_, i) => count + i);
    count += options.length;
    client.job(closure, { options: packNumbers(numbers), ...more });
    return client.outcome();
  };
  for (const { words, family, verdict } of vectors) {
    if (verdict !== 'declined') continue;
    for (const options of cuts(words)) {
      if (options.some(([name, value]) => ALIKE.has(`${name} ${value}`))) continue;
      const outcome = await sent(options, { family });
      if (outcome.kind !== 'refused' || outcome.code !== 'option') {
        t.fail(`${family} ${JSON.stringify(options)}: ${outcome.kind}`);
      }
    }
  }
  for (const [name, value] of variables) {
    const outcome = await sent([], { environment: [[name, value]] });
    t.match(outcome, { kind: 'refused', code: 'option' }, `${name}=${value}`);
  }
  t.strictSame(scene.traces(), []);
  client.close();
});

await t.test('paths in a sealed root are of that root', async (t) => {
  const client = await PumpClient.greeted(port);
  // What a compiler would do with them, and more.
  const script = `for word; do case $word in *tscc-hostile*)
    path=/\${word#*/}
    cat "$path" 2>/dev/null && exit 3
    echo x 2>/dev/null >"$path" ;;
  esac; done; : >x.o`;
  const closure = client.compiler(script);
  let count = 0;
  for (const { words, family, verdict } of vectors) {
    if (verdict !== 'sealed' || family !== 'gcc') continue;
    const options: WireOption[] = [];
    for (let i = 0; i < words.length; i++) {
      const [word, next] = [words[i] ?? '', words[i + 1]];
      if (next === undefined || next.startsWith('-')) {
        options.push(cutAt(word, word.indexOf('=') + 1));
      } else {
        options.push([word, next]);
        i++;
      }
    }
    client.options(...options);
    client.job(closure, { options: packNumbers(options.map((_, i) => count + i)) });
    count += options.length;
    const outcome = await client.outcome();
    if (outcome.kind === 'answer') t.equal(outcome.result.status, 0, words.join(' '));
    else t.equal(outcome.code, 'option', words.join(' '));
  }
  t.strictSame(scene.traces(), []);
  client.close();
});

await t.test('the server is in good health', async (t) => {
  tsccd.process.kill('SIGTERM');
  t.equal(await tsccd.exited, 0);
});
