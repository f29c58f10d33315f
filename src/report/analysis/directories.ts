/** Where in the tree the time went, and which directories make had to take one after the other. */
import { absolutePath } from '../output-name.js';
import { compilesOf, workOf, type BuildModel } from './build-model.js';
import { groupBy } from './group.js';
import { levelsOf } from './intervals.js';

export interface DirectoryCost {
  /** Of the targets. */
  readonly path: string;
  /** MAKELEVEL of the make that runs there; null: there are several, or none. */
  readonly level: number | null;
  readonly compiles: number;
  /** Compiler time, milliseconds. */
  readonly work: number;
  /** From the first request to the last end. */
  readonly from: number;
  readonly to: number;
  /** Compiles at once while there was one: a mean. */
  readonly parallel: number;
}

/** The costliest first. */
export function directoryCosts(model: BuildModel): DirectoryCost[] {
  const groups = groupBy(
    compilesOf(model).filter(({ output }) => output !== ''),
    ({ cwd, output }) => absolutePath(cwd, `${output}/..`),
  );
  return [...groups]
    .map(([path, commands]) => {
      const [first] = commands;
      const level = first?.level ?? null;
      const open = commands.map(({ start, end }) => ({
        from: start,
        to: end,
        kind: 'open' as const,
      }));
      let [time, spent] = [0, 0];
      for (const { from, to, counts } of levelsOf(open, ['open'])) {
        if (counts.open > 0) time += to - from;
        spent += counts.open * (to - from);
      }
      return {
        path,
        level: commands.every((command) => command.level === level) ? level : null,
        compiles: commands.length,
        work: commands.reduce((sum, command) => sum + workOf(command), 0),
        from: commands.reduce((least, { start }) => Math.min(least, start), Infinity),
        to: commands.reduce((most, { end }) => Math.max(most, end), 0),
        parallel: time === 0 ? 0 : spent / time,
      };
    })
    .toSorted((a, b) => b.work - a.work);
}
