/** Metrics and their port put together; imported only with --metrics-port. */
import { performance } from 'node:perf_hooks';
import { describeError, EXIT, TsccError } from '../core/errors.js';
import { Metrics, type Measured, type ProcessResources } from '../server/metrics.js';
import type { Server } from '../server/server.js';
import { StatusEndpoint } from '../server/status-endpoint.js';

export function openMetrics(): Promise<Metrics> {
  return Metrics.open();
}

/** Answers about a server; rejects with a TsccError when the port cannot be had. */
export async function openStatus(
  port: number,
  metrics: Metrics,
  server: Server,
  measured: Omit<Measured, 'figures' | 'resources'>,
): Promise<StatusEndpoint> {
  metrics.measure({ ...measured, figures: () => server.figures, resources });
  try {
    return await StatusEndpoint.open(port, {
      contentType: metrics.contentType,
      metrics: () => metrics.text(),
      ailment: () => server.ailment?.message,
    });
  } catch (error) {
    throw new TsccError(
      `no metrics on 127.0.0.1:${port}: ${describeError(error)}; give another --metrics-port`,
      EXIT.bindFailed,
    );
  }
}

function resources(): ProcessResources {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  return {
    cpuSeconds: (user + system) / 1e6,
    residentBytes: rss,
    heapBytes: heapUsed,
    startTime: performance.timeOrigin / 1000,
    busySeconds: performance.eventLoopUtilization().active / 1000,
  };
}
