/** Pump mode on the wire: what clients say that is not true, and compilers that do what they like. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { brotliCompressSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { digestOf } from '../../src/core/digest.js';
import { PUMP } from '../../src/core/limits.js';
import { packNumbers } from '../../src/protocol/number-runs.js';
import type { PrecompiledRecipe, PumpJob } from '../../src/protocol/pump-messages.js';
import type { TreeEntry } from '../../src/protocol/tree-entry.js';
import { JobCell } from '../fixtures/job-cell.js';
import { PumpClient } from '../fixtures/pump-client.js';
import { TestServer } from '../fixtures/test-server.js';

const sealed = await (await JobCell.open(t)).canSeal();
if (sealed !== true && process.env['CI'] !== 'true') {
  t.plan(0, `this host seals no job: ${sealed}`);
  process.exit();
}

const server = await TestServer.start([], {}, 1 << 30);
t.teardown(() => server.stop());
const W = '/tscc-test/w';
const COMPILE = 'cat x.c > x.o';

async function newClient(t: Test): Promise<PumpClient> {
  const client = await PumpClient.greeted(server.port);
  t.teardown(() => client.close());
  return client;
}

/** Somebody else on the server, before and after; whatever happens it must not be to them. */
const bystander = await PumpClient.greeted(server.port, 'bystander');
const bystanders = bystander.compiler(COMPILE);

async function checkBystander(t: Test): Promise<void> {
  bystander.job(bystanders);
  t.equal((await bystander.answer()).outputs.get(0), 'int x;\n', 'others are served');
}

await t.test('a job is compiled in the tree that was told', async (t) => {
  const client = await newClient(t);
  const script = 'cat x.c h.h > x.o; echo "$TMPDIR"; echo "$@" >&2';
  const closure = [...client.compiler(script), ...client.tell(client.file(`${W}/h.h`, 'h'))];
  client.job(closure);
  const answer = await client.answer();
  t.match(answer, { stdout: '/.tscc\n', result: { status: 0 } });
  t.match(answer.stderr, /-c .*x\.c/);
  t.equal(answer.outputs.get(0), 'int x;\nh');
  client.job(closure);
  await client.answer();
  t.equal(new Set(client.asked).size, client.asked.length, 'nothing is asked for twice');
});

/** A recipe whose announcement need not be true. */
function recipe(closure: readonly number[], changes: Partial<PrecompiledRecipe> = {}) {
  const numbers = { options: new Uint8Array(), closure: packNumbers(closure) };
  return {
    ...{ kind: 'precompiled', path: `${W}/p.h.gch`, family: 'gcc', program: `${W}/cc` },
    ...{ argv0: 'cc', cwd: W, environment: [], ...numbers },
    ...{ language: null, source: 'p.h', output: null, ...changes },
  } as PrecompiledRecipe;
}

/** Makes `made` of a header, and of a source that and itself; leaves a list that names it. */
const PRECOMPILE = `case "$*" in
  *p.h) cat p.h >p.h.gch; read -r line <p.h; [ "$line" != bad ] ;;
  *) cat p.h.gch x.c >x.o; echo "x.o: x.c p.h.gch" >/.tscc-lists/real.d ;;
esac`;

await t.test('precompiled headers are made here, for jobs that name them', async (t) => {
  const client = await newClient(t);
  const cc = client.compiler(PRECOMPILE);
  const [header] = client.tell(client.file(`${W}/p.h`, 'made\n'));
  client.wire.connection.send(recipe([...cc, header as number]));
  for (const precompiled of [packNumbers([0]), packNumbers([0])]) {
    client.job(cc, { precompiled });
    const answer = await client.answer();
    t.equal(answer.outputs.get(0), 'made\nint x;\n');
    t.match(answer.result, { uncovered: [] });
  }
  client.job(cc);
  t.equal((await client.answer()).outputs.get(0), 'int x;\n', 'others do not see it');

  const [bad] = client.tell(client.file(`${W}/p.h`, 'bad\n'));
  client.wire.connection.send(recipe([...cc, bad as number]));
  client.wire.connection.send(recipe(cc, { path: '/p.h.gch' }));
  for (const number of [1, 2, 1]) {
    client.job(cc, { precompiled: packNumbers([number]) });
    t.match(await client.outcome(), { kind: 'refused', code: 'failed', message: /p\.h\.gch/ });
  }
  await checkBystander(t);
});

