import t from 'tap';
import {
  fnv1a64,
  socketDirectory,
  environmentOf,
  socketPath,
  stateDirectories,
} from '../../src/protocol/state-paths.js';

await t.test('where state is', async (t) => {
  const of = (environment: Record<string, string>) => stateDirectories(environment, '/b');
  t.strictSame(of({ TSCC_DIR: '/own', HOME: '/h' }), ['/own', '/b/state']);
  t.strictSame(of({ XDG_STATE_HOME: '/x', HOME: '/h' }), ['/x/tscc', '/b/state']);
  t.strictSame(of({ XDG_STATE_HOME: 'x', HOME: '/h' }), ['/h/.local/state/tscc', '/b/state']);
  t.strictSame(of({ TSCC_DIR: '', HOME: '' }), ['/b/state']);
});

await t.test('where sockets are', async (t) => {
  const of = (runtime: string, isOwn = true) =>
    socketDirectory({ XDG_RUNTIME_DIR: runtime }, 7, () => isOwn);
  t.equal(of('/run/user/7'), '/run/user/7/tscc');
  t.equal(of('/run/user/7', false), '/tmp/tscc-7', "somebody else's");
  t.equal(of('relative'), '/tmp/tscc-7');
  t.equal(of(`/${'x'.repeat(79)}`), `/${'x'.repeat(79)}/tscc`, 'the longest that fits');
  t.equal(of(`/${'x'.repeat(80)}`), '/tmp/tscc-7');
  t.match(socketPath('/b', '/state'), /^\/b\/[0-9a-f]{16}\.sock$/);
});

await t.test('FNV-1a 64 as published', async (t) => {
  t.equal(fnv1a64(Buffer.from('')), 'cbf29ce484222325');
  t.equal(fnv1a64(Buffer.from('a')), 'af63dc4c8601ec8c');
  t.equal(fnv1a64(Buffer.from('foobar')), '85944171f73967e8');
});

await t.test('a program of ours can be led to the same state and socket', async (t) => {
  for (const given of [{ XDG_RUNTIME_DIR: '/run/user/7' }, {}]) {
    const socket = socketPath(
      socketDirectory(given, 7, () => true),
      '/state',
    );
    const environment = environmentOf('/state', socket);
    const base = socketDirectory(environment, 7, () => true);
    t.equal(stateDirectories(environment, base)[0], '/state');
    t.equal(socketPath(base, '/state'), socket);
  }
});
