/** A server lets jobs in as its memory allows: real jobs, an invented memory. */
import t from 'tap';
import { ADMISSION } from '../../src/core/scheduling-limits.js';
import { FakeCompiler } from '../fixtures/fake-compiler.js';
import { identityOf, TestServer } from '../fixtures/test-server.js';
import { until } from '../fixtures/until.js';
import { WireClient } from '../fixtures/wire-client.js';

const fake = FakeCompiler.build();
const FAKE = identityOf(fake.path());
/** Times that the server looked, for a job that has a slot. */
let looks = 0;
let available = ADMISSION.kept + ADMISSION.unknown;
const server = await TestServer.start([fake.path()], {
  slots: 2,
  availableMemory() {
    looks++;
    return available;
  },
});
t.teardown(async () => {
  await server.stop();
  fake.close();
});

await t.test('a job waits for memory, and what jobs took is learned', async (t) => {
  const client = await WireClient.greeted(server.port);
  t.teardown(() => client.close());
  client.begin(FAKE, 'one');
  const first = await fake.nextInvocation();
  client.begin(FAKE, 'two');
  await until(() => looks > 0);
  t.match(server.server.figures, { running: 1, waiting: 1 }, 'there is a slot, and no room');
  await first.exit(1);
  const second = await fake.nextInvocation();
  await client.answer();

  client.begin(FAKE, 'three');
  const third = await fake.nextInvocation();
  t.match(server.server.figures, { running: 2 }, 'such compiles are small, as the first has shown');

  available = 0;
  await second.exit(1);
  await client.answer();
  looks = 0;
  client.begin(FAKE, 'four');
  await until(() => looks > 1);
  t.match(server.server.figures, { running: 1, waiting: 1 }, 'asked again, and still no room');
  available = Infinity;
  const fourth = await fake.nextInvocation();
  for (const run of [third, fourth]) {
    await run.exit(1);
    await client.answer();
  }
  await server.noLeftovers();
});
