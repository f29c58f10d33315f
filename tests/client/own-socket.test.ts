import { once } from 'node:events';
import { linkSync, mkdtempSync, readdirSync, rmSync, watch } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import t from 'tap';
import { OwnSocket } from '../../src/client/own-socket.js';

const NAME = '0123456789abcdef.sock';

await t.test('a second name stays when the first is gone; those of dead daemons go', async (t) => {
  const directory = mkdtempSync(`${tmpdir()}/own-`);
  t.teardown(() => rmSync(directory, { recursive: true }));
  const common = `${directory}/${NAME}`;
  const dead = createServer().listen(common);
  await once(dead, 'listening');
  // A server unlinks its path when it closes; the second name stays as after SIGKILL.
  linkSync(common, `${directory}/01234567-dead0000.src`);
  linkSync(common, `${directory}/76543210-dead0000.src`);
  dead.close();
  await once(dead, 'close');

  const server = createServer((socket) => socket.end()).listen(common);
  t.teardown(() => server.close());
  await once(server, 'listening');
  const ours = new OwnSocket(common, 'abcdef01');
  linkSync(common, `${directory}/01234567-11115e00.src`);
  t.equal(ours.path, `${directory}/01234567-abcdef01.src`);
  const watcher = watch(directory);
  const change = once(watcher, 'change');
  ours.removeStale();
  await change;
  watcher.close();
  t.strictSame(readdirSync(directory).toSorted(), [
    '01234567-11115e00.src',
    '01234567-abcdef01.src',
    NAME,
    '76543210-dead0000.src',
  ]);
  rmSync(common);
  await once(createConnection(ours.path).resume(), 'close');
  ours.remove();
  ours.remove();
  t.notOk(readdirSync(directory).includes('01234567-abcdef01.src'));
});
