import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { Farm } from '../../src/client/farm.js';
import { HostSource } from '../../src/client/host-source.js';
import { LocalSlots } from '../../src/client/local-slots.js';
import { SessionDaemon } from '../../src/client/session-daemon.js';
import { Sessions } from '../../src/client/sessions.js';
import { SourceBuffers } from '../../src/client/source-buffers.js';
import { DAEMON } from '../../src/core/limits.js';
import { LIVE } from '../../src/core/live-limits.js';
import { realFiles } from '../../src/platform/files.js';
import type { ControlReply, ControlRequest } from '../../src/protocol/control.js';
import { bytesFrame, FieldWriter, FrameSplitter } from '../../src/protocol/field-codec.js';
import { FROM_LAUNCHER, TAG, TO_LAUNCHER } from '../../src/protocol/launcher-wire.js';
import { Journal } from '../../src/report/journal.js';
import type { LiveView } from '../../src/report/live.js';
import type { SessionStatus } from '../../src/report/statistics.js';
import { duplexPair } from '../fixtures/duplex-pair.js';
import { runRequest, WORLD } from '../fixtures/fake-launcher.js';
import { ManualClock } from '../fixtures/manual-clock.js';
import { MemoryJournals } from '../fixtures/memory-journals.js';
import { NO_TIMES } from '../fixtures/no-times.js';
import { NO_HEADERS, NO_INCLUDES } from '../fixtures/no-includes.js';
import type { Toolchain } from '../../src/toolchain/toolchain.js';

/** Whoever connects to the daemon, on a wire in memory. */
class Visitor {
  /** Resolves when the daemon has no more to do with this connection. */
  readonly served: Promise<void>;
  readonly #wire;
  readonly #frames: { readonly type: number; readonly body: Buffer }[] = [];

  constructor(daemon: SessionDaemon) {
    const [ours, theirs] = duplexPair();
    this.#wire = theirs;
    const splitter = new FrameSplitter(1 << 20);
    theirs.on('data', (bytes: Buffer) => {
      for (const { type, body } of splitter.push(bytes)) {
        this.#frames.push({ type, body: Buffer.from(body) });
      }
    });
    this.served = daemon.accept(ours);
  }

  get isClosed(): boolean {
    return this.#wire.destroyed;
  }

  send(frame: Uint8Array): this {
    this.#wire.write(frame);
    return this;
  }

  /** A command that runs here and holds a slot; it ends with the connection. */
  run(over: { readonly version?: number; readonly session?: string } = {}): this {
    const request = runRequest({ argv: ['gcc', '-o', 'x', 'x.o'] });
    const fields = new FieldWriter()
      .add(TAG.version, over.version ?? request.version)
      .add(TAG.pid, request.pid)
      .add(TAG.umask, request.umask)
      .add(TAG.flags, 0)
      .add(TAG.columns, 0)
      .add(TAG.cwd, request.cwd)
      .add(TAG.world, request.world)
      .add(TAG.compiler, request.compiler)
      .addAll(TAG.word, request.argv);
    if (over.session !== undefined) fields.add(TAG.variable, `TSCC_SESSION=${over.session}`);
    return this.send(fields.finish(FROM_LAUNCHER.run));
  }

  leave(): Promise<void> {
    this.#wire.end();
    return this.served;
  }

  /** The next frame of the daemon, which must be of this kind. */
  async expect(kind: keyof typeof TO_LAUNCHER): Promise<Buffer> {
    await until(() => this.#frames.length > 0);
    const frame = this.#frames.shift();
    if (frame?.type !== TO_LAUNCHER[kind]) throw new Error(`expected ${kind}, got ${frame?.type}`);
    return frame.body;
  }
}

async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1_000; turn++) {
    if (isSo()) return;
    await setImmediate();
  }
  throw new Error('it never happens');
}

