import { PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { SourceIntake } from '../../src/client/source-intake.js';

const TOKEN = '0123456789abcdef';

function setUp(maximum = 100) {
  const intake = new SourceIntake('/run/own.src', maximum);
  const abort = new AbortController();
  const source = intake.expect(TOKEN, abort.signal);
  // Looked at later than it may come.
  source.catch(() => {});
  return { intake, abort, source, stream: new PassThrough() };
}

await t.test('a source comes whole, in as many pieces as it likes', async (t) => {
  const { intake, source, stream } = setUp();
  intake.deliver(TOKEN, stream);
  for (const piece of ['int ', 'x', ';\n']) stream.write(piece);
  stream.end();
  t.equal((await source).toString(), 'int x;\n');
});

await t.test('an empty one too', async (t) => {
  const { intake, source, stream } = setUp();
  intake.deliver(TOKEN, stream);
  stream.end();
  t.equal((await source).length, 0);
});

await t.test('a token is good for one stream; what nobody expects is closed', async (t) => {
  const { intake, source, stream } = setUp();
  const unknown = new PassThrough();
  intake.deliver('fedcba9876543210', unknown);
  t.equal(unknown.destroyed, true);
  intake.deliver(TOKEN, stream);
  const second = new PassThrough();
  intake.deliver(TOKEN, second);
  t.equal(second.destroyed, true);
  stream.end('first');
  t.equal((await source).toString(), 'first');
});

await t.test('a source of the largest size is taken, one byte more is not', async (t) => {
  const fits = setUp(4);
  fits.intake.deliver(TOKEN, fits.stream);
  fits.stream.end('1234');
  t.equal((await fits.source).length, 4);

  const { intake, source, stream } = setUp(4);
  intake.deliver(TOKEN, stream);
  stream.write('1234');
  stream.write('5');
  await t.rejects(source, { name: 'SourceTooLarge' });
  t.equal(stream.destroyed, true, 'so that the preprocessor ends');
});

await t.test('a stream that is closed before its end is no source', async (t) => {
  const { intake, source, stream } = setUp();
  intake.deliver(TOKEN, stream);
  stream.write('int ');
  stream.destroy();
  await t.rejects(source, { message: /closed before its end/ });
});

await t.test('nobody waits for a launcher that is gone', async (t) => {
  const gone = new Error('gone');
  await t.test('before the stream', async (t) => {
    const { intake, abort, source, stream } = setUp();
    abort.abort(gone);
    await t.rejects(source, gone);
    intake.deliver(TOKEN, stream);
    t.equal(stream.destroyed, true);
  });
  await t.test('during it', async (t) => {
    const { intake, abort, source, stream } = setUp();
    intake.deliver(TOKEN, stream);
    stream.write('int ');
    await setImmediate();
    abort.abort(gone);
    await t.rejects(source, gone);
    t.equal(stream.destroyed, true);
  });
  await t.test('from the start', async (t) => {
    await t.rejects(
      new SourceIntake('/run/own.src', 1).expect(TOKEN, AbortSignal.abort(gone)),
      gone,
    );
  });
  await t.test('after it: too late', async (t) => {
    const { intake, abort, source, stream } = setUp();
    intake.deliver(TOKEN, stream);
    stream.end('x');
    await source;
    abort.abort(gone);
    t.equal((await source).toString(), 'x');
  });
});
