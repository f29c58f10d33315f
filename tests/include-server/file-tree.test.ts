/**
 * One contract for all ways of vouching: after catching up a tree answers as a new one would, and
 * its version has grown if an answer is another one.
 */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
  type Stats,
} from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { INCLUDES } from '../../src/core/include-limits.js';
import { realClock } from '../../src/platform/clock.js';
import { realTreeFiles } from '../../src/platform/tree-files.js';
import { TreeBench, type TreeMode } from '../fixtures/tree-bench.js';

const programs = t.testdir({});
const mapWriter = `${programs}/map-writer`;
// Sources stay where they are when tests are compiled.
const source = fileURLToPath(new URL('../../../tests/fixtures/map-writer.c', import.meta.url));
execFileSync('gcc', ['-o', mapWriter, source]);

interface Case {
  readonly name: string;
  /** Paths that are asked for before and after. */
  readonly ask: readonly string[];
  /** Before anything is asked. Paths of system calls are below `root`. */
  readonly before?: (root: string) => void;
  readonly edit: (root: string) => void;
  /** Whether answers change; the version must not grow when they do not. */
  readonly changes: boolean;
}

/** Replaces a file as careful programs do. */
function replace(path: string, content: string): void {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}

/** More names than a directory is asked for one by one. */
const MANY = Array.from({ length: 20 }, (_, index) => `many/none${index}.h`);

