import t from 'tap';
import { buildModel } from '../../../src/report/analysis/build-model.js';
import { rebuilds, whyAgain, type Again } from '../../../src/report/analysis/rebuilds.js';
import type { JournalLine } from '../../../src/report/events.js';
import { compileLine, localEnd, localLine } from '../../fixtures/build-lines.js';

const files = (...read: readonly (readonly [string, string])[]): JournalLine => ({
  v: 1,
  time: 0,
  event: 'files',
  first: 0,
  files: read.map(([path, digest]) => [path, 10, digest] as const),
});

const variables = (own: Readonly<Record<string, string>>): JournalLine => ({
  v: 1,
  time: 0,
  event: 'environment',
  environment: 1,
  variables: own,
});

const KNOWN = { toolchain: 'gcc12', sourceDigest: 's', environment: 1, reads: '0-1', key: 'k1' };
const BEFORE = buildModel('before', [
  variables({ LANG: 'C', TERM: 'xterm' }),
  files(['/b/x.h', 'old'], ['/b/y.h', 'y']),
  compileLine(1, 'a', 100, { remote: 100 }, KNOWN),
]);

/** Why a.o is made again, with these lines in the session before it. */
function again(lines: readonly JournalLine[], earlier = [BEFORE]): Again | undefined {
  return [...whyAgain(buildModel('now', lines), earlier).values()].at(-1);
}

const changes = (lines: readonly JournalLine[]) => {
  const answer = again(lines);
  return answer?.kind === 'changed'
    ? answer.changes.map(({ kind, name }) => `${kind} ${name}`)
    : answer?.kind;
};

const a = (more: Partial<Extract<JournalLine, { event: 'compile' }>> = {}) =>
  compileLine(1, 'a', 200, { remote: 100 }, { ...KNOWN, key: 'k2', ...more });

const SAME_VARIABLES = variables({ LANG: 'C', TERM: 'dumb' });
const SAME_FILES = files(['/b/x.h', 'old'], ['/b/y.h', 'y']);

await t.test('each kind of change is named', async (t) => {
  const common = [SAME_VARIABLES, SAME_FILES];
  t.strictSame(changes([SAME_VARIABLES, files(['/b/x.h', 'new'], ['/b/y.h', 'y']), a()]), [
    'file /b/x.h',
  ]);
  t.strictSame(changes([...common, a({ argv: ['gcc', '-O3', '-c', 'a.c'] })]), ['command – → -O3']);
  t.strictSame(changes([...common, a({ argv: ['gcc', 'a.c', '-c'] })]), ['command another order']);
  t.strictSame(changes([...common, a({ toolchain: 'gcc13' })]), ['compiler gcc']);
  t.strictSame(changes([...common, a({ sourceDigest: 'other' })]), ['source a.c']);
  t.strictSame(changes([variables({ LANG: 'C', CPATH: '/i' }), SAME_FILES, a()]), [
    'variable CPATH',
  ]);
  t.strictSame(changes([SAME_VARIABLES, files(['/b/x.h', 'old'], ['/b/z.h', 'z']), a()]), [
    'new-file /b/z.h',
    'gone-file /b/y.h',
  ]);
});

await t.test('what a changed file no longer names is no change of its own', async (t) => {
  t.strictSame(changes([SAME_VARIABLES, files(['/b/x.h', 'new'], ['/b/z.h', 'z']), a()]), [
    'file /b/x.h',
  ]);
});

await t.test('plain mode knows the preprocessed source only', async (t) => {
  const { reads: _, ...plain } = { ...KNOWN, outcome: 'plain' as const };
  const before = buildModel('before', [compileLine(1, 'a', 100, { remote: 9 }, plain)]);
  const now = compileLine(1, 'a', 200, { remote: 9 }, { ...plain, key: 'k2', sourceDigest: 'x' });
  t.strictSame(again([now], [before]), {
    kind: 'changed',
    session: 'before',
    changes: [{ kind: 'preprocessed', name: 'a.c' }],
  });
  t.equal(changes([SAME_VARIABLES, now]), 'unknown', 'another mode says nothing of the source');
});

await t.test('nothing changed, not known, first, and twice in one session', async (t) => {
  t.strictSame(again([a({ key: 'k1' })]), { kind: 'same', session: 'before' });
  t.strictSame(again([localLine(1, 'a', 9), localEnd(1, 10, 1)]), {
    kind: 'unknown',
    session: 'before',
  });
  t.strictSame(again([a({ output: 'other.o' })]), { kind: 'first' });
  t.strictSame(again([a({ cwd: '/elsewhere' })]), { kind: 'first' });
  t.strictSame(again([a(), a({ time: 900 })]), { kind: 'same', session: 'now' });
});

await t.test('the newest session that has it counts, and no more are read', async (t) => {
  const other = buildModel('other', [compileLine(1, 'z', 100, { remote: 1 }, KNOWN)]);
  function* earlier() {
    yield other;
    yield BEFORE;
    throw new Error('one too many is read');
  }
  const [found] = whyAgain(buildModel('now', [a({ key: 'k1' })]), earlier()).values();
  t.strictSame(found, { kind: 'same', session: 'before' });
});

await t.test('causes with the compiles that they cost', async (t) => {
  const before = buildModel('before', [
    files(['/b/x.h', 'old'], ['/b/y.h', 'y']),
    compileLine(1, 'a', 100, { remote: 100 }, { ...KNOWN, key: 'a' }),
    compileLine(2, 'b', 100, { remote: 100 }, { ...KNOWN, key: 'b' }),
    compileLine(3, 'c', 100, { remote: 100 }, { ...KNOWN, key: 'c' }),
  ]);
  const now = buildModel('now', [
    files(['/b/x.h', 'new'], ['/b/y.h', 'y']),
    compileLine(1, 'a', 100, { remote: 100 }, { ...KNOWN, key: 'a2' }),
    compileLine(2, 'b', 100, { remote: 60 }, { ...KNOWN, key: 'b2', toolchain: 'gcc13' }),
    compileLine(3, 'c', 100, { remote: 40 }, { ...KNOWN, key: 'c' }),
    compileLine(4, 'd', 100, { remote: 40 }, { ...KNOWN, key: 'd' }),
  ]);
  // Processor time is half of the wall time in these lines.
  t.strictSame(rebuilds(now, [before]), {
    first: 1,
    changed: 2,
    unknown: 0,
    same: { compiles: 1, work: 20 },
    causes: [
      { kind: 'file', name: '/b/x.h', compiles: 2, work: 80, examples: ['a.o', 'b.o'] },
      { kind: 'compiler', name: 'gcc', compiles: 1, work: 30, examples: ['b.o'] },
    ],
  });
});
