import t from 'tap';
import {
  describeError,
  errnoCode,
  EXIT,
  failure,
  success,
  TsccError,
  unreachable,
} from '../../src/core/errors.js';

await t.test('exit codes are distinct, and distcc has no other meaning for them', async (t) => {
  const codes = Object.values(EXIT);
  t.equal(new Set(codes).size, codes.length);
  // distcc's exitcode.h: EXIT_DISTCC_FAILED … EXIT_TIMEOUT.
  t.match(EXIT, {
    failure: 100,
    badArguments: 101,
    bindFailed: 102,
    connectFailed: 103,
    compilerCrashed: 104,
    outOfMemory: 105,
    badHostSpec: 106,
    ioError: 107,
    truncated: 108,
    protocolError: 109,
    compilerMissing: 110,
    recursion: 111,
    accessDenied: 113,
    busy: 114,
    noSuchFile: 115,
    noHosts: 116,
    timeout: 118,
  });
});

await t.test('TsccError', async (t) => {
  const cause = new Error('ENOSPC');
  const error = new TsccError('disk full', EXIT.ioError, { cause });
  t.match(error, { name: 'TsccError', message: 'disk full', exitCode: 107, cause });
  t.ok(error instanceof Error);
  t.equal(new TsccError('x').exitCode, EXIT.failure);
});

await t.test('results', async (t) => {
  t.strictSame(success(1), { ok: true, value: 1 });
  t.strictSame(failure('why'), { ok: false, error: 'why' });
});

await t.test('what was thrown', async (t) => {
  const system = Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' });
  t.equal(errnoCode(system), 'ENOENT');
  t.equal(errnoCode(Object.assign(new Error(), { code: 5 })), undefined);
  t.equal(errnoCode(new Error()), undefined);
  t.equal(errnoCode({ code: 'ENOENT' }), undefined, 'no error');
  t.equal(errnoCode(undefined), undefined);
  t.equal(describeError(system), 'ENOENT: no such file');
  t.equal(describeError('text'), 'text');
});

await t.test('a case that cannot be says which', async (t) => {
  t.throws(() => unreachable({ kind: 'new' } as never), { message: /\{"kind":"new"\}/ });
});
