/** Which headers cost most: in the time of the compiles that read them, and when they change. */
import { compilesOf, workOf, type BuildModel } from './build-model.js';

export interface HeaderCost {
  readonly path: string;
  /** Of one content; a header that changed during the build counts as one. */
  readonly size: number;
  /** Compiles that read it: as many run again when it changes. */
  readonly compiles: number;
  /** Compiler time of these compiles, milliseconds. */
  readonly rebuild: number;
  /** Its share of that by bytes: what it would save not to read it. */
  readonly share: number;
}

/** The costliest first, at most `most`; without sources, which no other compile reads. */
export function headerCosts(model: BuildModel, most: number): HeaderCost[] {
  const costs = new Map<
    string,
    { size: number; compiles: number; rebuild: number; share: number }
  >();
  for (const command of compilesOf(model)) {
    const work = workOf(command);
    const read = command.inputs.reads.flatMap((at) => {
      const file = model.files[at];
      return file === undefined ? [] : [file];
    });
    const bytes = read.reduce((sum, [, size]) => sum + size, 0);
    for (const [path, size] of read) {
      if (isSource(path, command.source)) continue;
      const cost = costs.get(path) ?? { size, compiles: 0, rebuild: 0, share: 0 };
      cost.size = size;
      cost.compiles++;
      cost.rebuild += work;
      cost.share += bytes === 0 ? 0 : (work * size) / bytes;
      costs.set(path, cost);
    }
  }
  return [...costs]
    .map(([path, cost]) => ({ path, ...cost }))
    .toSorted((a, b) => b.share - a.share)
    .slice(0, most);
}

/** The journal has the source as it was named, and files by their real path. */
export function isSource(path: string, source: string): boolean {
  return (
    source !== '' && (path === source || path.endsWith(`/${source.replace(/^(?:\.\.?\/)+/, '')}`))
  );
}
