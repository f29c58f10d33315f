/** Tables for people and screen readers. Pure. */
import { html, type Fragment, type Html } from './html.js';

export interface Column<T> {
  readonly title: string;
  readonly cell: (row: T) => Fragment;
  readonly isNumber?: true;
}

/** @param most rows; how many more there are is told */
export function table<T>(
  caption: string,
  rows: readonly T[],
  columns: readonly Column<T>[],
  most = 50,
): Html {
  const more = rows.length - most;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}">
      <table>
        <caption>
          ${caption}
        </caption>
        <thead>
          <tr>
            ${columns.map(
              ({ title, isNumber }) =>
                html`<th scope="col" ${isNumber === true ? html`class="number"` : ''}>
                  ${title}
                </th>`,
            )}
          </tr>
        </thead>
        <tbody>
          ${rows.slice(0, most).map(
            (row) =>
              html`<tr>
                ${columns.map(
                  ({ cell, isNumber }) =>
                    html`<td ${isNumber === true ? html`class="number"` : ''}>${cell(row)}</td>`,
                )}
              </tr> `,
          )}
        </tbody>
      </table>
    </div>
    ${more > 0 ? html`<p class="more">… and ${more} more: <code>tscc report --json</code></p>` : ''}`;
}

/** A bar of a share between 0 and 1, for the eye only: a number stands beside it. */
export function bar(share: number, kind: string): Html {
  const width = Math.round(1000 * Math.min(1, Math.max(0, share))) / 10;
  return html`<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
    <rect class="track" width="100" height="8" />
    <rect class="${kind}" width="${width}" height="8" />
  </svg>`;
}
