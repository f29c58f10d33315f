/**
 * Loaded into a daemon or a server by `node --import`: measures how long its event loop keeps a timer
 * waiting. On SIGUSR2 it writes what it has seen since the last one to the file that TSCC_DELAY_FILE
 * names, by a rename, and begins anew. Programs that run without it have nothing of it.
 *
 * On a busy machine a timer waits for a processor as well. So each delay is counted a second time, at
 * most as long as the process has computed meanwhile: that much of it is its own work.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { createHistogram } from 'node:perf_hooks';

/** Milliseconds of delays since the last report. */
export interface DelayReport {
  readonly samples: number;
  readonly delay: Percentiles;
  readonly own: Percentiles;
}

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Milliseconds between two looks. */
const INTERVAL = 5;

const file = process.env['TSCC_DELAY_FILE'];
if (file !== undefined && file !== '') watch(file);

function watch(path: string): void {
  const delay = createHistogram();
  const own = createHistogram();
  let [expected, used] = [0, 0];
  const processor = () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  };
  const look = () => {
    const [now, usedNow] = [performance.now(), processor()];
    // A histogram counts from 1: in microseconds.
    const late = Math.max(1, Math.round((now - expected) * 1000));
    delay.record(late);
    own.record(Math.max(1, Math.min(late, Math.round(usedNow - used))));
    again();
  };
  const again = () => {
    expected = performance.now() + INTERVAL;
    used = processor();
    setTimeout(look, INTERVAL).unref();
  };
  again();
  process.on('SIGUSR2', () => {
    const report: DelayReport = {
      samples: delay.count,
      delay: percentilesOf(delay),
      own: percentilesOf(own),
    };
    writeFileSync(`${path}.new`, JSON.stringify(report));
    renameSync(`${path}.new`, path);
    delay.reset();
    own.reset();
  });
}

function percentilesOf(histogram: ReturnType<typeof createHistogram>): Percentiles {
  const milliseconds = (value: number) => value / 1000;
  return {
    p50: milliseconds(histogram.percentile(50)),
    p99: milliseconds(histogram.percentile(99)),
    max: milliseconds(histogram.max),
  };
}