const CASES: readonly Case[] = [
  {
    name: 'a name that was absent is created',
    ask: ['a/none.h', 'a/x.h'],
    edit: (root) => writeFileSync(`${root}/a/none.h`, 'new'),
    changes: true,
  },
  {
    name: 'names that nobody asked for come and go',
    ask: ['a/x.h', 'a/none.h'],
    edit: (root) => {
      writeFileSync(`${root}/a/x.o`, 'object');
      replace(`${root}/a/y.o`, 'object');
      mkdirSync(`${root}/a/made`);
      unlinkSync(`${root}/a/x.o`);
    },
    changes: false,
  },
  {
    name: 'a file is deleted',
    ask: ['a/x.h'],
    edit: (root) => unlinkSync(`${root}/a/x.h`),
    changes: true,
  },
  {
    name: 'a file is moved away and another one into its place',
    ask: ['a/x.h', 'a/old.h'],
    edit: (root) => {
      renameSync(`${root}/a/x.h`, `${root}/a/old.h`);
      renameSync(`${root}/b/y.h`, `${root}/a/x.h`);
    },
    changes: true,
  },
  {
    name: 'a file is rewritten with the same size, in the same tick',
    ask: ['a/x.h'],
    edit: (root) => writeFileSync(`${root}/a/x.h`, 'X'),
    changes: true,
  },
  {
    name: 'a file is rewritten with the same size and its time set back',
    ask: ['a/x.h'],
    before: (root) => utimesSync(`${root}/a/x.h`, 1_600_000_000, 1_600_000_000),
    edit: (root) => {
      writeFileSync(`${root}/a/x.h`, 'X');
      utimesSync(`${root}/a/x.h`, 1_600_000_000, 1_600_000_000);
    },
    changes: true,
  },
  {
    name: 'a file is written anew as it was',
    ask: ['a/x.h', 'b/y.h'],
    before: (root) => {
      utimesSync(`${root}/a/x.h`, 1_600_000_000, 1_600_000_000);
      utimesSync(`${root}/b/y.h`, 1_600_000_000, 1_600_000_000);
    },
    edit: (root) => {
      writeFileSync(`${root}/a/x.h`, 'x');
      utimesSync(`${root}/a/x.h`, 1_600_000_000, 1_600_000_000);
      replace(`${root}/b/y.h`, 'y');
      utimesSync(`${root}/b/y.h`, 1_600_000_000, 1_600_000_000);
    },
    changes: false,
  },
  {
    name: 'a file is touched',
    ask: ['a/x.h'],
    edit: (root) => utimesSync(`${root}/a/x.h`, 1_600_000_000, 1_600_000_000),
    changes: true,
  },
  {
    name: 'a file gets another mode',
    ask: ['a/x.h'],
    edit: (root) => chmodSync(`${root}/a/x.h`, 0o640),
    changes: true,
  },
  {
    name: 'a file grows, another one is cut off',
    ask: ['a/x.h', 'b/y.h'],
    edit: (root) => {
      appendFileSync(`${root}/a/x.h`, 'more');
      truncateSync(`${root}/b/y.h`);
    },
    changes: true,
  },
  {
    name: 'a file is replaced by a link',
    ask: ['a/x.h'],
    edit: (root) => {
      unlinkSync(`${root}/a/x.h`);
      symlinkSync('../b/y.h', `${root}/a/x.h`);
    },
    changes: true,
  },
  {
    name: 'a link is turned elsewhere',
    ask: ['link/x.h', 'link/y.h', 'link'],
    edit: (root) => {
      symlinkSync('b', `${root}/other`);
      renameSync(`${root}/other`, `${root}/link`);
    },
    changes: true,
  },
  {
    name: 'a link whose target was missing gets one',
    ask: ['dangling', 'dangling/x.h'],
    edit: (root) => mkdirSync(`${root}/nowhere`),
    changes: true,
  },
  {
    name: 'a file is replaced by a directory',
    ask: ['a/x.h', 'a/x.h/below.h'],
    edit: (root) => {
      unlinkSync(`${root}/a/x.h`);
      mkdirSync(`${root}/a/x.h`);
      writeFileSync(`${root}/a/x.h/below.h`, 'below');
    },
    changes: true,
  },
  {
    name: 'a directory above is renamed',
    ask: ['deep/one/two/z.h', 'deep/uno/two/z.h'],
    edit: (root) => renameSync(`${root}/deep/one`, `${root}/deep/uno`),
    changes: true,
  },
  {
    name: 'a directory above is renamed, and its file written there',
    ask: ['deep/one/two/z.h'],
    edit: (root) => {
      renameSync(`${root}/deep/one`, `${root}/deep/uno`);
      writeFileSync(`${root}/deep/uno/two/z.h`, 'Z');
      symlinkSync('uno', `${root}/deep/one`);
    },
    changes: true,
  },
  {
    name: 'two directories change places',
    ask: ['a/x.h', 'a/y.h', 'b/x.h', 'b/y.h'],
    edit: (root) => {
      renameSync(`${root}/a`, `${root}/c`);
      renameSync(`${root}/b`, `${root}/a`);
      renameSync(`${root}/c`, `${root}/b`);
    },
    changes: true,
  },
  {
    name: 'a directory is moved away and back',
    ask: ['a/x.h', 'a/none.h'],
    edit: (root) => {
      renameSync(`${root}/a`, `${root}/c`);
      renameSync(`${root}/c`, `${root}/a`);
    },
    changes: false,
  },
  {
    name: 'a directory is removed and made again, with other content',
    ask: ['a/x.h', 'a/none.h', 'a'],
    edit: (root) => {
      rmSync(`${root}/a`, { recursive: true });
      mkdirSync(`${root}/a`);
      writeFileSync(`${root}/a/x.h`, 'X');
    },
    changes: true,
  },
  {
    name: 'a directory is replaced by a link to it',
    ask: ['a/x.h', 'a'],
    edit: (root) => {
      renameSync(`${root}/a`, `${root}/moved`);
      symlinkSync('moved', `${root}/a`);
      writeFileSync(`${root}/moved/x.h`, 'X');
    },
    changes: true,
  },
  {
    name: 'a directory appears where none was',
    ask: ['gone/include/x.h', 'gone/include'],
    edit: (root) => {
      mkdirSync(`${root}/gone/include`, { recursive: true });
      writeFileSync(`${root}/gone/include/x.h`, 'there');
    },
    changes: true,
  },
  {
    name: 'a second link is made in a directory nobody knows, and written through',
    ask: ['a/x.h'],
    edit: (root) => {
      linkSync(`${root}/a/x.h`, `${root}/unknown/other.h`);
      writeFileSync(`${root}/unknown/other.h`, 'X');
    },
    changes: true,
  },
  {
    name: 'a file that had two names is written through the other one',
    ask: ['a/x.h'],
    before: (root) => linkSync(`${root}/a/x.h`, `${root}/unknown/other.h`),
    edit: (root) => writeFileSync(`${root}/unknown/other.h`, 'X'),
    changes: true,
  },
  {
    name: 'both names are known, and one goes',
    ask: ['a/x.h', 'b/other.h'],
    before: (root) => linkSync(`${root}/a/x.h`, `${root}/b/other.h`),
    edit: (root) => {
      unlinkSync(`${root}/b/other.h`);
      writeFileSync(`${root}/a/x.h`, 'X');
    },
    changes: true,
  },
  {
    name: 'a file is written through a mapping',
    ask: ['a/x.h'],
    edit: (root) => void execFileSync(mapWriter, [`${root}/a/x.h`, 'X']),
    changes: true,
  },
  {
    name: 'a directory that was listed loses and gains names',
    ask: ['many/there.h', 'many/link.h', 'many/later.h', ...MANY],
    edit: (root) => {
      unlinkSync(`${root}/many/there.h`);
      writeFileSync(`${root}/many/none7.h`, '7');
      writeFileSync(`${root}/many/later.h`, '');
      unlinkSync(`${root}/many/later.h`);
      unlinkSync(`${root}/many/link.h`);
      symlinkSync('unasked.h', `${root}/many/link.h`);
    },
    changes: true,
  },
  {
    name: 'objects in a directory that was listed',
    ask: ['many/there.h', ...MANY],
    edit: (root) => {
      for (let index = 0; index < 30; index++) writeFileSync(`${root}/many/${index}.o`, '');
      unlinkSync(`${root}/many/unasked.h`);
    },
    changes: false,
  },
];