await t.test('a header whose files never come holds no slot', async (t) => {
  const client = await newClient(t);
  const cc = client.compiler(PRECOMPILE);
  client.job(cc);
  await client.answer();
  const [header] = client.tell(client.file(`${W}/p.h`, 'asked for, never given\n'));
  client.wire.connection.send(recipe([...cc, header as number]));
  for (let slot = 0; slot < 2; slot++) client.job(cc, { precompiled: packNumbers([0]) });
  client.job(cc);
  t.equal((await client.missing()).length, 1);
  t.equal((await client.answer()).outputs.get(0), 'int x;\n', 'its own other jobs are done');
  const other = await newClient(t);
  const theirs = other.compiler(PRECOMPILE);
  for (let i = 0; i < 3; i++) {
    other.job(theirs);
    t.equal((await other.answer()).outputs.get(0), 'int x;\n');
  }
});

await t.test('recipes that cannot be end the connection', async (t) => {
  const cases: [string, (client: PumpClient) => unknown][] = [
    ['a source', (client) => client.wire.connection.send(recipe([], { source: 'p.c' }))],
    ['an option', (client) => client.wire.connection.send(recipe([], { source: '-p.h' }))],
    [
      'a variable',
      (client) => client.wire.connection.send(recipe([], { environment: [['A', 'b']] })),
    ],
    ['a number too high', (client) => client.job([], { precompiled: packNumbers([0]) })],
  ];
  for (const [name, say] of cases) {
    const client = await newClient(t);
    say(client);
    t.match(await client.wire.ended, { kind: 'goodbye' }, name);
  }
  await checkBystander(t);
});

await t.test('entries that are no file system end the connection', async (t) => {
  const paths = [
    '/a/../b',
    'a',
    '',
    '/a//b',
    '/a/',
    '/.',
    '/a/./b',
    '/..',
    '/a\0b',
    `/${'a'.repeat(256)}`,
  ];
  const bad: TreeEntry[] = [
    ...paths.map((path) => ({ kind: 'directory', path }) as const),
    { kind: 'symlink', path: '/l', target: '' },
    { kind: 'symlink', path: '/', target: '/a' },
    { kind: 'file', path: '/f', digest: digestOf(''), size: -1, mtime: 1, mode: 0o644 },
    { kind: 'file', path: '/f', digest: digestOf(''), size: 1, mtime: 0.5, mode: 0o644 },
    { kind: 'file', path: '/f', digest: '../../x' as never, size: 1, mtime: 1, mode: 0o644 },
    { kind: 'file', path: '/f', digest: digestOf(''), size: 1, mtime: 1, mode: 0o100644 },
  ];
  for (const entry of bad) {
    const client = await newClient(t);
    client.tell(entry);
    t.match(await client.wire.ended, { kind: 'goodbye' }, JSON.stringify(entry).slice(0, 80));
  }
  await checkBystander(t);
});

await t.test('numbers of nothing', async (t) => {
  const cases: [string, (client: PumpClient) => void][] = [
    ['entries', (client) => client.job([1, 2, 3_000])],
    ['no entry at all', (client) => client.job([7])],
    ['options', (client) => client.job([], { options: packNumbers([5]) })],
    ['a cut number', (client) => client.job(Buffer.from([0xff]))],
    ['a bomb', (client) => client.job(packNumbers([2 ** 31 - 2]))],
    [
      'an upload twice',
      (client) => {
        client.upload([], new Uint8Array());
        client.job([], { job: 1 });
      },
    ],
  ];
  for (const [name, say] of cases) {
    const client = await newClient(t);
    client.tell({ kind: 'directory', path: '/a' });
    say(client);
    t.match(await client.wire.ended, { kind: 'goodbye' }, name);
  }
  await checkBystander(t);
});

await t.test('options are counted from 0 again before there are too many', async (t) => {
  const client = await newClient(t);
  const cc = client.compiler(COMPILE);
  const STEP = 4_000;
  for (let told = 0; told < PUMP.options; told += STEP) {
    client.options(...Array.from({ length: STEP }, (_, i) => ['-D', `N${told + i}`] as const));
  }
  client.job(cc, { options: packNumbers([PUMP.options - 1]) });
  t.match(await client.outcome(), { kind: 'answer' });
  client.options(['-D', 'LAST']);
  client.job(cc, { options: packNumbers([0]) });
  t.match(await client.outcome(), { kind: 'answer' });
  client.job(cc, { options: packNumbers([1]) });
  t.match(await client.wire.ended, { kind: 'goodbye' }, 'those before are forgotten');
});

