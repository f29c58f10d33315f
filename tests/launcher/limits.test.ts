import { readFileSync } from 'node:fs';
import t from 'tap';
import { EXIT } from '../../src/core/errors.js';
import { LAUNCHER } from '../../src/core/limits.js';
import {
  FROM_LAUNCHER,
  LAUNCHER_WIRE_VERSION,
  TAG,
  TO_LAUNCHER,
} from '../../src/protocol/launcher-wire.js';

const header = readFileSync(new URL('../../../native/launcher.h', import.meta.url), 'utf8');

/** `LIMIT_SLOT_WAIT` → `slotWait`. */
const camelCase = (name: string): string =>
  name.toLowerCase().replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Every number of the header by its name. */
const numbers = new Map(
  [
    ...header
      .replace('#define TSCC_SILENCE_MS', 'LIMIT_SILENCE =')
      .matchAll(/\b([A-Z_]+) = (0x[0-9a-f]+|\d+)/g),
  ].map(([, name, value]) => [name ?? '', Number(value)]),
);

await t.test('limits are those of src/core/limits.ts', async (t) => {
  const native = Object.fromEntries(
    [...numbers]
      .filter(([name]) => name.startsWith('LIMIT_'))
      .map(([name, value]) => [camelCase(name.slice(6)), value]),
  );
  const { beatInterval, ...limits } = LAUNCHER;
  t.same(native, limits);
  t.ok(3 * beatInterval <= LAUNCHER.silence, 'a late beat does not end the patience');
});

await t.test('numbers of the wire are those of launcher-wire.ts', async (t) => {
  t.equal(numbers.get('WIRE_VERSION'), LAUNCHER_WIRE_VERSION);
  // Only the command line tools use these.
  const { control, ...fromLauncher } = FROM_LAUNCHER;
  const { controlReply, ...toLauncher } = TO_LAUNCHER;
  t.notOk([...numbers.values()].includes(control) && [...numbers.values()].includes(controlReply));
  for (const [name, value] of Object.entries({ ...fromLauncher, ...toLauncher })) {
    t.equal(numbers.get(name.toUpperCase()), value, name);
  }
  const tags = [...numbers].filter(([name]) => name.startsWith('TAG_'));
  t.same(Object.fromEntries(tags.map(([name, value]) => [camelCase(name.slice(4)), value])), TAG);
});

await t.test('exit codes are those of src/core/errors.ts', async (t) => {
  t.match(
    'FAILURE BAD_ARGUMENTS NO_MEMORY NO_COMPILER RECURSION'
      .split(' ')
      .map((name) => numbers.get(name)),
    [EXIT.failure, EXIT.badArguments, EXIT.outOfMemory, EXIT.compilerMissing, EXIT.recursion],
  );
});
