/** Simulated farms as bars in SVG: how long each way took, against the ideal. */
import type { FarmResult } from './farm-run.js';
import { figuresOf } from './farm-report.js';

const WIDTH = 760;
const LEFT = 110;
/** Beside a bar, for its figures. */
const RIGHT = 210;
const BAR = 22;
const GAP = 10;
const HEAD = 44;

const COLOURS = { distcc: '#b0b7c3', tscc: '#2f6fdb', ideal: '#c2410c', text: '#1f2328' } as const;

/** Those rows that were measured on a farm; serial is the scale's end of another world. */
export function drawFarms(farms: readonly FarmResult[]): string {
  let y = 34;
  const parts = [
    text(16, 22, 'Simulated farms: seconds of a build whose compilers sleep as recorded', 14),
  ];
  for (const farm of farms) {
    const rows = farm.rows.flatMap((row) => {
      const figures = row.name === 'serial' ? undefined : figuresOf(row, farm);
      return figures === undefined ? [] : [{ name: row.name, figures }];
    });
    const most = Math.max(farm.ideal, ...rows.map(({ figures }) => figures.wall));
    const scale = (WIDTH - LEFT - RIGHT) / most;
    const title = `${farm.hosts} hosts × ${farm.slots} slots, make -j${farm.jobs}, ${farm.compiles} compiles`;
    parts.push(text(16, y + 18, title, 13));
    const top = y + HEAD - 10;
    for (const [n, { name, figures }] of rows.entries()) {
      const at = top + n * (BAR + GAP);
      const { wall, speedUp, efficiency } = figures;
      const colour = name.startsWith('tscc') ? COLOURS.tscc : COLOURS.distcc;
      parts.push(
        text(16, at + 16, name, 12),
        `<rect x="${LEFT}" y="${at}" width="${(wall * scale).toFixed(1)}" height="${BAR}" fill="${colour}"/>`,
        text(
          LEFT + wall * scale + 8,
          at + 16,
          `${wall.toFixed(1)} s, ${speedUp.toFixed(1)}×, efficiency ${efficiency.toFixed(2)}`,
          12,
        ),
      );
    }
    const bottom = top + rows.length * (BAR + GAP);
    const x = (LEFT + farm.ideal * scale).toFixed(1);
    parts.push(
      `<line x1="${x}" y1="${top - 4}" x2="${x}" y2="${bottom}" stroke="${COLOURS.ideal}" stroke-width="2"/>`,
      text(Number(x), bottom + 14, `ideal ${farm.ideal.toFixed(1)} s`, 11, COLOURS.ideal),
    );
    y = bottom + 26;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" ` +
      `viewBox="0 0 ${WIDTH} ${y}" font-family="sans-serif">`,
    `<rect width="${WIDTH}" height="${y}" fill="#ffffff"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function text(
  x: number,
  y: number,
  words: string,
  size: number,
  colour: string = COLOURS.text,
): string {
  return `<text x="${x.toFixed(1)}" y="${y}" font-size="${size}" fill="${colour}">${words}</text>`;
}