await t.test('closures that contradict themselves, or are not enough', async (t) => {
  const client = await newClient(t);
  const cc = client.compiler(COMPILE);
  const [file, below, again, loop, gone] = client.tell(
    client.file('/f', 'f'),
    client.file('/f/g', 'g'),
    client.file('/f', 'other'),
    { kind: 'symlink', path: '/loop', target: '/loop' },
    { kind: 'absent', path: '/gone' },
  );
  const cases: [string, readonly (number | undefined)[], Partial<PumpJob>][] = [
    ['something below a file', [...cc, file, below], {}],
    ['two files at one path', [...cc, file, again], {}],
    ['an absent one', [...cc, gone], {}],
    ['number 0', [...cc, 0], {}],
    ['no compiler', [], {}],
    ['a compiler in a loop', [...cc, loop], { program: '/loop/cc' }],
    ['a directory that is not there', cc, { cwd: '/nowhere' }],
    ['a directory in a loop', [...cc, loop], { cwd: '/loop' }],
    ['a relative compiler', cc, { program: '../cc' }],
  ];
  for (const [name, closure, changes] of cases) {
    client.job(closure as number[], changes);
    t.match(await client.outcome(), { kind: 'refused', message: /./ }, name);
  }
  client.job(cc);
  t.match(await client.answer(), { result: { status: 0 } }, 'the connection goes on');
  await server.noLeftovers();
});

await t.test('contents that are not what was announced', async (t) => {
  const client = await newClient(t);
  const bomb = brotliCompressSync(Buffer.alloc(4 << 20));
  const lies: [string, (wanted: Buffer) => { bytes?: number; sent: Buffer; brotli?: boolean }][] = [
    ['another content', (wanted) => ({ sent: Buffer.alloc(wanted.length) })],
    ['shorter', (wanted) => ({ sent: wanted.subarray(1) })],
    ['longer than announced', (wanted) => ({ bytes: 1, sent: wanted })],
    ['no brotli', (wanted) => ({ bytes: wanted.length, sent: wanted, brotli: true })],
    ['a bomb', () => ({ bytes: 4 << 20, sent: bomb, brotli: true })],
    ['a bomb that hides', () => ({ bytes: 10, sent: bomb, brotli: true })],
  ];
  const cc = client.compiler('cat h.h > x.o');
  client.job(cc);
  await client.outcome();
  for (const [name, lie] of lies) {
    const wanted = Buffer.from(`content of ${name}`);
    const header = client.file(`${W}/h.h`, wanted.toString());
    const closure = [...cc, ...client.tell(header)];
    client.job(closure);
    t.strictSame(await client.missing(), [header.digest]);
    const { sent, bytes = sent.length, brotli } = lie(wanted);
    const encoding = brotli === true ? 'brotli' : 'none';
    client.upload([{ digest: header.digest, bytes, encoding, encodedBytes: sent.length }], sent);
    t.match(
      await client.outcome(),
      { kind: 'refused', code: 'failed', message: /cannot be stored/ },
      name,
    );
    client.job(closure);
    t.equal(
      (await client.answer()).outputs.get(0),
      wanted.toString(),
      'asked for again, and right',
    );
  }
  const extra = Buffer.from('more');
  client.upload([{ digest: digestOf(''), bytes: 1, encoding: 'none', encodedBytes: 1 }], extra);
  t.match(await client.wire.ended, { kind: 'goodbye', message: /more content/ });
  await checkBystander(t);
});

await t.test('contents that are gone', async (t) => {
  const client = await newClient(t);
  const cc = client.compiler(COMPILE);
  const header = client.file(`${W}/h.h`, 'gone by then');
  client.contents.delete(header.digest);
  client.job([...cc, ...client.tell(header)]);
  t.match(await client.outcome(), { kind: 'refused', code: 'missing' });
  client.wire.connection.send({ kind: 'gone', digests: [...client.contents.keys()] });
  client.job(cc);
  t.match(await client.outcome(), { kind: 'answer' }, 'what the store has it has');
});

