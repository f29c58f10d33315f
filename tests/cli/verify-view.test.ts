import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import t from 'tap';
import { currentMountPoints, VerifyView, writtenDirectories } from '../../src/cli/verify-view.js';

await t.test('directories in one another are covered by the topmost', async (t) => {
  const points = ['/', '/home', '/w/disk', '/x'];
  t.strictSame(writtenDirectories(['/w2/b', '/w2', '/w2/b/c', '/w22', '/x'], points), {
    covered: ['/w2', '/w22', '/x'],
    refused: new Set(),
  });
  const mounted = writtenDirectories(['/w', '/w/disk/o', '/'], points);
  t.strictSame(mounted.covered, ['/w/disk/o']);
  t.strictSame([...mounted.refused].toSorted(), ['/', '/w']);
});

await t.test('mount points are read with their blanks', async (t) => {
  const points = currentMountPoints();
  t.ok(points.includes('/') && points.includes('/proc'));
});

const isRoot = process.getuid?.() === 0;
const words = [...(isRoot ? [] : ['--user', '--map-root-user']), '--mount', 'true'];
const cannot = spawnSync('unshare', words).status !== 0 && 'namespaces are not permitted here';

await t.test('what is written in the view stays there', { skip: cannot }, async (t) => {
  const directory = mkdtempSync(`${tmpdir()}/tscc view,lowerdir=:\\`);
  t.teardown(() => rmSync(directory, { recursive: true }));
  writeFileSync(`${directory}/file`, 'old');
  const view = new VerifyView([directory]);
  const script = 'cd "$1" && cat file > seen && echo new > file && rm seen && echo x > "$2/report"';
  const status = await view.run(['sh', '-c', script, 'sh', directory, view.scratch], process.env);
  t.equal(status, 0);
  t.equal(readFileSync(`${view.scratch}/report`, 'utf8'), 'x\n', 'the scratch directory is real');
  t.equal(readFileSync(`${directory}/file`, 'utf8'), 'old');
  t.equal(existsSync(`${directory}/seen`), false);
  t.equal(await view.run(['sh', '-c', 'exit 7'], process.env), 7);
  view.remove();
  t.equal(existsSync(view.scratch), false);
});
