import t from 'tap';
import { Farm, type Place, type PlaceRequest } from '../../src/client/farm.js';
import { LocalSlots } from '../../src/client/local-slots.js';
import { readSettings } from '../../src/client/settings.js';
import { digestOf } from '../../src/core/digest.js';
import type { Welcome } from '../../src/protocol/plain-messages.js';
import { featuresOf } from '../../src/protocol/pump-offer.js';
import type { Toolchain } from '../../src/toolchain/toolchain.js';
import { FakeServer, PUMPED, remoteHost } from '../fixtures/fake-server.js';

const never = new AbortController().signal;
const DIGEST = digestOf('gcc');
const TOOLCHAIN = { digest: DIGEST, name: 'gcc', driverBytes: 1 } as Toolchain;

function setUp(names: readonly string[], localhost = 0) {
  const servers = new Map<string, FakeServer>();
  const slots = new LocalSlots({ compile: 2, preprocess: 2, other: 2 });
  const farm = new Farm((host, _settings, farm) => {
    const server = servers.get(host.name) ?? new FakeServer(host, () => farm.changed());
    servers.set(host.name, server);
    return server.link;
  }, slots);
  const hosts = {
    remote: names.map((name) => remoteHost(name)),
    localhost,
    localSlots: undefined,
    preprocessSlots: undefined,
    randomize: false,
  };
  const settings = readSettings(new Map());
  const exclude = new Set<string>();
  const request: PlaceRequest = { mode: 'plain', hosts, toolchain: TOOLCHAIN, settings, exclude };
  for (const name of names) {
    const host = remoteHost(name);
    servers.set(name, new FakeServer(host, () => farm.changed()));
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
  return { farm, slots, request, server, comeUp };
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

await t.test('localhost takes over when all servers are full', async (t) => {
  const { farm, request, comeUp } = setUp(['red'], 1);
  const first = farm.acquire(request, never);
  await comeUp('red', 1);
  await first;
  await farm.acquire(request, never);
  t.equal(hostOf(await farm.acquire(request, never)), 'localhost');
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