function setUp() {
  const clock = new ManualClock();
  const journals = new MemoryJournals();
  const logged: string[] = [];
  const events: string[] = [];
  const slots = new LocalSlots({ compile: 4, preprocess: 4, other: 4 });
  let names = 0;
  let isPageClosed = false;
  const sessions = new Sessions(
    (name) => new Journal('/state', name, journals, clock, (message) => logged.push(message)),
    () => `implicit-${++names}`,
    clock,
    '0.0.0',
  );
  const daemon = new SessionDaemon({
    version: '1.2.3',
    stateDirectory: '/state',
    journals,
    sessions,
    world: WORLD,
    hosts: new HostSource('/nowhere', realFiles),
    files: realFiles,
    buffers: new SourceBuffers(),
    includes: NO_INCLUDES,
    compilerFiles: { of: (toolchain: Toolchain) => toolchain.files },
    terminals: { of: () => undefined },
    precompiled: NO_HEADERS,
    donations: { lend: () => undefined, view: () => ({ lent: 0, owed: 0 }) },
    compilers: { identify: () => Promise.resolve('compiler-unknown') },
    farm: new Farm(
      () => {
        throw new Error('no server is wanted');
      },
      { localSlots: slots, clock, times: NO_TIMES, random: () => 0.5 },
    ),
    slots,
    clock,
    sourceStem: '/nowhere/source-',
    unique: () => 'unique',
    mismatches: { keep: () => Promise.resolve('/s/mismatches/one') },
    watchProcess: () => () => true,
    log: (message) => logged.push(message),
    livePage: {
      open: () => Promise.resolve('http://127.0.0.1:1/token/'),
      close: () => void (isPageClosed = true),
    },
    leaveSocket: () => events.push('leaves its socket'),
    onEnd: () => events.push('ends'),
  });
  const visit = () => new Visitor(daemon);
  return {
    clock,
    journals,
    logged,
    events,
    slots,
    daemon,
    isPageClosed: () => isPageClosed,
    visit,
    ask: async (request: ControlRequest): Promise<ControlReply> => {
      const visitor = visit();
      visitor.send(bytesFrame(FROM_LAUNCHER.control, Buffer.from(JSON.stringify(request))));
      const reply = await visitor.expect('controlReply');
      await visitor.served;
      await until(() => visitor.isClosed);
      return JSON.parse(reply.toString()) as ControlReply;
    },
  };
}

type Daemon = ReturnType<typeof setUp>;

const ENDED = ['leaves its socket', 'ends'];

/** The status in a reply that must be one. */
async function statusOf(daemon: Daemon, session?: string): Promise<SessionStatus> {
  const reply = await daemon.ask(
    session === undefined ? { ask: 'status' } : { ask: 'status', session },
  );
  if (!reply.ok) throw new Error(reply.message);
  return reply.value as SessionStatus;
}

await t.test('nobody comes: it ends', async (t) => {
  const { clock, events } = setUp();
  clock.advance(DAEMON.idleExit - 1);
  t.strictSame(events, []);
  clock.advance(1);
  t.strictSame(events, ENDED);
  t.equal(clock.pending, 0, 'nothing is left running');
});

await t.test('a connection keeps it alive, and the wait begins anew after it', async (t) => {
  const { clock, events, visit, slots } = setUp();
  clock.advance(DAEMON.idleExit - 1);
  const visitor = visit().run();
  await visitor.expect('exec');
  clock.advance(3 * DAEMON.idleExit);
  t.strictSame(events, []);
  t.equal(slots.used('other'), 1);
  await visitor.leave();
  clock.advance(DAEMON.idleExit - 1);
  t.strictSame(events, []);
  clock.advance(1);
  t.strictSame(events, ENDED);
  t.equal(clock.pending, 0);
});

await t.test('of two connections the last one counts', async (t) => {
  const { clock, events, visit } = setUp();
  const [one, two] = [visit().run(), visit().run()];
  await one.expect('exec');
  await two.expect('exec');
  await one.leave();
  clock.advance(2 * DAEMON.idleExit);
  t.strictSame(events, []);
  await two.leave();
  clock.advance(DAEMON.idleExit);
  t.strictSame(events, ENDED);
});

