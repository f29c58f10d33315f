import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { Farm, type FarmContext, type Place, type PlaceRequest } from '../../src/client/farm.js';
import { LocalSlots } from '../../src/client/local-slots.js';
import { readSettings } from '../../src/client/settings.js';
import { digestOf } from '../../src/core/digest.js';
import { BREAKER, STRAGGLER } from '../../src/core/scheduling-limits.js';
import type { Welcome } from '../../src/protocol/plain-messages.js';
import { featuresOf } from '../../src/protocol/pump-offer.js';
import type { Toolchain } from '../../src/toolchain/toolchain.js';
import { FakeServer, JOB, PUMPED, remoteHost } from '../fixtures/fake-server.js';
import { ManualClock } from '../fixtures/manual-clock.js';
import { NO_TIMES } from '../fixtures/no-times.js';

const never = new AbortController().signal;
const DIGEST = digestOf('gcc');
const TOOLCHAIN = { digest: DIGEST, name: 'gcc', driverBytes: 1 } as Toolchain;

function setUp(names: readonly string[], localhost = 0, times: FarmContext['times'] = NO_TIMES) {
  const clock = new ManualClock();
  const servers = new Map<string, FakeServer>();
  const slots = new LocalSlots({ compile: 2, preprocess: 2, other: 2 });
  const farm = new Farm(
    (host, _settings, farm) => {
      const server = servers.get(host.name) ?? new FakeServer(host, () => farm.changed(), clock);
      servers.set(host.name, server);
      return server.link;
    },
    { localSlots: slots, clock, times, random: () => 0.5 },
  );
  const hosts = {
    remote: names.map((name) => remoteHost(name)),
    localhost,
    localSlots: undefined,
    preprocessSlots: undefined,
    randomize: false,
  };
  const settings = readSettings(new Map());
  const exclude = new Set<string>();
  const request: PlaceRequest = {
    mode: 'plain',
    hosts,
    toolchain: TOOLCHAIN,
    settings,
    unit: 1,
    exclude,
  };
  for (const name of names) {
    const host = remoteHost(name);
    servers.set(name, new FakeServer(host, () => farm.changed(), clock));
  }
  const server = (name: string): FakeServer => {
    const found = servers.get(name);
    if (found === undefined) throw new Error(`no server ${name}`);
    return found;
  };
  const comeUp = async (
    name: string,
    slotCount: number,
    known = true,
    welcome: Partial<Welcome> = {},
  ) => {
    await server(name).comeUp({ slots: slotCount }, welcome);
    await server(name).expect('toolchain-query');
    server(name).send({ kind: 'toolchain', digest: DIGEST, known });
    await server(name).settle();
  };
  return { farm, slots, request, server, comeUp, clock };
}

function hostOf(place: Place): string {
  return place.kind === 'remote' ? place.host : place.kind;
}

await t.test('waits for the first server that can, and does not wait for the others', async (t) => {
  const { farm, request, comeUp } = setUp(['red', 'green']);
  const waiting = farm.acquire(request, never);
  await comeUp('green', 1);
  t.equal(hostOf(await waiting), 'green');
});

await t.test('places are spread, bounded, and passed on when they are released', async (t) => {
  const { farm, request, comeUp } = setUp(['red', 'green']);
  const waiting = [1, 2, 3, 4].map(() => farm.acquire(request, never));
  await comeUp('red', 1);
  t.equal(farm.queued, 2, 'one slot and one job preloaded');
  await comeUp('green', 1);
  const places = await Promise.all(waiting);
  t.strictSame(places.map(hostOf).toSorted(), ['green', 'green', 'red', 'red']);
  const fifth = farm.acquire(request, never);
  t.equal(farm.queued, 1);
  const released = places.find((place) => hostOf(place) === 'green');
  if (released?.kind === 'remote') {
    released.release();
    released.release();
  }
  t.equal(hostOf(await fifth), 'green');
  t.equal(farm.queued, 0);
});

await t.test(
  'localhost is one more host: idle, it is better than a place that waits',
  async (t) => {
    const { farm, slots, request, comeUp } = setUp(['red'], 1);
    const first = farm.acquire(request, never);
    await comeUp('red', 1);
    const both = [await first, await farm.acquire(request, never)];
    t.strictSame(both.map(hostOf).toSorted(), ['localhost', 'red']);
    t.equal(slots.used('compile'), 1, 'and its place is one of this machine');
    t.equal(hostOf(await farm.acquire(request, never)), 'red', 'the job that waits there');
    const last = farm.acquire(request, never);
    t.equal(farm.queued, 1);
    const here = both.find((place) => place.kind === 'localhost');
    if (here?.kind === 'localhost') here.slot.release();
    t.equal(hostOf(await last), 'localhost', 'who waits hears that a slot is free here');
  },
);

