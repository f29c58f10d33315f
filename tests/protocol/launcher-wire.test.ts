import t from 'tap';
import { Fields, FieldWriter, MalformedFrame } from '../../src/protocol/field-codec.js';
import {
  decodeFromLauncher,
  encodeToLauncher,
  FROM_LAUNCHER,
  LAUNCHER_WIRE_VERSION,
  TAG,
  TO_LAUNCHER,
  type ToLauncher,
} from '../../src/protocol/launcher-wire.js';

const nothing = new Uint8Array();
const body = (fields: FieldWriter) => fields.finish(0).subarray(5);

function run(flags = 1): FieldWriter {
  return new FieldWriter()
    .add(TAG.version, LAUNCHER_WIRE_VERSION)
    .add(TAG.pid, 77)
    .add(TAG.umask, 0o022)
    .add(TAG.flags, flags)
    .add(TAG.columns, 132)
    .add(TAG.cwd, '/home/\xe9')
    .add(TAG.world, 'mnt:[1] 2 3')
    .add(TAG.compiler, '/usr/bin/gcc');
}

await t.test('RUN', async (t) => {
  const fields = run()
    .addAll(TAG.word, ['gcc', '-c', 'a b.c', ''])
    .addAll(TAG.variable, ['LANG=C', 'X==a=b', 'EMPTY=']);
  t.same(decodeFromLauncher(FROM_LAUNCHER.run, body(fields)), {
    kind: 'run',
    request: {
      version: LAUNCHER_WIRE_VERSION,
      pid: 77,
      umask: 0o022,
      stderrIsTerminal: true,
      isAskedAgain: false,
      stdinColumns: 132,
      started: 0,
      cwd: '/home/\xe9',
      world: 'mnt:[1] 2 3',
      compiler: '/usr/bin/gcc',
      argv: ['gcc', '-c', 'a b.c', ''],
      environment: new Map([
        ['LANG', 'C'],
        ['X', '=a=b'],
        ['EMPTY', ''],
      ]),
    },
  });
});

await t.test('RUN of a command that another daemon had', async (t) => {
  const fields = run(2).add(TAG.word, 'gcc');
  t.match(decodeFromLauncher(FROM_LAUNCHER.run, body(fields)), {
    request: { stderrIsTerminal: false, isAskedAgain: true },
  });
});

await t.test('RUN of a launcher that tells when it began', async (t) => {
  const fields = run().add(TAG.started, 0xffff_fffe).add(TAG.word, 'gcc');
  t.match(decodeFromLauncher(FROM_LAUNCHER.run, body(fields)), {
    request: { started: 0xffff_fffe },
  });
});

await t.test('RUN that cannot be run', async (t) => {
  const decode = (fields: FieldWriter) => () => decodeFromLauncher(FROM_LAUNCHER.run, body(fields));
  t.throws(decode(run()), /without a command/);
  for (const variable of ['', '=x', 'NAME']) {
    const fields = run().add(TAG.word, 'gcc').add(TAG.variable, variable);
    t.throws(decode(fields), /variable without a name/, variable);
  }
  t.throws(decode(new FieldWriter().add(TAG.word, 'gcc')), /is missing/);
});

await t.test('the other words of a launcher', async (t) => {
  const preprocessed = new FieldWriter()
    .add(TAG.status, 129)
    .add(TAG.stderrBytes, 5)
    .add(TAG.cpuMicroseconds, 9)
    .addAll(TAG.message, ['ab', 'c\xe4d']);
  t.same(decodeFromLauncher(FROM_LAUNCHER.preprocessed, body(preprocessed)), {
    kind: 'preprocessed',
    preprocessed: {
      status: 129,
      stderrBytes: 5,
      stderr: Buffer.from('abc\xe4d', 'latin1'),
      cpuMicroseconds: 9,
    },
  });
  const json = Buffer.from('{}');
  t.same(decodeFromLauncher(FROM_LAUNCHER.control, json), { kind: 'control', json });
  const done = body(new FieldWriter().add(TAG.errno, 0));
  t.same(decodeFromLauncher(FROM_LAUNCHER.committed, done), {
    kind: 'committed',
    errno: 0,
    target: '',
  });
  const failed = body(new FieldWriter().add(TAG.errno, 13).add(TAG.failedTarget, '/a.o'));
  t.same(decodeFromLauncher(FROM_LAUNCHER.committed, failed), {
    kind: 'committed',
    errno: 13,
    target: '/a.o',
  });
  const reasons = ['interrupted', 'daemon-silent', 'cannot-preprocess'];
  for (const [index, why] of reasons.entries()) {
    const leaving = body(new FieldWriter().add(TAG.why, index + 1));
    t.same(decodeFromLauncher(FROM_LAUNCHER.leaving, leaving), { kind: 'leaving', why });
  }
  const odd = body(new FieldWriter().add(TAG.why, 9));
  t.throws(() => decodeFromLauncher(FROM_LAUNCHER.leaving, odd), /unknown reason 9/);
  t.throws(() => decodeFromLauncher(0x55, nothing), MalformedFrame);
});

await t.test('the words of a daemon', async (t) => {
  const frame = (message: ToLauncher) => {
    const bytes = encodeToLauncher(message);
    t.equal(bytes.readUInt32LE(0), bytes.length - 4, message.kind);
    return { type: bytes.readUInt8(4), body: bytes.subarray(5) };
  };
  t.same(frame({ kind: 'beat' }), { type: TO_LAUNCHER.beat, body: Buffer.alloc(0) });
  t.same(frame({ kind: 'exec' }), { type: TO_LAUNCHER.exec, body: Buffer.alloc(0) });

  const preprocess = frame({
    kind: 'preprocess',
    into: '/source',
    argv: ['gcc', '-E'],
    temporaries: ['/t1', '/t2'],
  });
  t.equal(preprocess.type, TO_LAUNCHER.preprocess);
  const fields = new Fields(preprocess.body);
  t.equal(fields.string(TAG.into), '/source');
  t.same(fields.strings(TAG.word), ['gcc', '-E']);
  t.same(fields.strings(TAG.temporary), ['/t1', '/t2']);

  t.same(frame({ kind: 'temporary', path: '/t\xe9' }), {
    type: TO_LAUNCHER.temporary,
    body: Buffer.from('/t\xe9', 'latin1'),
  });
  const bytes = Buffer.from([0, 255]);
  t.same(frame({ kind: 'stdout', bytes }), { type: TO_LAUNCHER.stdout, body: bytes });
  t.same(frame({ kind: 'stderr', bytes }), { type: TO_LAUNCHER.stderr, body: bytes });
  const reply = frame({ kind: 'control-reply', json: bytes });
  t.same(reply, { type: TO_LAUNCHER.controlReply, body: bytes });

  const done = frame({
    kind: 'done',
    status: 0,
    renames: [
      { temporary: '/t1', target: '/a.d' },
      { temporary: '/t2', target: '/a.o' },
    ],
  });
  t.equal(done.type, TO_LAUNCHER.done);
  t.equal(new Fields(done.body).number(TAG.status), 0);
  t.same(new Fields(done.body).strings(TAG.renameFrom), ['/t1', '/t2']);
  t.same(new Fields(done.body).strings(TAG.renameTo), ['/a.d', '/a.o']);

  const fail = frame({ kind: 'fail', status: 110, message: 'no' });
  t.equal(fail.type, TO_LAUNCHER.fail);
  t.equal(new Fields(fail.body).number(TAG.status), 110);
  t.equal(new Fields(fail.body).string(TAG.message), 'no');
});
