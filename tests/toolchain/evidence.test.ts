import t from 'tap';
import { Evidence } from '../../src/toolchain/evidence.js';

/** Files with their stamps, and directories whose stamps the test sets. */
class Disk {
  readonly files = new Map<string, string>();
  readonly directories = new Map<string, string>();
  asked: string[] = [];

  stamp(file: string): string | undefined {
    this.asked.push(file);
    return this.files.get(file);
  }

  directoryStamp(directory: string): string | undefined {
    return this.directories.get(directory);
  }
}

function setUp() {
  const disk = new Disk();
  disk.files.set('/b/as', 'v1');
  disk.directories.set('/a', 'old');
  const evidence = new Evidence(disk);
  t.equal(evidence.look('/a/as'), undefined);
  t.equal(evidence.look('/b/as'), 'v1');
  t.equal(evidence.look('/a/cc1'), undefined);
  return { disk, evidence };
}

await t.test('a file that changes or goes ends it', async (t) => {
  const { disk, evidence } = setUp();
  t.equal(evidence.holds(), true);
  disk.files.set('/b/as', 'v2');
  t.equal(evidence.holds(), false);
  disk.files.delete('/b/as');
  t.equal(evidence.holds(), false);
});

await t.test('a file that appears ends it', async (t) => {
  const { disk, evidence } = setUp();
  t.equal(evidence.holds(), true);
  disk.files.set('/a/cc1', 'v1');
  disk.directories.set('/a', 'new');
  t.equal(evidence.holds(), false);
});

await t.test('absences are not looked for again while their directory is as it was', async (t) => {
  const { disk, evidence } = setUp();
  t.equal(evidence.holds(), true);
  disk.asked = [];
  t.equal(evidence.holds(), true);
  t.same(disk.asked, ['/b/as']);
});

await t.test('another name in the directory costs one look', async (t) => {
  const { disk, evidence } = setUp();
  t.equal(evidence.holds(), true);
  disk.directories.set('/a', 'new');
  disk.asked = [];
  t.equal(evidence.holds(), true);
  t.same(disk.asked, ['/b/as', '/a/as', '/a/cc1']);
  disk.asked = [];
  t.equal(evidence.holds(), true);
  t.same(disk.asked, ['/b/as']);
});

await t.test('a directory that cannot vouch has its absences looked for each time', async (t) => {
  const { disk, evidence } = setUp();
  disk.directories.delete('/a');
  t.equal(evidence.holds(), true);
  disk.files.set('/a/as', 'v1');
  t.equal(evidence.holds(), false);
});

await t.test(
  'while somebody who is told of changes says that there was none, nothing is looked at',
  async (t) => {
    const disk = new Disk();
    disk.files.set('/b/as', 'v1');
    disk.directories.set('/a', 'old');
    const remembered = new Set<string>();
    let epoch: number | undefined;
    const voucher = {
      remember: (path: string) => void remembered.add(path),
      refresh: () => Promise.resolve(),
      epoch: () => epoch,
    };
    const evidence = new Evidence({
      stamp: (file) => disk.stamp(file),
      directoryStamp: (directory) => disk.directoryStamp(directory),
      voucher,
    });
    evidence.look('/b/as');
    evidence.look('/a/as');
    const isLookedAt = () => {
      disk.asked = [];
      t.equal(evidence.holds(), true);
      return disk.asked.includes('/b/as');
    };
    t.equal(isLookedAt(), true);
    t.equal(isLookedAt(), true, 'nothing is vouched for yet');
    t.strictSame([...remembered], ['/b/as', '/a/as']);
    epoch = 1;
    t.equal(isLookedAt(), true, 'once more, since it is told of changes from now on');
    t.equal(isLookedAt(), false);
    epoch = 2;
    t.equal(isLookedAt(), true, 'something has changed');
    t.equal(isLookedAt(), false);
    epoch = 3;
    disk.files.set('/b/as', 'v2');
    t.equal(evidence.holds(), false);
  },
);
