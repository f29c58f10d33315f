/**
 * HTML in which text cannot become markup: `html` escapes whatever is put into it that is not HTML
 * already. Everything that a page shows of a journal goes through it.
 */

export class Html {
  readonly text: string;

  /** @param text markup of this program */
  constructor(text: string) {
    this.text = text;
  }
}

export type Fragment = Html | string | number | null | readonly Fragment[];

/** For elements and quoted attributes; not for what stands in <script> or <style>. */
export function html(parts: TemplateStringsArray, ...values: readonly Fragment[]): Html {
  let text = parts[0] ?? '';
  for (const [at, value] of values.entries()) text += markup(value) + (parts[at + 1] ?? '');
  return new Html(text);
}

function markup(value: Fragment): string {
  if (value === null) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'object') return value.map(markup).join('');
  return escapeText(String(value));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Control characters would vanish, and marks of direction reorder what is around them. */
function escapeText(text: string): string {
  return visible(text).replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

function visible(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(2, '0');
    return `\\u{${code}}`;
  });
}

/** JSON for a <script type="application/json">, which ends at no `</script` or `<!--` in a string. */
export function jsonScript(value: unknown): Html {
  const json = JSON.stringify(value)
    .replaceAll('<', '\\u003c')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
  return new Html(json);
}
