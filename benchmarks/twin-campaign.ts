/**
 * Compiles done twice at the same paths, by the compiler here and through tscc on eight servers, and
 * all that came of each compared: files, words and exit status. What tscc made of each compile is
 * read from its journal.
 */
import { execFile } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { JournalLine } from '../src/report/events.js';
import { startServers, type Servers } from './servers.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const ADDRESSES = Array.from({ length: 8 }, (_, n) => `127.0.0.${n + 1}`);
/** Compiles at a time, by whichever compiler: who else works on this machine is to get on too. */
const LANES = 2;
/** Local compiles that show whether they differ among themselves. */
const LOCAL_TRIES = 4;

export interface Compile {
  readonly name: string;
  readonly compiler: string;
  readonly cwd: string;
  /** Without -o, which the campaign adds: a directory of the compile's own has all that it writes. */
  readonly words: readonly string[];
  /** Name of the output in that directory. */
  readonly output: string;
  /** Besides the environment of the campaign. */
  readonly env?: NodeJS.ProcessEnv;
}

/** All that can be seen of a compile. */
interface Made {
  readonly status: string;
  readonly stdout: string;
  readonly stderr: string;
  /** Content by name, both bytes as latin1. */
  readonly files: ReadonlyMap<string, string>;
  /** Milliseconds. */
  readonly wall: number;
}

/** What became of one compile. */
export interface Twin {
  readonly name: string;
  /** `pump`, or why it was not done so: `fallback compile-error`. */
  readonly fate: string;
  /** Lines of the journal about it: more than one would be a command that ran more than once. */
  readonly events: number;
  /** What differs: `stderr`, or names of files. */
  readonly differing: readonly string[];
  /** The same but for a DWO ID or the order of messages, in which two local compiles differ too. */
  readonly variesLocally: boolean;
  readonly status: string;
  readonly hasWords: boolean;
  /** Bytes by the end of the file's name. */
  readonly files: readonly string[];
  /** Milliseconds, here and through tscc. */
  readonly wall: readonly [local: number, remote: number];
}

export class TwinCampaign {
  readonly #directory: string;
  readonly #scratch: string;
  readonly #servers: Servers;
  readonly #env: NodeJS.ProcessEnv;
  #sessions = 0;

  private constructor(directory: string, scratch: string, servers: Servers) {
    this.#directory = directory;
    this.#scratch = scratch;
    this.#servers = servers;
    const { PATH = '', HOME = '' } = process.env;
    this.#env = { PATH, HOME, LC_ALL: 'C' };
  }

  /** @param directory for outputs, and for both versions of what differs */
  static async start(directory: string): Promise<TwinCampaign> {
    const scratch = mkdtempSync(`${tmpdir()}/tscc-twins-`);
    const servers = await startServers(ADDRESSES, `${scratch}/stores`);
    return new TwinCampaign(directory, scratch, servers);
  }

