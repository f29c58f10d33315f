import t from 'tap';
import { chooseHost, type HostChoice } from '../../src/client/scheduler.js';
import { hashText } from '../../src/core/text-hash.js';
import { SeededRandom } from '../fixtures/seeded-random.js';

interface Named extends HostChoice {
  readonly name: string;
}

const host = (name: string, over: Partial<HostChoice> = {}): Named => ({
  name,
  slots: 4,
  room: (over.slots ?? 4) + 1,
  mine: 0,
  others: 0,
  strain: 0,
  isShared: true,
  weight: 1,
  speed: 1,
  nameHash: hashText(name),
  ...over,
});

const seeded = () => {
  const random = new SeededRandom(7);
  return () => random.next();
};

const choose = (hosts: readonly Named[], unit?: number) => chooseHost(hosts, unit, seeded());
const nameOf = (hosts: readonly Named[], unit?: number) => choose(hosts, unit)?.host.name;

await t.test('the least loaded, counted per slot', async (t) => {
  t.equal(nameOf([host('a', { mine: 2 }), host('b', { mine: 1 })]), 'b');
  t.equal(nameOf([host('a', { mine: 2 }), host('b', { slots: 16, mine: 5 })]), 'b');
  t.equal(nameOf([host('a', { others: 3 }), host('b', { mine: 2 })]), 'b');
  t.equal(choose([host('a', { mine: 2 }), host('b', { mine: 1 })])?.why, 'least-loaded');
});

await t.test('weight and measured speed', async (t) => {
  t.equal(nameOf([host('a'), host('b', { weight: 2 })]), 'b');
  t.equal(nameOf([host('a', { speed: 0.5 }), host('b')]), 'b');
  t.equal(nameOf([host('a', { speed: 2, mine: 1 }), host('b')]), 'a');
});

await t.test('load that is not ours makes a host the second choice, not a full one', async (t) => {
  t.equal(nameOf([host('a', { strain: 4 }), host('b', { mine: 1 })]), 'b');
  t.equal(nameOf([host('a', { strain: 4 }), host('b', { mine: 4 })]), 'a');
});

await t.test('an idle slot is better than the next one of a faster host', async (t) => {
  const fast = host('fast', { speed: 4, mine: 4 });
  const slow = host('slow', { speed: 0.25, mine: 3 });
  t.equal(nameOf([fast, slow]), 'slow');
  const both = [fast, { ...slow, mine: 4 }];
  t.strictSame([nameOf(both), choose(both)?.why], ['fast', 'next-in-line']);
});

await t.test('without a unit the first of equals: the order of the list', async (t) => {
  t.equal(nameOf([host('a'), host('b'), host('c')]), 'a');
  t.equal(nameOf([host('c'), host('b'), host('a')]), 'c');
});

await t.test('a unit has its host among equals, whatever their order and number', async (t) => {
  const names = ['a', 'b', 'c', 'd'];
  const shares = new Map<string, number>();
  for (let n = 0; n < 400; n++) {
    const unit = hashText(`/src/${n}.o`);
    const drawn =
      nameOf(
        names.map((name) => host(name)),
        unit,
      ) ?? '';
    t.equal(
      nameOf(
        names.toReversed().map((name) => host(name)),
        unit,
      ),
      drawn,
    );
    const fewer = names.filter((name) => name === drawn || name !== names[n % 4]);
    t.equal(
      nameOf(
        fewer.map((name) => host(name)),
        unit,
      ),
      drawn,
      'and stays there',
    );
    shares.set(drawn, (shares.get(drawn) ?? 0) + 1);
  }
  for (const [name, share] of shares) t.ok(share > 60 && share < 140, `${name} has ${share}`);
  const unit = hashText('/src/1.o');
  t.equal(
    choose(
      names.map((name) => host(name)),
      unit,
    )?.why,
    'same-as-last-time',
  );
});

await t.test(
  'with other clients about, one of two drawn: they do not all come to one',
  async (t) => {
    const hosts = ['a', 'b', 'c', 'd', 'e', 'f'].map((name, n) =>
      host(name, { slots: 8, others: n + 1 }),
    );
    const random = seeded();
    const taken = new Map<string, number>();
    for (let n = 0; n < 300; n++) {
      const name = chooseHost(hosts, n, random)?.host.name ?? '';
      taken.set(name, (taken.get(name) ?? 0) + 1);
    }
    t.ok((taken.get('a') ?? 0) < 150, 'the best one is not taken by all');
    t.notOk(taken.has('f'), 'the worst one loses against any other');
    const full = hosts.map((one, n) => (n < 5 ? { ...one, others: 8 } : one));
    t.equal(chooseHost(full, 1, random)?.host.name, 'f', 'and idle ones come first all the same');
  },
);

await t.test('no more than there is room, then all are full', async (t) => {
  t.equal(choose([host('a', { mine: 4 })])?.why, 'only-one-free');
  t.equal(choose([host('a', { mine: 5 })]), undefined);
  t.equal(choose([host('a', { slots: 0, room: 0 })]), undefined);
  t.equal(nameOf([host('a', { room: 1 })]), 'a', 'one on trial');
  t.equal(choose([host('a', { room: 1, mine: 1 })]), undefined);
  t.equal(choose([]), undefined);
});
