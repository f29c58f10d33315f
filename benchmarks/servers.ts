/** Compile servers for demonstrations, benchmarks and end-to-end tests: real tsccd processes. */
import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * Command that runs tsccd. tap hooks itself by NODE_OPTIONS into every node that a test starts (it
 * sets the variable in the very spawn); what is tested runs without.
 */
export const RUN_TSCCD: readonly [string, ...string[]] = [
  '/usr/bin/env',
  '-u',
  'NODE_OPTIONS',
  process.execPath,
  fileURLToPath(new URL('../src/cli/tsccd.js', import.meta.url)),
];

/** Among a server's options: its own store. */
export const OWN_STORE = '@store';

export interface Servers {
  /** A host list for TSCC_HOSTS. */
  readonly hosts: string;
  readonly processes: readonly ChildProcess[];
  /** Ends them as an administrator would; resolves when all have ended. */
  stop(): Promise<void>;
}

/**
 * One server per address, each with a port of the system's choice and a store of its own. Rejects
 * with what a server printed when one does not start.
 *
 * @param before words before the server's own, of a program that becomes it
 */
export async function startServers(
  addresses: readonly string[],
  stores: string,
  options: readonly string[] = ['--jobs', '2'],
  env: NodeJS.ProcessEnv = process.env,
  before: readonly string[] = [],
): Promise<Servers> {
  const command = [...before, ...RUN_TSCCD];
  const started = await Promise.all(
    addresses.map((address, n) => startServer(command, address, `${stores}/${n}`, options, env)),
  );
  return {
    hosts: started.map(({ host }) => host).join(' '),
    processes: started.map(({ child }) => child),
    async stop() {
      await Promise.all(started.map(({ child }) => stopServer(child)));
    },
  };
}

function startServer(
  command: readonly string[],
  address: string,
  store: string,
  options: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ readonly host: string; readonly child: ChildProcess }> {
  const [program = '', ...words] = command;
  const own = options.map((word) => (word === OWN_STORE ? store : word));
  // What this user's own servers are told is not meant for these.
  const config = options.includes('--config') ? [] : ['--config', '/dev/null'];
  const child = spawn(
    program,
    [...words, ...config, '--listen', `${address}:0`, '--store', store, ...own],
    { stdio: ['ignore', 'pipe', 'pipe'], env },
  );
  return new Promise((resolve, reject) => {
    let printed = '';
    child.stderr.on('data', (bytes: Buffer) => (printed += bytes.toString()));
    child.stdout.on('data', (bytes: Buffer) => {
      printed += bytes.toString();
      const host = /^tsccd: listening on (\S+)$/m.exec(printed)?.[1];
      if (host !== undefined) resolve({ host, child });
    });
    child.on('error', reject);
    child.on('exit', (status) => reject(new Error(`tsccd ended with ${status}: ${printed}`)));
  });
}

function stopServer(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.on('exit', () => resolve());
    child.kill('SIGTERM');
  });
}