await t.test('sources and outputs at places of no good', async (t) => {
  const client = await newClient(t);
  const cc = client.compiler(COMPILE);
  const link = client.tell({ kind: 'symlink', path: `${W}/up`, target: '/' });
  const before = readdirSync('/').toSorted();
  const refused: Partial<PumpJob>[] = [
    ...['/a/../x.c', 'x.c', '/', '', '/a//x.c', `/${'a'.repeat(256)}`].map((sourcePath) => ({
      sourcePath,
    })),
    ...['/a/../x.o', 'x.o', '/a/./x', ''].map((path) => ({ outputs: [path] })),
    { sourcePath: '/dev/null/x.c' },
    { environment: [['LD_PRELOAD', '/x.so']] },
  ];
  for (const changes of refused) {
    client.job(cc, changes);
    t.match(await client.outcome(), { kind: 'refused' }, JSON.stringify(changes).slice(0, 80));
  }
  // Nothing comes of these, since nothing of this host is in a root.
  const harmless: Partial<PumpJob>[] = [
    ...['/dev/null', '/dev/x.c', '/.tscc/x.c', `${W}/up/x.c`].map((sourcePath) => ({ sourcePath })),
    ...['/dev/null', '/.tscc', '/', '/etc/passwd', '/proc/self/exe', `${W}/up/etc/passwd`, W].map(
      (path) => ({ outputs: [path], dependencyFile: 0 }),
    ),
    { dependencyFile: 19, outputs: [] },
  ];
  for (const changes of harmless) {
    client.job([...cc, ...link], changes);
    const outcome = await client.outcome();
    if (outcome.kind === 'answer') t.strictSame([...outcome.outputs.values()].join(''), '');
    else t.match(outcome, { code: 'failed' });
  }
  t.strictSame(readdirSync('/').toSorted(), before);
  await checkBystander(t);
});

await t.test('compilers that leave what is no object, or change what they read', async (t) => {
  const client = await newClient(t);
  const header = client.tell(client.file(`${W}/h.h`, 'as it was'));
  const cases: [string, string, RegExp][] = [
    ['a link', 'ln -s /etc/passwd x.o', /./],
    ['a pipe', 'mkfifo x.o', /not a regular file/],
    ['a directory', 'mkdir x.o', /not a regular file/],
    ['a link on the way', 'mkdir -p a && ln -s / a/b', /^$/],
  ];
  for (const [name, script, message] of cases) {
    client.job([...client.compiler(script), ...header], {
      outputs: [`${W}/x.o`, `${W}/a/b/etc/passwd`],
    });
    const outcome = await client.outcome();
    if (outcome.kind === 'refused') t.match(outcome, { code: 'failed', message }, name);
    else t.equal(outcome.outputs.size, 0, name);
  }
  const change = 'echo changed > h.h; chmod 777 h.h; rm /bin/sh; cat h.h > x.o; rm h.h; echo > h.h';
  const read = '[ ! -x h.h ] && cat h.h > x.o';
  client.job([...client.compiler(change), ...header]);
  t.equal((await client.answer()).outputs.get(0), 'changed\n', 'in its own root');
  client.job([...client.compiler(read), ...header]);
  t.equal((await client.answer()).outputs.get(0), 'as it was', 'and nobody else sees it');
  const blob = `${server.store}/blobs-v1/${digestOf('as it was')}`;
  t.equal(readFileSync(blob, 'utf8'), 'as it was');
  t.equal(statSync(blob).mode & 0o222, statSync(blob).mode & 0o200);
  await checkBystander(t);
});

await t.test('a client that leaves in the middle of an upload', async (t) => {
  const client = await PumpClient.greeted(server.port);
  const cc = client.compiler(COMPILE);
  client.job(cc);
  await client.answer();
  const large = client.file(`${W}/large.h`, 'x'.repeat(1 << 20));
  client.job([...cc, ...client.tell(large)]);
  const digests = await client.missing();
  const bytes = large.size;
  const half = Buffer.alloc(bytes / 2, 'x');
  client.upload(
    digests.map((digest) => ({ digest, bytes, encoding: 'none', encodedBytes: bytes })),
    half,
  );
  await client.wire.connection.sendContent(0, []);
  client.close();
  bystander.close();
  await server.noLeftovers();
  await server.noTrees();
  t.notOk(readdirSync(`${server.store}/blobs-v1`).includes(large.digest));
});