function plant(root: string): void {
  for (const directory of ['state', 'a', 'b', 'many', 'deep/one/two', 'unknown']) {
    mkdirSync(`${root}/${directory}`, { recursive: true });
  }
  writeFileSync(`${root}/a/x.h`, 'x');
  writeFileSync(`${root}/b/y.h`, 'y');
  writeFileSync(`${root}/deep/one/two/z.h`, 'z');
  writeFileSync(`${root}/many/there.h`, 'there');
  writeFileSync(`${root}/many/unasked.h`, 'unasked');
  symlinkSync('there.h', `${root}/many/link.h`);
  symlinkSync('a', `${root}/link`);
  symlinkSync('nowhere', `${root}/dangling`);
}

for (const mode of ['watched', 'stat', 'foreign'] as const) {
  await t.test(mode, async (t) => {
    for (const [index, each] of CASES.entries()) {
      // At once: while there is no watch yet, and all stamps are doubtful.
      for (const isSettled of [true, false]) {
        const root = `${programs}/${mode}-${index}-${isSettled}`;
        plant(root);
        each.before?.(root);
        const name = `${each.name}${isSettled ? '' : ', at once'}`;
        await t.test(name, (t) => check(t, root, mode, each, isSettled));
      }
    }
  });
}

async function check(
  t: Tap,
  root: string,
  mode: TreeMode,
  { ask, edit, changes }: Case,
  isSettled: boolean,
): Promise<void> {
  const bench = new TreeBench(root, mode);
  const oracle = new TreeBench(root, 'stat');
  t.teardown(() => bench.tree.close());
  const before = ask.map((path) => bench.see(path));
  if (isSettled) {
    await bench.settle();
    t.equal(await bench.tree.catchUp(), mode === 'watched' ? 'watched' : 'stat');
  }
  const { version } = bench.tree;
  edit(root);
  await bench.tree.catchUp();
  const after = ask.map((path) => bench.see(path));
  t.strictSame(
    after,
    ask.map((path) => oracle.see(path)),
  );
  t.equal(after.join() !== before.join(), changes, 'the case is what it says');
  t.equal(bench.tree.version > version, changes, 'version');
  await bench.settle();
  t.strictSame(
    ask.map((path) => bench.see(path)),
    after,
    'and stays so',
  );
  t.equal(await bench.tree.catchUp(), mode === 'watched' ? 'watched' : 'stat');
  t.strictSame(bench.degraded, []);
}

