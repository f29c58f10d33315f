import t from 'tap';
import { ARGUMENTS, DAEMON, LAUNCHER, SCHEDULING, SERVER, WIRE } from '../../src/core/limits.js';
import { BREAKER } from '../../src/core/scheduling-limits.js';

await t.test('bounds bound something', async (t) => {
  for (const [name, group] of Object.entries({
    LAUNCHER,
    DAEMON,
    WIRE,
    SCHEDULING,
    ARGUMENTS,
    SERVER,
  })) {
    for (const [limit, value] of Object.entries(group)) {
      t.ok(Number.isSafeInteger(value) && value > 0, `${name}.${limit}`);
    }
  }
});

await t.test('who waits for a sign of life misses two of them before it gives up', async (t) => {
  t.ok(3 * LAUNCHER.beatInterval <= LAUNCHER.silence);
  t.ok(3 * WIRE.pingInterval <= WIRE.silence);
});

await t.test('the shorter wait is inside the longer one', async (t) => {
  t.ok(WIRE.connect + WIRE.handshake < LAUNCHER.silence, 'a dead host, before make notices');
  t.ok(SERVER.jobWall < SCHEDULING.jobTimeout, "the server's reason is the better one");
  t.ok(SERVER.jobCpuSeconds * 1000 <= SERVER.jobWall);
  t.ok(DAEMON.sessionIdle < DAEMON.idleExit, 'a session ends before its daemon');
  t.ok(BREAKER.pauseFirst < BREAKER.pauseLast);
  t.ok(SERVER.cancel <= SERVER.drain);
});

await t.test('what one side sends the other takes', async (t) => {
  t.ok(DAEMON.sourceBytes <= WIRE.sourceBytes);
  t.ok(SERVER.jobFile <= WIRE.outputBytes);
  t.ok(WIRE.chunkBytes < WIRE.controlBytes);
  t.ok(ARGUMENTS.remoteOptions < WIRE.elements);
  t.ok(LAUNCHER.frameBytes < LAUNCHER.requestBytes);
  t.ok(ARGUMENTS.remoteValue < WIRE.controlBytes);
});
