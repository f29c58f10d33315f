/** How each server did: its share of the work, and whether it is slower than others or was lost. */
import type { BuildCommand, BuildModel } from './build-model.js';

export interface HostFigures {
  readonly name: string;
  readonly slots: number;
  readonly compiles: number;
  /** Processor time of its compilers, milliseconds. */
  readonly cpu: number;
  /** Mean per compile, milliseconds: for a slot there, on the wire and in preparation, compiling. */
  readonly queued: number;
  readonly transfer: number;
  readonly running: number;
  /** Wall time of its compilers for each second of processor time, against that of all hosts. */
  readonly stretch: number;
  /** Wall time of its compilers per processor time; 1: each had a processor of its own. */
  readonly crowding: number;
  /** Its address is one of the build host itself. */
  readonly isHere: boolean;
  /** Share of its slots' time that was used, 0 to 1. */
  readonly busy: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Times that it was lost during the build. */
  readonly losses: number;
  readonly lastLoss: string | null;
}

export function hostFigures(model: BuildModel): HostFigures[] {
  const remote = model.commands.flatMap((command) =>
    command.remote === null ? [] : [{ host: command.host, ...command.remote, busy: command.busy }],
  );
  const usual = stretchOf(remote);
  return model.hosts.map(({ name, slots, losses, lastLoss }) => {
    const own = remote.filter(({ host }) => host === name);
    const sum = (of: (compile: (typeof own)[number]) => number) =>
      own.reduce((total, compile) => total + of(compile), 0);
    const mean = (of: (compile: (typeof own)[number]) => number) =>
      own.length === 0 ? 0 : sum(of) / own.length;
    const inSlots = sum(({ busy }) => busy.to - busy.from);
    return {
      name,
      slots,
      compiles: own.length,
      cpu: sum(({ cpu }) => cpu),
      queued: mean(({ queued }) => queued),
      transfer: mean(({ span, queued, running }) =>
        Math.max(0, span.to - span.from - queued - running),
      ),
      running: mean(({ running }) => running),
      stretch: usual === 0 || own.length === 0 ? 1 : stretchOf(own) / usual,
      crowding: stretchOf(own),
      isHere: /^(?:127\.|localhost\b|\[?::1\b)/.test(name),
      busy: slots * model.wall === 0 ? 0 : Math.min(1, inSlots / (slots * model.wall)),
      sentBytes: sum(({ sentBytes }) => sentBytes),
      receivedBytes: sum(({ receivedBytes }) => receivedBytes),
      losses,
      lastLoss,
    };
  });
}

function stretchOf(
  compiles: readonly Pick<NonNullable<BuildCommand['remote']>, 'running' | 'cpu'>[],
) {
  const running = compiles.reduce((sum, compile) => sum + compile.running, 0);
  const cpu = compiles.reduce((sum, compile) => sum + compile.cpu, 0);
  return cpu === 0 ? 0 : running / cpu;
}