type Tap = Pick<typeof t, 'teardown' | 'equal' | 'strictSame'>;

for (const mode of ['watched', 'stat', 'foreign'] as const) {
  await t.test(`a file that is written all the time (${mode})`, async (t) => {
    const root = `${programs}/open-${mode}`;
    plant(root);
    const bench = new TreeBench(root, mode);
    t.teardown(() => bench.tree.close());
    const fd = openSync(`${root}/a/x.h`, 'r+');
    bench.see('a/x.h');
    for (let index = 0; index < 50; index++) {
      const text = String(index).padStart(3, '0');
      writeSync(fd, text, 0);
      await bench.tree.catchUp();
      t.match(bench.see('a/x.h'), `: ${text} (`);
    }
    closeSync(fd);
  });

  await t.test(`the file system's clock stands still (${mode})`, async (t) => {
    const root = `${programs}/still-${mode}`;
    plant(root);
    const start = Date.now();
    let now = start;
    let reads = 0;
    // As a coarse clock stamps all that happens within one tick. No device at hand has one.
    const stopped = (stats: Stats | string) =>
      typeof stats === 'string' ? stats : Object.assign(stats, { mtimeMs: start, ctimeMs: start });
    const bench = new TreeBench(root, mode, realClock, {
      now: () => now,
      lstat: (path) => stopped(realTreeFiles.lstat(path)),
      statOpened: (path) => stopped(realTreeFiles.statOpened(path)),
      read(path) {
        reads++;
        const opened = realTreeFiles.read(path);
        if (typeof opened !== 'string') stopped(opened.stats);
        return opened;
      },
    });
    t.teardown(() => bench.tree.close());
    bench.see('a/x.h');
    bench.see('a/none.h');
    writeFileSync(`${root}/a/x.h`, 'X');
    writeFileSync(`${root}/a/none.h`, 'there');
    await bench.tree.catchUp();
    t.match(bench.see('a/x.h'), /: X /);
    t.match(bench.see('a/none.h'), /: there /);
    if (mode === 'watched') return;
    now = start + (mode === 'foreign' ? INCLUDES.foreignTick : INCLUDES.localTick);
    await bench.tree.catchUp();
    reads = 0;
    await bench.tree.catchUp();
    t.equal(reads, 0, 'when the tick is over, stamps are trusted');
    now--;
    bench.see('b/y.h');
    reads = 0;
    await bench.tree.catchUp();
    t.equal(reads, 1, 'not earlier');
  });

  await t.test(`the scanner is asked once for each content (${mode})`, async (t) => {
    const root = `${programs}/scans-${mode}`;
    plant(root);
    const bench = new TreeBench(root, mode);
    t.teardown(() => bench.tree.close());
    bench.see('a/x.h');
    t.equal(bench.scans, 1);
    utimesSync(`${root}/a/x.h`, 1_600_000_000, 1_600_000_000);
    await bench.settle();
    t.match(bench.see('a/x.h'), '1600000000');
    t.equal(bench.scans, 1, 'another time, the same bytes');
    const walked = bench.tree.walk(`${root}/a/x.h`);
    t.equal(walked.kind === 'file' && walked.file.content().scanned('assembler'), 'as x');
    t.equal(walked.kind === 'file' && walked.file.content().scanned('assembler'), 'as x');
    t.equal(bench.scans, 2, 'the other language');
  });
}
