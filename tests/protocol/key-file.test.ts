import { chmodSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { formatKey, generateKey, parseKey, readKeyFile } from '../../src/protocol/key-file.js';

const uid = process.getuid?.() ?? 0;

await t.test('keys are random and survive their file', async (t) => {
  const [key, other] = [generateKey(), generateKey()];
  t.equal(key.secret.length, 32);
  t.notSame(key.secret, other.secret);
  t.not(key.id, other.id);
  t.match(formatKey(key), /^tscc-key 1 [0-9a-f]{12} [0-9a-f]{64}\n$/);
  t.same(parseKey(formatKey(key)), key);
  const path = `${t.testdir({})}/key`;
  writeFileSync(path, formatKey(key), { mode: 0o600 });
  t.same(await readKeyFile(path, uid), key);
});

await t.test('anything else is no key', async (t) => {
  const hex = 'ab'.repeat(32);
  t.ok(parseKey(`tscc-key 1 office.2 ${hex}`), 'the line end may be missing');
  const wrong = [
    '',
    hex,
    `tscc-key 2 id ${hex}`,
    `tscc-key 1 id ${hex.slice(2)}`,
    `tscc-key 1 id ${hex.toUpperCase()}`,
    `tscc-key 1  ${hex}`,
    `tscc-key 1 i d ${hex}`,
    `tscc-key 1 id ${hex}\n\n`,
    `tscc-key 1 id ${hex}\ntscc-key 1 id ${hex}\n`,
  ];
  for (const text of wrong) t.equal(parseKey(text), undefined, text);
});

await t.test('a key file that protects nothing is refused in plain words', async (t) => {
  const root = t.testdir({ folder: {}, wrong: 'no key' });
  const path = `${root}/key`;
  writeFileSync(path, formatKey(generateKey()));
  for (const mode of [0o640, 0o604, 0o660, 0o644]) {
    chmodSync(path, mode);
    const message = `key file ${path} can be read by others (mode 0${mode.toString(8)}): chmod 600 it`;
    await t.rejects(readKeyFile(path, uid), { name: 'TsccError', exitCode: 101, message });
  }
  chmodSync(path, 0o600);
  const owner = new RegExp(`belongs to uid ${uid}, not to you \\(uid ${uid + 1}\\)`);
  await t.rejects(readKeyFile(path, uid + 1), { message: owner });
  await t.rejects(readKeyFile(`${root}/none`, uid), { message: /ENOENT.*'tscc keygen' makes one/ });
  chmodSync(`${root}/wrong`, 0o600);
  await t.rejects(readKeyFile(`${root}/wrong`, uid), { message: /is not one line/ });
  await t.rejects(readKeyFile(`${root}/folder`, uid), { message: /is not a regular file/ });
});
