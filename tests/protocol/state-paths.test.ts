import t from 'tap';
import {
  fnv1a64,
  socketDirectory,
  socketPath,
  stateDirectories,
} from '../../src/protocol/state-paths.js';

await t.test('where state is', async (t) => {
  const of = (environment: Record<string, string>) => stateDirectories(environment, 7);
  t.strictSame(of({ TSCC_DIR: '/own', HOME: '/h' }), ['/own', '/tmp/tscc-7/state']);
  t.strictSame(of({ XDG_STATE_HOME: '/x', HOME: '/h' }), ['/x/tscc', '/tmp/tscc-7/state']);
  t.strictSame(of({ HOME: '/h' }), ['/h/.local/state/tscc', '/tmp/tscc-7/state']);
  t.strictSame(of({ XDG_RUNTIME_DIR: '/run/u' }), ['/run/u/tscc/state']);
  t.strictSame(of({ TSCC_DIR: '', HOME: '' }), ['/tmp/tscc-7/state']);
});

await t.test('where sockets are', async (t) => {
  t.equal(socketDirectory({ XDG_RUNTIME_DIR: '/run/user/7' }, 7), '/run/user/7/tscc');
  t.equal(socketDirectory({ XDG_RUNTIME_DIR: 'relative' }, 7), '/tmp/tscc-7');
  t.match(socketPath('/b', '/state'), /^\/b\/[0-9a-f]{16}\.sock$/);
});

await t.test('FNV-1a 64 as published', async (t) => {
  t.equal(fnv1a64(Buffer.from('')), 'cbf29ce484222325');
  t.equal(fnv1a64(Buffer.from('a')), 'af63dc4c8601ec8c');
  t.equal(fnv1a64(Buffer.from('foobar')), '85944171f73967e8');
});
