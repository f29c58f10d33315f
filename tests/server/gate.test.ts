import t from 'tap';
import { SERVER, WIRE } from '../../src/core/limits.js';
import { parseAllowed } from '../../src/server/access.js';
import { Gate, type Visitor } from '../../src/server/gate.js';
import { ManualClock } from '../fixtures/manual-clock.js';

/** Connections that come from addresses, and whether they are still there. */
class Door {
  readonly clock = new ManualClock();
  readonly log: string[] = [];
  readonly refused: string[] = [];
  readonly gate: Gate;
  #last = 0;

  constructor(...networks: readonly string[]) {
    const allowed = parseAllowed(networks);
    if (!allowed.ok) throw new Error(allowed.error);
    this.gate = new Gate(() => (networks.length > 0 ? allowed.value : undefined), this.clock, {
      log: (who, what) => this.log.push(`${who}: ${what}`),
      refused: (why) => this.refused.push(why),
    });
  }

  come(remoteAddress: string): Visitor & { readonly isGone: boolean } {
    const visitor = { remoteAddress, isGone: false, destroy: () => (visitor.isGone = true) };
    this.gate.admit(visitor, `${remoteAddress}:${++this.#last}`);
    return visitor;
  }
}

await t.test('who is not in --allow, and who is', async (t) => {
  const door = new Door('10.0.0.0/8');
  t.ok(door.come('11.0.0.1').isGone);
  t.notOk(door.come('10.0.0.1').isGone);
  t.notOk(door.come('::ffff:10.0.0.1').isGone);
  t.same(door.log, ['11.0.0.1:1: refused: its address is not in --allow']);
});

await t.test('HELLO has its time', async (t) => {
  const door = new Door();
  const [silent, polite, fickle] = [door.come('1.1.1.1'), door.come('1.1.1.2'), door.come('::1')];
  door.gate.greeted(polite);
  door.gate.left(fickle);
  door.clock.advance(WIRE.handshake);
  t.match([silent, polite, fickle], [{ isGone: true }, { isGone: false }, { isGone: false }]);
  t.same(door.log, ['1.1.1.1:1: refused: no HELLO within 5 s']);
  t.same(door.refused, ['late']);
  door.gate.refuse(polite, 'too late for that', 'late');
  t.notOk(polite.isGone);
  door.gate.close();
  t.equal(door.clock.pending, 0);
});

await t.test('one origin cannot take the room of others', async (t) => {
  const door = new Door();
  const honest = door.come('1.1.1.1');
  const flood = Array.from({ length: WIRE.pendingOfOrigin + 2 }, () => door.come('6.6.6.6'));
  t.same(
    flood.map(({ isGone }) => isGone),
    flood.map((_, i) => i < 2),
    'its own oldest go',
  );
  t.notOk(honest.isGone);
  // From many origins together: of those that have most.
  const others = Math.ceil(WIRE.pendingHandshakes / WIRE.pendingOfOrigin);
  for (let host = 1; host <= others; host++) {
    for (let i = 0; i < WIRE.pendingOfOrigin; i++) door.come(`7.7.7.${host}`);
  }
  t.notOk(honest.isGone, 'the oldest of all, but the only one from there');
  t.ok(flood.filter(({ isGone }) => isGone).length > 2);
});

await t.test('an IPv6 network of 64 bits is one origin', async (t) => {
  const door = new Door();
  const flood = Array.from({ length: WIRE.pendingOfOrigin + 1 }, (_, i) =>
    door.come(`2001:db8:0:1::${i.toString(16)}`),
  );
  t.ok(flood[0]?.isGone);
  const other = door.come('2001:db8:0:2::1');
  for (let i = 0; i < WIRE.pendingOfOrigin; i++) door.come(`2001:db8:0:1:1::${i.toString(16)}`);
  t.notOk(other.isGone);
});

await t.test('connections of one origin are bounded, greeted or not', async (t) => {
  const door = new Door();
  const guests = Array.from({ length: WIRE.connectionsOfOrigin }, () => {
    const guest = door.come('1.1.1.1');
    door.gate.greeted(guest);
    return guest;
  });
  t.notOk(guests.some(({ isGone }) => isGone));
  t.ok(door.come('1.1.1.1').isGone);
  t.notOk(door.come('1.1.1.2').isGone);
  const [first] = guests;
  if (first !== undefined) door.gate.left(first);
  if (first !== undefined) door.gate.left(first);
  t.notOk(door.come('1.1.1.1').isGone, 'one has left');
  door.gate.greeted(door.come('none'));
  t.match(door.log, [/^1\.1\.1\.1:513: refused: 512 connections from there are open already$/]);
});

await t.test('a flood of refusals is told in a few lines', async (t) => {
  const door = new Door('10.0.0.0/8');
  for (let i = 0; i < 1000; i++) door.come('6.6.6.6');
  door.come('6.6.6.7');
  const why = 'refused: its address is not in --allow';
  t.same(door.log.splice(0), [`6.6.6.6:1: ${why}`, `6.6.6.7:1001: ${why}`]);
  door.clock.advance(SERVER.refusalPause);
  t.same(door.log.splice(0), [`6.6.6.6: ${why} (999 more within 60 s)`]);
  door.come('6.6.6.7');
  t.same(door.log.splice(0), [`6.6.6.7:1002: ${why}`], 'afresh after a quiet minute');
  door.come('6.6.6.6');
  door.come('6.6.6.6');
  door.gate.close();
  t.same(door.log, [`6.6.6.6: ${why} (2 more within 60 s)`], 'the end leaves nothing untold');
  t.equal(door.clock.pending, 0);
});

await t.test('from however many addresses', async (t) => {
  const door = new Door('10.0.0.0/8');
  const hosts = 2 * SERVER.refusalKinds;
  for (let i = 0; i < hosts; i++) door.come(`11.${i >> 8}.${i & 255}.1`);
  t.equal(door.log.length, SERVER.refusalKinds + 1);
  door.clock.advance(SERVER.refusalPause);
  t.match(door.log.at(-1), /^other addresses: .* \(999 more within 60 s\)$/);
});
