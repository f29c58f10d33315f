import t from 'tap';
import { html, Html, jsonScript } from '../../../src/report/page/html.js';

await t.test('text is escaped, also in lists; HTML is not', async (t) => {
  t.equal(
    html`<p title="${'"\'<>&'}">${['<b>', 1, html`<i>${'&'}</i>`, null]}</p>`.text,
    '<p title="&quot;&#39;&lt;&gt;&amp;">&lt;b&gt;1<i>&amp;</i></p>',
  );
  t.equal(html`${new Html('<hr>')}`.text, '<hr>');
});

await t.test('control characters and marks of direction are shown', async (t) => {
  t.equal(html`${'a\u0000\n\u001b[2J\u202eb'}`.text, 'a\\u{00}\\u{0a}\\u{1b}[2J\\u{202e}b');
});

await t.test('JSON in a script ends it nowhere, and is the same', async (t) => {
  const value = { a: '</script><!--<script>', b: '\u2028\u2029' };
  const { text } = jsonScript(value);
  t.notMatch(text, /[<\u2028\u2029]/);
  t.strictSame(JSON.parse(text), value);
});
