import { execFileSync } from 'node:child_process';
import {
  chmodSync, closeSync, linkSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, rmdirSync,
  symlinkSync, unlinkSync, utimesSync, writeFileSync, writeSync,
} from 'node:fs';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { digestOf } from '../../src/core/digest.js';
import { FileTree } from '../../src/include-server/file-tree.js';
import type { Degradation } from '../../src/include-server/vouchers.js';
import { realClock } from '../../src/platform/clock.js';
import { startPiped, type PipedProcess } from '../../src/platform/piped-process.js';
import { realTreeFiles } from '../../src/platform/tree-files.js';

const WATCH = fileURLToPath(new URL('../../../bin/tscc-watch', import.meta.url));

type Mode = 'watched' | 'stat';

class Bench {
  readonly root: string;
  readonly tree: FileTree<string>;
  readonly degraded: Degradation[] = [];
  watch: PipedProcess | undefined;
  scans = 0;
  constructor(t: Test, mode: Mode) {
    this.root = t.testdir({ state: {}, a: { 'x.h': 'x', sub: { 'y.h': 'y' } }, b: {} });
    this.tree = new FileTree<string>({
      files: realTreeFiles,
      clock: realClock,
      startWatch:
        mode === 'stat' ? undefined : () => (this.watch = startPiped(WATCH, [`${this.root}/state`])),
      scan: (bytes, language) => (this.scans++, `${language}:${bytes.toString('latin1')}`),
      onDegraded: (why) => this.degraded.push(why),
    });
    t.teardown(() => this.tree.close());
  }
  /** What a path leads to, as one word. */
  see(path: string): string {
    const walked = this.tree.walk(`${this.root}/${path}`);
    switch (walked.kind) {
      case 'file':
        return `file ${walked.file.content().scanned('c').slice(2)}`;
      case 'directory':
        return `directory ${walked.path.slice(this.root.length + 1)}`;
      default:
        return `${walked.kind} ${walked.at.slice(this.root.length + 1)}`;
    }
  }
}
for (const mode of ['watched', 'stat'] as const) {
  await t.test(mode, async (t) => {
    const bench = new Bench(t, mode);
    t.equal(bench.see('a/x.h'), 'file x');
    t.equal(bench.see('b/none.h'), 'absent b/none.h');
    await bench.tree.catchUp();
    t.equal(await bench.tree.catchUp(), mode);
    const v = bench.tree.version;
    writeFileSync(`${bench.root}/b/x.o`, '');
    t.equal(await bench.tree.catchUp(), mode);
    t.equal(bench.tree.version, v);
    writeFileSync(`${bench.root}/b/none.h`, 'n');
    t.equal(await bench.tree.catchUp(), mode);
    t.not(bench.tree.version, v);
    t.equal(bench.see('b/none.h'), 'file n');
    t.strictSame(bench.degraded, []);
  });
}