await t.test('what runs here anyway counts: links make localhost the second choice', async (t) => {
  const { farm, slots, request, comeUp } = setUp(['red'], 2);
  const links = [slots.tryAcquire('other'), slots.tryAcquire('other')];
  const first = farm.acquire(request, never);
  await comeUp('red', 2);
  const places = [await first, await farm.acquire(request, never)];
  t.strictSame(places.map(hostOf), ['red', 'red']);
  for (const link of links) link?.release();
  const rest = [await farm.acquire(request, never), await farm.acquire(request, never)];
  t.strictSame(rest.map(hostOf), ['localhost', 'localhost']);
});

await t.test('local compiles that hold all slots leave none to localhost', async (t) => {
  const { farm, slots, request, comeUp } = setUp(['red'], 4);
  slots.tryAcquire('compile');
  slots.tryAcquire('compile');
  const first = farm.acquire(request, never);
  await comeUp('red', 1);
  t.strictSame([await first, await farm.acquire(request, never)].map(hostOf), ['red', 'red']);
  void farm.acquire(request, never);
  t.equal(farm.queued, 1);
});

await t.test('long compiles first, and builds take turns', async (t) => {
  const known = new Map([
    [1, 100],
    [2, 9_000],
    [3, 3_000],
  ]);
  const times = { expected: (unit: number) => known.get(unit), learn: () => {} };
  const { farm, request, comeUp } = setUp(['red'], 0, times);
  const order: string[] = [];
  const places: Place[] = [];
  const ask = async (session: string, unit: number) => {
    const settings = { ...request.settings, session };
    places.push(await farm.acquire({ ...request, settings, unit }, never));
    order.push(`${session} ${unit}`);
  };
  for (const unit of [1, 1, 2, 3, 1]) void ask('big', unit);
  for (const unit of [1, 3]) void ask('small', unit);
  await comeUp('red', 1);
  for (let n = 0; n < 7; n++) {
    const done = places.shift();
    if (done?.kind === 'remote') done.release();
    await setImmediate();
  }
  // Of equal right to the one place that comes first: the longest of all, then turn by turn.
  t.strictSame(order, ['big 2', 'small 3', 'big 3', 'small 1', 'big 1', 'big 1', 'big 1']);
});

/** Runs one job to its end. */
async function serve(run: ReturnType<typeof setUp>, name: string, place: Place): Promise<void> {
  if (place.kind !== 'remote') throw new Error(place.kind);
  const result = place.run(JOB, 60_000, never);
  const { job } = await run.server(name).expect('job');
  await run.server(name).expect('chunk');
  run.server(name).answer(job, Buffer.from('object'));
  await result;
  place.release();
}

await t.test('a host that fails jobs gets none for a while, then one on trial', async (t) => {
  const run = setUp(['red']);
  const { farm, request, server, comeUp, clock } = run;
  const first = farm.acquire(request, never);
  await comeUp('red', 4);
  const place = await first;
  for (let n = 0; n < BREAKER.faults; n++) {
    if (place.kind !== 'remote') throw new Error(place.kind);
    const result = place.run(JOB, 60_000, never);
    const { job } = await server('red').expect('job');
    await server('red').expect('chunk');
    server('red').send({ kind: 'refused', job, code: 'failed', message: 'no space' });
    await t.rejects(result, { message: 'red: failed: no space' });
  }
  t.match(await farm.acquire(request, never), {
    kind: 'none',
    reason: 'no-server',
    detail: /^red: not used for a while: 3 faults in a row: red: failed: no space$/,
  });
  t.match(farm.view(), [{ state: 'up', breaker: 'open', pause: BREAKER.pauseFirst }]);
  t.match(server('red').events, ['up: tsccd 1.2.3, 4 slots', /^down: not used for a while: 3 /]);
  if (place.kind === 'remote') place.release();

  clock.advance(BREAKER.pauseFirst);
  const probe = await farm.acquire(request, never);
  t.equal(hostOf(probe), 'red');
  t.match(farm.view(), [{ breaker: 'half-open', pause: null, mine: 1 }]);
  t.match(await farm.acquire(request, never), { kind: 'none' }, 'nobody waits for a trial');
  await serve(run, 'red', probe);
  t.match(farm.view(), [{ breaker: 'closed', mine: 0, reason: null }]);
  t.equal(server('red').events.at(-1), 'up: it does its jobs again');
  t.equal(hostOf(await farm.acquire(request, never)), 'red');
});

