/**
 * A server's metrics in the text format of Prometheus. What happens is counted as it happens; what is
 * is looked at when somebody asks, so that an idle server is not woken for it (which is why the
 * library's own process metrics, with a timer of ten milliseconds, are not used).
 */
import type PromClient from 'prom-client';
import { REFUSALS, type Refusal } from './log.js';
import type { JobEnding, JobMode, ServerFigures, ServerObserver } from './observer.js';
import type { StoreFigures } from './pump-service.js';
import type { SandboxState } from './sandbox.js';

/** What is looked at. */
export interface Measured {
  readonly figures: () => ServerFigures;
  readonly sandbox: SandboxState;
  /** Undefined where there is no pump mode. */
  readonly store: StoreFigures | undefined;
  /** Bytes; what the store may take. */
  readonly storeLimit: number;
  readonly version: string;
  /** This process. */
  readonly resources: () => ProcessResources;
}

export interface ProcessResources {
  /** User and system time. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
  /** Seconds since 1970. */
  readonly startTime: number;
  /** Time in which the event loop had something to do. */
  readonly busySeconds: number;
}

/** Seconds; a kernel's compile takes a half, the largest C++ some minutes. */
const BUCKETS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000];

type Library = typeof PromClient;

export class Metrics implements ServerObserver {
  readonly #library: Library;
  readonly #registry: InstanceType<Library['Registry']>;
  readonly #jobs;
  readonly #refused;
  readonly #queueTime;
  readonly #compileTime;

  private constructor(library: Library) {
    this.#library = library;
    this.#registry = new library.Registry();
    const registers = [this.#registry];
    this.#jobs = new library.Counter({
      name: 'tscc_jobs_total',
      help: 'Jobs by outcome: done (the compiler answered, whatever it said), cancelled, or why refused',
      labelNames: ['mode', 'outcome'],
      registers,
    });
    this.#refused = new library.Counter({
      name: 'tscc_refused_connections_total',
      help: 'Connections that were not let in, or cut for what came over them, by reason',
      labelNames: ['reason'],
      registers,
    });
    const labelNames = ['mode'] as const;
    this.#queueTime = new library.Histogram({
      name: 'tscc_job_queue_seconds',
      help: 'From a source that is complete to the start of its compiler, of jobs done',
      buckets: BUCKETS,
      labelNames,
      registers,
    });
    this.#compileTime = new library.Histogram({
      name: 'tscc_job_compile_seconds',
      help: 'Run of the compiler, of jobs done',
      buckets: BUCKETS,
      labelNames,
      registers,
    });
    // A counter that appears with its first event has no rate at that moment.
    for (const reason of REFUSALS) this.#refused.inc({ reason }, 0);
    for (const mode of ['pump', 'plain']) {
      for (const outcome of ['done', 'cancelled']) this.#jobs.inc({ mode, outcome }, 0);
    }
  }

  /** Loads the library, which servers without metrics do without. */
  static async open(): Promise<Metrics> {
    // CommonJS: a bundler or Node may or may not have found its names.
    return new Metrics((await import('prom-client')).default);
  }

  jobOver(mode: JobMode, ending: JobEnding): void {
    this.#jobs.inc({ mode, outcome: ending.outcome });
    if (ending.outcome !== 'done') return;
    this.#queueTime.observe({ mode }, ending.times.queue / 1000);
    this.#compileTime.observe({ mode }, ending.times.wall / 1000);
  }

  refused(reason: Refusal): void {
    this.#refused.inc({ reason });
  }

  /** From now on an answer has these figures too. */
  measure({ figures, sandbox, store, storeLimit, version, resources }: Measured): void {
    this.#constant('tscc_info', 'Version of tscc', { version });
    this.#gauge('tscc_slots', 'Compilers that may run at once', () => figures().slots);
    this.#gauge('tscc_jobs_running', 'Jobs whose compiler runs', () => figures().running);
    this.#gauge('tscc_jobs_waiting', 'Jobs that wait for a slot, or for their source', () => {
      return figures().waiting;
    });
    this.#gauge('tscc_connections', 'Clients that are connected', () => figures().connections);
    this.#total('tscc_received_bytes_total', 'Bytes from clients, as they were on the wire', () => {
      return figures().receivedBytes;
    });
    this.#total('tscc_sent_bytes_total', 'Bytes to clients, as they were on the wire', () => {
      return figures().sentBytes;
    });
    this.#tier('tscc_sandbox_tier', sandbox);
    this.#gauge('tscc_sandbox_holds', '0 since a canary got out, until one stays in', () => {
      return sandbox.failure === undefined ? 1 : 0;
    });
    if (store !== undefined) {
      this.#gauge('tscc_store_bytes', 'Contents in the store', () => store.bytes);
      this.#gauge('tscc_store_limit_bytes', 'What the store may hold', () => storeLimit);
      this.#total('tscc_store_evictions_total', 'Contents that made room for others', () => {
        return store.evicted;
      });
    }
    this.#measureProcess(resources);
  }

  /** What `contentType` names. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  #measureProcess(resources: () => ProcessResources): void {
    this.#total('process_cpu_seconds_total', 'Processor time of tsccd itself', () => {
      return resources().cpuSeconds;
    });
    this.#gauge('process_resident_memory_bytes', 'Memory of tsccd itself', () => {
      return resources().residentBytes;
    });
    this.#gauge('process_heap_bytes', 'Of it, JavaScript heap', () => resources().heapBytes);
    this.#gauge('process_start_time_seconds', 'Start, since 1970', () => resources().startTime);
    this.#total('tscc_busy_seconds_total', 'Time in which the event loop was not idle', () => {
      return resources().busySeconds;
    });
  }

  #constant(name: string, help: string, labels: Record<string, string>): void {
    const registers = [this.#registry];
    const labelNames = Object.keys(labels);
    new this.#library.Gauge({ name, help, labelNames, registers }).set(labels, 1);
  }

  #tier(name: string, sandbox: SandboxState): void {
    const gauge = new this.#library.Gauge({
      name,
      help: 'How well compilers are sealed off, 0 to 3 (docs/security.md)',
      labelNames: ['mode'],
      registers: [this.#registry],
    });
    gauge.set({ mode: 'pump' }, sandbox.tier);
    gauge.set({ mode: 'plain' }, sandbox.plainTier);
  }

  #gauge(name: string, help: string, value: () => number): void {
    const registers = [this.#registry];
    const gauge: PromClient.Gauge = new this.#library.Gauge({
      name,
      help,
      registers,
      collect(): void {
        gauge.set(value());
      },
    });
  }

  /** A figure that only grows, counted elsewhere. */
  #total(name: string, help: string, value: () => number): void {
    const registers = [this.#registry];
    const counter: PromClient.Counter = new this.#library.Counter({
      name,
      help,
      registers,
      collect(): void {
        counter.reset();
        counter.inc(value());
      },
    });
  }
}