await t.test('stop: no new connections, but running commands finish', async (t) => {
  const stage = setUp();
  const { clock, events, visit, ask, journals } = stage;
  const visitor = visit().run({ session: 'build' });
  await visitor.expect('exec');
  const value = { commands: 1, pid: process.pid };
  t.strictSame(await ask({ ask: 'version' }), {
    ok: true,
    value: { version: '1.2.3', pid: process.pid },
  });
  t.strictSame(await ask({ ask: 'stop' }), { ok: true, value });
  clock.advance(0);
  t.strictSame(events, ['leaves its socket']);
  t.match(await statusOf(stage, 'build'), { other: { link: 1 } }, 'who is connected is served');
  t.strictSame(events, ['leaves its socket'], 'a question does not end it');
  await visitor.leave();
  t.strictSame(events, ENDED);
  t.match(journals.read('/state/journal/build.jsonl'), '"session-end"');
  t.equal(clock.pending, 0);
});

await t.test('stop, told twice and with nothing to wait for', async (t) => {
  const { clock, events, daemon, ask } = setUp();
  t.strictSame(await ask({ ask: 'stop' }), { ok: true, value: { commands: 0, pid: process.pid } });
  clock.advance(0);
  daemon.stop();
  t.strictSame(events, ENDED);
});

await t.test(
  'a launcher of another version has its command run, and its way cleared',
  async (t) => {
    const stage = setUp();
    const { events, visit } = stage;
    const other = visit().run({ session: 'old' });
    await other.expect('exec');
    const visitor = visit().run({ version: 99, session: 'new' });
    await visitor.expect('exec');
    t.strictSame(events, ['leaves its socket'], 'the next launcher starts a daemon of its own');
    t.match(await statusOf(stage, 'new'), { declines: { 'version-mismatch': 1 } });
    await visitor.leave();
    t.strictSame(events, ['leaves its socket'], 'older commands go on');
    await other.leave();
    t.strictSame(events, ENDED);
  },
);

await t.test('status', async (t) => {
  const stage = setUp();
  const { visit, ask, journals, clock } = stage;
  t.match(await ask({ ask: 'status' }), { ok: false, message: /there is no session/ });
  journals.append('/state/journal/earlier.jsonl', '{"v":1,"time":5,"event":"session-start"}\n');
  t.match(await statusOf(stage), { session: 'earlier', started: 5 }, 'of one before this daemon');

  for (const session of ['one', 'two']) {
    const visitor = visit().run({ session });
    await visitor.expect('exec');
    await visitor.leave();
  }
  t.match(await statusOf(stage), { session: 'two', other: { link: 1 } }, 'the newest');
  t.match(await statusOf(stage, 'one'), { session: 'one', other: { link: 1 }, ended: null });
  t.match(await statusOf(stage, 'earlier'), { session: 'earlier' });
  t.strictSame(await ask({ ask: 'status', session: 'none' }), {
    ok: false,
    message: "there is no session 'none'",
  });
  clock.advance(1_000);
});

await t.test('a session ends when tscc-pump says so', async (t) => {
  const stage = setUp();
  const { visit, ask, journals } = stage;
  const visitor = visit().run({ session: 'build' });
  await visitor.expect('exec');
  await visitor.leave();
  t.match(await ask({ ask: 'end-session', session: 'build' }), {
    ok: true,
    value: { session: 'build', other: { link: 1 }, ended: Number },
  });
  t.match(journals.read('/state/journal/build.jsonl'), '"session-end"', 'complete on disk');
  t.match(await statusOf(stage), { session: 'build', ended: Number }, 'and still the newest');
  t.strictSame(await ask({ ask: 'end-session', session: 'never' }), { ok: true, value: null });
});

await t.test('the implicit session ends by itself, the daemon does not', async (t) => {
  const stage = setUp();
  const { visit, clock, events } = stage;
  const visitor = visit().run();
  await visitor.expect('exec');
  await visitor.leave();
  clock.advance(DAEMON.sessionIdle - 1);
  t.match(await statusOf(stage), { session: 'implicit-1', ended: null });
  clock.advance(1);
  t.match(await statusOf(stage), { session: 'implicit-1', ended: Number });
  t.strictSame(events, []);
});

/** What happens now. */
async function viewOf(daemon: Daemon): Promise<LiveView> {
  const reply = await daemon.ask({ ask: 'live' });
  if (!reply.ok) throw new Error(reply.message);
  return reply.value as LiveView;
}

