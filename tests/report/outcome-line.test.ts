import t from 'tap';
import { describeEnd } from '../../src/report/outcome-line.js';

const command = { id: 1, cwd: '/', argv: ['gcc', '-c', 'x.c'] };

await t.test('a line for each way to end here', async (t) => {
  const local = { event: 'local', ...command, source: 'x.c', waited: 1 } as const;
  t.equal(
    describeEnd({ ...local, decline: 'lto' }),
    'x.c: local, lto: link-time optimisation records the command; plain mode cannot keep it',
  );
  t.equal(
    describeEnd({ ...local, decline: 'option:-fplugin=' }),
    'x.c: local, option:-fplugin=: tscc does not send out -fplugin=',
  );
  t.equal(
    describeEnd({ ...local, fallback: 'no-server', detail: 'red: refused' }),
    'x.c: local, fallback no-server: no compile server could be reached (red: refused)',
  );
  t.equal(
    describeEnd({ event: 'failed', ...command, source: 'x.c', fallback: 'server-lost' }),
    'x.c: failed, server-lost: the connection to the server broke, and so did the next try',
  );
  t.match(
    describeEnd({ event: 'failed', ...command, source: 'x.c', decline: 'bad-hosts' }),
    /^x\.c: failed, bad-hosts: the host list has an error/,
  );
  t.equal(
    describeEnd({ event: 'other', ...command, kind: 'link' }),
    'gcc -c x.c: other, link: links',
  );
  t.equal(
    describeEnd({ event: 'cancelled', ...command, phase: 'remote:red', why: 'interrupted' }),
    'gcc -c x.c: interrupted while remote:red: interrupted',
  );
});
