import t from 'tap';
import { run } from '../../src/platform/process.js';

const node = (script: string, more = {}): ReturnType<typeof run> =>
  run(process.execPath, ['-e', script], { env: { A: 'b' }, ...more });

await t.test('status, output and environment', async (t) => {
  const result = await node(
    'const { A, HOME = "none" } = process.env; process.stdout.write(A + HOME); console.error("e"); process.exitCode = 3',
  );
  t.equal(result.status, 3);
  t.equal(result.signal, null);
  t.equal(result.stdout.toString(), 'bnone', 'nothing is inherited');
  t.equal(result.stderr.toString(), 'e\n');
});

await t.test('standard input is at its end', async (t) => {
  const { status } = await node('process.stdin.on("end", () => process.exit(7)).resume()');
  t.equal(status, 7);
});

await t.test('a signal', async (t) => {
  const { status, signal } = await node(
    'process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000)',
  );
  t.equal(status, null);
  t.equal(signal, 'SIGTERM');
});

await t.test('a program that takes too long is killed', async (t) => {
  const { signal } = await node('setInterval(() => {}, 1000)', { timeout: 50 });
  t.equal(signal, 'SIGKILL');
});

await t.test('what cannot be started or prints without end is an error', async (t) => {
  await t.rejects(run('/no/such/program', [], { env: {} }), { code: 'ENOENT' });
  await t.rejects(node('console.log("x".repeat(10000))', { outputLimit: 100 }), {
    code: 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER',
  });
});