  async stop(): Promise<void> {
    await run(`${root}bin/tscc`, ['stop'], '/', this.#tsccEnv('none'));
    await this.#servers.stop();
    rmSync(this.#scratch, { recursive: true, force: true });
  }

  /** @param title where both versions of what differs are kept, below `different` */
  async compare(title: string, compiles: readonly Compile[]): Promise<readonly Twin[]> {
    const session = `twins-${this.#sessions++}`;
    const kept = `${this.#directory}/different/${title}`;
    rmSync(kept, { recursive: true, force: true });
    const outputs = `${this.#directory}/out`;
    const pairs: (readonly [Compile, Made, Made, isOtherLocally: boolean])[] = [];
    const next = compiles.entries();
    const lane = async (): Promise<void> => {
      for (const [at, compile] of next) {
        const out = `${outputs}/${at}`;
        const tscc = [`${root}bin/tscc`];
        const local = await this.#make(compile, out, [], this.#env);
        const remote = await this.#make(compile, out, tscc, this.#tsccEnv(session));
        let isOther = false;
        for (let n = 0; n < LOCAL_TRIES && !isOther && differences(local, remote).length > 0; n++) {
          const again = await this.#make(compile, out, [], this.#env);
          isOther = differences(local, again).length > 0;
        }
        pairs[at] = [compile, local, remote, isOther];
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    const fates = await this.#fates(session);
    return pairs.map(([compile, local, remote, isOtherLocally], at) => {
      const variesLocally =
        isOtherLocally && differences(settled(local), settled(remote)).length === 0;
      const differing = variesLocally ? [] : differences(local, remote);
      if (differing.length > 0) {
        keep(`${kept}/${compile.name}/local`, local);
        keep(`${kept}/${compile.name}/tscc`, remote);
      }
      const { fate = 'not seen', events = 0 } =
        fates.get(`${outputs}/${at}/${compile.output}`) ?? {};
      return {
        name: compile.name,
        fate,
        events,
        differing,
        variesLocally,
        status: local.status,
        hasWords: local.stdout.length + local.stderr.length > 0,
        files: [...local.files.keys()],
        wall: [local.wall, remote.wall],
      };
    });
  }

  async #make(
    { compiler, words, output, cwd, env }: Compile,
    out: string,
    before: readonly string[],
    base: NodeJS.ProcessEnv,
  ): Promise<Made> {
    rmSync(out, { recursive: true, force: true });
    mkdirSync(out, { recursive: true });
    const [program, ...args] = [...before, compiler, ...words, '-o', `${out}/${output}`];
    const began = performance.now();
    const done = await run(program, args, cwd, { ...base, ...env });
    const made = { ...done, wall: performance.now() - began, files: contentsOf(out) };
    rmSync(out, { recursive: true, force: true });
    return made;
  }

  #tsccEnv(session: string): NodeJS.ProcessEnv {
    return {
      ...this.#env,
      TSCC_MODE: 'pump',
      TSCC_HOSTS: this.#servers.hosts,
      TSCC_DIR: `${this.#scratch}/state`,
      TSCC_SESSION: session,
      XDG_RUNTIME_DIR: this.#scratch,
    };
  }

  /** By the output that a command names. */
  async #fates(session: string): Promise<Map<string, { fate: string; events: number }>> {
    // Asked for its counters, the daemon writes down what it has gathered.
    const asked = ['status', '--json', '--session', session];
    await run(`${root}bin/tscc`, asked, '/', this.#tsccEnv(session));
    const text = readFileSync(`${this.#scratch}/state/journal/${session}.jsonl`, 'utf8');
    const fates = new Map<string, { fate: string; events: number }>();
    for (const line of text.trimEnd().split('\n')) {
      const event = JSON.parse(line) as JournalLine;
      if (!('argv' in event)) continue;
      const output = event.argv.at(-1) ?? '';
      const events = (fates.get(output)?.events ?? 0) + 1;
      fates.set(output, { fate: fateOf(event), events });
    }
    return fates;
  }
}

function fateOf(event: Extract<JournalLine, { readonly argv: readonly string[] }>): string {
  if (event.event === 'compile') {
    return event.demotion === undefined ? event.outcome : `${event.outcome}: ${event.demotion}`;
  }
  if (event.event === 'other') return `other ${event.kind}`;
  if (event.event === 'cancelled') return 'cancelled';
  return 'decline' in event ? `decline ${event.decline}` : `fallback ${event.fallback}`;
}

async function run(program: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv) {
  const options = { cwd, env, encoding: 'latin1', maxBuffer: 1 << 28 } as const;
  try {
    return { status: '0', ...(await promisify(execFile)(program, args, options)) };
  } catch (error) {
    const failed = error as { code: unknown; signal: unknown; stdout: string; stderr: string };
    if (typeof failed.code === 'string') throw error;
    const { stdout, stderr } = failed;
    return { status: String(failed.signal ?? failed.code), stdout, stderr };
  }
}

function contentsOf(directory: string): Map<string, string> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).toSorted();
  return new Map(
    names.map((name) => {
      const path = `${directory}/${name}`;
      const stat = statSync(path);
      const content = stat.isFile() ? readFileSync(path, 'latin1') : '';
      return [name, `${stat.mode.toString(8)} ${content}`];
    }),
  );
}

function differences(local: Made, remote: Made): string[] {
  const words = (['status', 'stdout', 'stderr'] as const).filter((of) => local[of] !== remote[of]);
  const names = new Set([...local.files.keys(), ...remote.files.keys()]);
  const differ = [...names].filter((name) => local.files.get(name) !== remote.files.get(name));
  return [...words, ...differ];
}

/**
 * Without what depends on addresses in the compiler's own memory: GCC 12 that optimises makes of
 * -gsplit-dwarf another DWO ID each time, in object and .dwo, whatever the random seed; Clang 14 tells
 * of a function's unused variables in any order.
 */
function settled(made: Made): Made {
  const stderr = made.stderr.split('\n').toSorted().join('\n');
  const files = [...made.files];
  const debug = files.find(([name]) => name.endsWith('.dwo'))?.[1] ?? '';
  const at = debug.indexOf(DWO_UNIT);
  if (at < 0) return { ...made, stderr };
  const id = debug.slice(at + DWO_UNIT.length, at + DWO_UNIT.length + 8);
  const without = files.map(([name, content]) => [name, content.replaceAll(id, '')] as const);
  return { ...made, stderr, files: new Map(without) };
}

/** DWARF 5, split unit, eight bytes an address, the first abbreviations; its ID follows. */
const DWO_UNIT = '\u0005\0\u0005\u0008\0\0\0\0';

function keep(directory: string, made: Made): void {
  const all = [
    ...made.files,
    ...(['status', 'stdout', 'stderr'] as const).map((of) => [of, made[of]] as const),
  ];
  for (const [name, content] of all) {
    const path = `${directory}/${name}`;
    mkdirSync(path.slice(0, path.lastIndexOf('/')), { recursive: true });
    // Without the file's mode, so that readelf can be asked.
    writeFileSync(
      path,
      made.files.has(name) ? content.slice(content.indexOf(' ') + 1) : content,
      'latin1',
    );
  }
}