await t.test('who asks sees what happens now', async (t) => {
  const stage = setUp();
  const { visit, clock } = stage;
  t.match(await viewOf(stage), { daemon: process.pid, sessions: [], running: 0, commands: [] });
  const visitor = visit().run({ session: 'build' });
  await visitor.expect('exec');
  clock.advance(1_500);
  t.match(await viewOf(stage), {
    time: clock.now(),
    sessions: [{ session: 'build', ended: null, running: 1 }],
    queued: 0,
    hosts: [],
    local: { other: { used: 1, limit: 4, waiting: 0 }, compile: { used: 0 } },
    running: 1,
    commands: [
      {
        session: 'build',
        id: 1,
        kind: 'other',
        name: 'gcc -o x x.o',
        phase: 'local',
        host: null,
        elapsed: 1_500,
        inPhase: 1_500,
      },
    ],
  });
  await visitor.leave();
  t.match(await viewOf(stage), { sessions: [{ running: 0 }], running: 0, commands: [] });
  await stage.ask({ ask: 'end-session', session: 'build' });
  t.match(await viewOf(stage), { sessions: [{ session: 'build', ended: Number }] });
});

await t.test('of very many commands the oldest are told, and the number of all', async (t) => {
  const stage = setUp();
  const visitors = Array.from({ length: LIVE.commands + 3 }, () => stage.visit().run());
  for (const visitor of visitors.slice(0, 4)) await visitor.expect('exec');
  const view = await viewOf(stage);
  t.strictSame([view.running, view.commands.length], [LIVE.commands + 3, LIVE.commands]);
  t.match(view.commands[0], { id: 1, phase: 'local' });
  t.match(view.commands[4], { id: 5, phase: 'local-queue' });
  await Promise.all(visitors.map((visitor) => visitor.leave()));
  stage.clock.advance(DAEMON.sessionIdle);
});

await t.test('who only looks on does not keep it alive', async (t) => {
  const stage = setUp();
  const { clock, events } = stage;
  clock.advance(DAEMON.idleExit - 2);
  await viewOf(stage);
  clock.advance(1);
  await viewOf(stage);
  t.strictSame(events, []);
  clock.advance(1);
  t.strictSame(events, ENDED);
});

await t.test('the live page: its address, and its end with the daemon', async (t) => {
  const stage = setUp();
  t.strictSame(await stage.ask({ ask: 'web' }), {
    ok: true,
    value: { url: 'http://127.0.0.1:1/token/' },
  });
  t.equal(stage.isPageClosed(), false);
  stage.clock.advance(DAEMON.idleExit);
  t.strictSame([stage.isPageClosed(), stage.events], [true, ENDED]);
});

await t.test('nonsense disturbs nobody', async (t) => {
  const { visit, events, logged, clock } = setUp();
  const good = visit().run({ session: 'build' });
  await good.expect('exec');
  const frames: [string, Uint8Array][] = [
    ['a length beyond all bounds', Buffer.from([0xff, 0xff, 0xff, 0xff, 1])],
    ['an unknown type', bytesFrame(0x77, Buffer.alloc(3))],
    [
      'fields that run past their frame',
      bytesFrame(FROM_LAUNCHER.run, Buffer.from([1, 9, 0, 0, 0])),
    ],
    [
      'a request without a command',
      new FieldWriter().add(TAG.version, 1).finish(FROM_LAUNCHER.run),
    ],
    ['a first frame that belongs later', preprocessed()],
    ['a question that is not JSON', bytesFrame(FROM_LAUNCHER.control, Buffer.from('?'))],
    [
      'a question of an unknown kind',
      bytesFrame(FROM_LAUNCHER.control, Buffer.from('{"ask":"x"}')),
    ],
  ];
  for (const [name, frame] of frames) {
    const visitor = visit().send(frame);
    await visitor.served;
    await until(() => visitor.isClosed);
    t.pass(`${name}: closed`);
  }
  const silent = visit();
  await silent.leave();
  t.strictSame([events, logged], [[], []]);
  t.equal(good.isClosed, false);
  await good.leave();
  clock.advance(DAEMON.idleExit);
  t.strictSame(events, ENDED, 'none of them counts as connected any more');
});

function preprocessed(): Buffer {
  return new FieldWriter()
    .add(TAG.status, 0)
    .add(TAG.stderrBytes, 0)
    .add(TAG.cpuMicroseconds, 0)
    .finish(FROM_LAUNCHER.preprocessed);
}
