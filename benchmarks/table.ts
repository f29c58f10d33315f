/** Tables of results, in Markdown. */

/** Cells of the table by the names of their columns, which are the same for all. */
export type Cells = Readonly<Record<string, string>>;

export function table(rows: readonly Cells[]): string {
  const line = (words: readonly string[]) => `| ${words.join(' | ')} |`;
  const head = Object.keys(rows[0] ?? {});
  const body = rows.map((cells) => line(head.map((name) => cells[name] ?? '')));
  return [line(head), line(head.map(() => '---')), ...body].join('\n');
}

/** Names and how often, without those that never were. */
export function counts(record: Readonly<Record<string, number | undefined>>): string {
  const some = Object.entries(record).filter(([, count]) => count !== undefined && count > 0);
  return some.map(([name, count]) => `${name} ${count}`).join(', ') || '–';
}
