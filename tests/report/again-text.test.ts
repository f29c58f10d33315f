import t from 'tap';
import { CHANGE_KINDS, type Change } from '../../src/report/analysis/rebuilds.js';
import { againText } from '../../src/report/again-text.js';

await t.test('each answer in words', async (t) => {
  const session = 'yesterday';
  t.match(againText({ kind: 'first' }), 'not compiled in the sessions before');
  t.match(againText({ kind: 'same', session }), /^nothing .* since session yesterday: .* cache/);
  t.match(againText({ kind: 'unknown', session }), /not known: only pump/);
  const changes: Change[] = [{ kind: 'file', name: 'include/x.h' }];
  t.equal(
    againText({ kind: 'changed', session, changes }),
    'rebuilt because include/x.h changed (since session yesterday)',
  );
});

await t.test('each change is named, five at most', async (t) => {
  const kinds = Object.keys(CHANGE_KINDS) as (keyof typeof CHANGE_KINDS)[];
  for (const kind of kinds) {
    t.match(
      againText({ kind: 'changed', session: 's', changes: [{ kind, name: 'NAME' }] }),
      'NAME',
    );
  }
  const changes = kinds.map((kind) => ({ kind, name: 'NAME' }));
  t.match(againText({ kind: 'changed', session: 's', changes }), `${kinds.length - 5} more (since`);
});
