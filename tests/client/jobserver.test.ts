import t from 'tap';
import { jobserverAddress, recipeOf } from '../../src/client/jobserver.js';
import { DONATION } from '../../src/core/limits.js';

await t.test('what MAKEFLAGS tells of a jobserver', async (t) => {
  const pipe = { kind: 'pipe', read: 3, write: 4 };
  const cases: readonly (readonly [string, unknown])[] = [
    ['', undefined],
    ['k', undefined],
    [' -j', undefined],
    ['s -j2 --jobserver-auth=3,4', pipe],
    [' -j2 --jobserver-fds=3,4', pipe],
    ['--jobserver-fds=5,6 -j --jobserver-auth=3,4 -- CC=gcc', pipe],
    [' -j2 --jobserver-auth=3,4 --jobserver-auth=-2,-2', pipe],
    [' -j2 --jobserver-auth=-2,-2', undefined],
    [' -j2 --jobserver-auth=fifo:/tmp/GMfifo12', { kind: 'fifo', path: '/tmp/GMfifo12' }],
    [
      String.raw` -j2 --jobserver-auth=fifo:/tmp/a\ b$$c/GMfifo1 --x`,
      { kind: 'fifo', path: '/tmp/a b$c/GMfifo1' },
    ],
    [' -j2 --jobserver-auth=fifo:GMfifo12', undefined],
    [' -j2 --jobserver-auth=3', undefined],
    [' -j2 --jobserver-auth=99999999999,4', undefined],
    [' -j2 -- A=--jobserver-auth=3,4 --jobserver-auth=3,4', undefined],
    [' -Ix--jobserver-auth=3,4', undefined],
  ];
  for (const [flags, address] of cases) t.strictSame(jobserverAddress(flags), address, flags);
});

await t.test('whose recipe a launcher is in', async (t) => {
  /** Names of the launcher's ancestors, the nearest first; the launcher is process 100. */
  const recipe = (...above: readonly string[]) =>
    recipeOf(100, (pid) => {
      const name = pid === 100 ? 'tscc' : above[100 - pid - 1];
      return name === undefined ? undefined : { name, parent: pid - 1 };
    });
  t.strictSame(recipe('make', 'sh'), { make: 99, child: 100 });
  t.strictSame(recipe('gmake'), { make: 99, child: 100 });
  t.strictSame(recipe('sh', 'make', 'sh', 'make'), { make: 98, child: 99 }, 'the nearest one');
  t.strictSame(recipe('bash', 'dash', 'make'), { make: 97, child: 98 });
  for (const other of ['ccache', 'libtool', 'python3', 'ninja', 'timeout', 'makeinfo']) {
    t.equal(recipe('sh', other, 'sh', 'make'), undefined, other);
  }
  t.equal(recipe('sh', 'systemd'), undefined);
  t.equal(recipe('sh'), undefined, 'its parent has ended');
  t.equal(recipe(), undefined);
  const shells = Array.from({ length: DONATION.shells + 1 }, () => 'sh');
  t.equal(recipe(...shells, 'make'), undefined, 'there is an end to it');
  t.ok(recipe(...shells.slice(1), 'make'));
});
