import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import type { RemotePlace } from '../../src/client/farm.js';
import { Race } from '../../src/client/race.js';
import { RemoteFailure, type RemoteResult } from '../../src/client/remote-job.js';
import { JOB } from '../fixtures/fake-server.js';

/** A place where the test plays the server. */
class FakePlace implements RemotePlace {
  readonly kind = 'remote';
  readonly why = 'least-loaded';
  readonly tier = 3;
  readonly slots = 1;
  readonly host: string;
  released = 0;
  isCancelled = false;
  answer: (result: RemoteResult) => void = () => {};
  fail: (error: Error) => void = () => {};

  constructor(host: string) {
    this.host = host;
  }

  run(_job: unknown, _timeout: number, signal: AbortSignal): Promise<RemoteResult> {
    return new Promise((resolve, reject) => {
      this.answer = resolve;
      this.fail = reject;
      signal.addEventListener('abort', () => {
        this.isCancelled = true;
        reject(signal.reason as Error);
      });
    });
  }

  release(): void {
    this.released++;
  }
}

const result = (cpu: number) => ({ status: 0, cpu }) as RemoteResult;

function setUp() {
  const gone = new AbortController();
  const race = new Race(JOB, 1_000, gone.signal);
  const [red, green] = [new FakePlace('red'), new FakePlace('green')];
  race.enter(red);
  return { gone, race, red, green };
}

await t.test('one server alone', async (t) => {
  const { race, red } = setUp();
  red.answer(result(1));
  const end = await race.ended;
  t.match(end, { kind: 'won', result: { cpu: 1 }, place: red, isLater: false });
  t.equal('loser' in end && end.loser, undefined);
  t.equal(red.released, 1);
});

await t.test('the first result wins, whoever it is from, and the other is cancelled', async (t) => {
  for (const isLater of [false, true]) {
    const { race, red, green } = setUp();
    race.enter(green);
    const [winner, loser] = isLater ? [green, red] : [red, green];
    winner.answer(result(1));
    t.match(await race.ended, { kind: 'won', place: winner, loser, isLater });
    t.equal(loser.isCancelled, true);
    loser.answer(result(2));
    await setImmediate();
    t.strictSame([red.released, green.released], [1, 1]);
    t.strictSame(race.failed, [], 'a loser has not failed');
  }
});

await t.test('one fails: the other goes on', async (t) => {
  const { race, red, green } = setUp();
  race.enter(green);
  red.fail(new RemoteFailure('lost', 'red is gone'));
  await setImmediate();
  t.strictSame([red.released, green.released, green.isCancelled], [1, 0, false]);
  green.answer(result(1));
  t.match(await race.ended, { kind: 'won', place: green, loser: red, isLater: true });
  t.match(race.failed, [{ host: 'red', failure: { kind: 'lost' } }]);
});

await t.test('all fail: lost, and each is named', async (t) => {
  const { race, red, green } = setUp();
  race.enter(green);
  green.fail(new RemoteFailure('garbage', 'green lies'));
  red.fail(new RemoteFailure('lost', 'red is gone'));
  t.strictSame(await race.ended, { kind: 'lost' });
  t.strictSame(
    race.failed.map(({ host }) => host),
    ['green', 'red'],
  );
});

await t.test('a file is gone: no server could do it', async (t) => {
  const { race, red, green } = setUp();
  race.enter(green);
  red.fail(new RemoteFailure('stale', 'a.h'));
  await t.rejects(race.ended, { message: 'a.h' });
  t.equal(green.isCancelled, true);
});

await t.test('nobody wants it any more: all are cancelled', async (t) => {
  const { gone, race, red, green } = setUp();
  race.enter(green);
  gone.abort(new Error('^C'));
  await t.rejects(race.ended, { message: '^C' });
  await setImmediate();
  t.strictSame([red.isCancelled, green.isCancelled], [true, true]);
  t.strictSame([red.released, green.released], [1, 1]);
  const late = new FakePlace('blue');
  race.enter(late);
  t.equal(late.released, 1, 'who comes too late gives its place back');
});

await t.test('a fault of the program is told as it is', async (t) => {
  const { race, red } = setUp();
  red.fail(new TypeError('oh'));
  await t.rejects(race.ended, { name: 'TypeError' });
});