await t.test('a straggler may run on an idle host that has shown what it can', async (t) => {
  const known = { expected: () => 1_000, learn: () => {} };
  const run = setUp(['red', 'green'], 0, known);
  const { farm, request, comeUp, clock } = run;
  const first = farm.acquire(request, never);
  await comeUp('red', 1);
  await first;
  const second = farm.acquire({ ...request, exclude: new Set(['red']) }, never);
  await comeUp('green', 1);
  const other = await second;
  if (other.kind === 'remote') other.release();
  const raced: Place[] = [];
  const watch = () => farm.watch(request, 'red', (place) => raced.push(place));
  let unwatch = watch();
  const due = Math.max(STRAGGLER.least, STRAGGLER.ofExpected * 1_000);
  clock.advance(due + STRAGGLER.interval);
  t.strictSame(raced, [], 'green has done nothing yet');
  await serve(run, 'green', await farm.acquire({ ...request, exclude: new Set(['red']) }, never));
  clock.advance(STRAGGLER.interval);
  t.strictSame(raced.map(hostOf), ['green']);
  t.match(raced, [{ why: 'race' }]);
  unwatch();
  clock.advance(due);
  unwatch = watch();
  clock.advance(due + STRAGGLER.interval);
  t.equal(raced.length, 1, 'green is not idle any more');
  unwatch();
});

await t.test('no server', async (t) => {
  const { farm, request, server } = setUp(['red', 'green']);
  for (const name of ['red', 'green']) server(name).refusal = 'connection refused';
  t.strictSame(await farm.prospect(request, never), {
    kind: 'none',
    reason: 'no-server',
    detail: 'red: connection refused; green: connection refused',
  });
});

await t.test('no server with this compiler', async (t) => {
  const { farm, request, comeUp } = setUp(['red']);
  const waiting = farm.prospect(request, never);
  await comeUp('red', 1, false);
  t.match(await waiting, { kind: 'none', reason: 'no-toolchain', detail: 'not on red' });
});

const OWN = { tier: 2, plainTier: 2, features: featuresOf('own') };

await t.test('pump jobs below tier 3 go where their compiler is', async (t) => {
  const { farm, request, comeUp } = setUp(['red', 'green']);
  const pump = { ...request, mode: 'pump' } as const;
  const waiting = farm.acquire(pump, never);
  await comeUp('red', 1, false, OWN);
  await comeUp('green', 1, true, OWN);
  t.equal(hostOf(await waiting), 'green');
  const settings = readSettings(new Map([['TSCC_MIN_TIER', '3']]));
  t.match(await farm.prospect({ ...pump, settings }, never), { reason: 'no-sandbox' });
});

await t.test('a compiler at other paths there is not asked for again', async (t) => {
  const { farm, request, server, comeUp } = setUp(['red']);
  const pump = { ...request, mode: 'pump' } as const;
  const waiting = farm.acquire(pump, never);
  await comeUp('red', 1, true, OWN);
  const place = await waiting;
  if (place.kind !== 'remote') throw new Error('no place');
  const ran = place.run(PUMPED, 60_000, never).catch((error: unknown) => error);
  await server('red').expect('entries');
  const { job } = await server('red').expect('pump-job');
  server('red').send({ kind: 'refused', job, code: 'toolchain', message: 'elsewhere' });
  t.match(await ran, { reason: 'server-refused' });
  t.match(await farm.prospect(pump, never), { reason: 'other-paths', detail: 'on red' });
  t.match(await farm.prospect(request, never), { kind: 'open' });
});

await t.test('a host that has failed a compile is not asked again for it', async (t) => {
  const { farm, request, comeUp } = setUp(['red', 'green']);
  const first = farm.acquire({ ...request, exclude: new Set(['red']) }, never);
  await comeUp('green', 1);
  t.equal(hostOf(await first), 'green');
  t.match(await farm.acquire({ ...request, exclude: new Set(['red', 'green']) }, never), {
    kind: 'none',
    reason: 'no-server',
  });
});

await t.test('who goes leaves the queue', async (t) => {
  const { farm, request } = setUp(['red']);
  const interrupt = new AbortController();
  const waiting = farm.acquire(request, interrupt.signal);
  interrupt.abort(new Error('^C'));
  await t.rejects(waiting, { message: '^C' });
  t.equal(farm.queued, 0);
});

await t.test('a draining server takes nothing more', async (t) => {
  const { farm, request, comeUp, server } = setUp(['red']);
  const first = farm.acquire(request, never);
  await comeUp('red', 1);
  await first;
  server('red').send({
    kind: 'state',
    slots: 1,
    running: 0,
    queued: 0,
    load: 0,
    draining: true,
  });
  await server('red').settle();
  t.match(await farm.acquire(request, never), { kind: 'none', detail: 'red: it is ending' });
});
