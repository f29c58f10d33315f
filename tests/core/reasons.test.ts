import t from 'tap';
import {
  DECLINE_REASONS,
  explainDecline,
  explainDemotion,
  FALLBACK_REASONS,
  HOST_DEMOTIONS,
  OTHER_KINDS,
  type DeclineReason,
} from '../../src/core/reasons.js';

await t.test('every reason has a text that is one line and says something', async (t) => {
  for (const reason of Object.keys(DECLINE_REASONS)) {
    t.match(explainDecline(reason as DeclineReason), /^[^\n]{10,100}$/, reason);
  }
  t.match(explainDemotion('no-sandbox'), /seal/);
  t.equal(explainDemotion('lto'), explainDecline('lto'));
  for (const text of Object.values(HOST_DEMOTIONS)) t.match(text, /^[^\n]{10,100}$/);
  for (const text of [...Object.values(FALLBACK_REASONS), ...Object.values(OTHER_KINDS)]) {
    t.match(text, /^[^\n]{5,100}$/);
  }
});

await t.test('a reason with a parameter names it', async (t) => {
  t.match(explainDecline('option:-fplugin='), '-fplugin=');
  t.match(explainDecline('environment:COMPILER_PATH'), 'COMPILER_PATH');
});

await t.test('no name stands for two things', async (t) => {
  const names = [DECLINE_REASONS, HOST_DEMOTIONS, FALLBACK_REASONS, OTHER_KINDS].flatMap((table) =>
    Object.keys(table),
  );
  t.equal(new Set(names).size, names.length);
});
