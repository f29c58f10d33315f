/** Debian's distccd, for comparison in the same run. */
import { spawn, spawnSync } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';

export interface Distccd {
  /** A host list for DISTCC_HOSTS. */
  readonly hosts: string;
  readonly pids: readonly number[];
  stop(): void;
}

const has = (program: string, env: NodeJS.ProcessEnv) =>
  spawnSync('which', [program], { env }).status === 0;

/**
 * One server per address, each taking `jobs` compiles at once. Undefined when distcc is not
 * installed. With an environment's PATH it and its compilers are looked for. As root distccd becomes another user, who writes to the common temporary directory.
 */
export async function startDistccd(
  addresses: readonly string[],
  jobs: number,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Distccd | undefined> {
  if (!has('distcc', env) || !has('distccd', env)) return undefined;
  const started = await Promise.all(
    addresses.map(async (address) => {
      const port = await freePort(address);
      const child = spawn(
        'distccd',
        [
          ...['--daemon', '--no-detach', '--log-stderr', '--log-level', 'error'],
          ...['--allow', '127.0.0.0/8', '--listen', address],
          ...['--port', String(port), '--jobs', String(jobs)],
        ],
        { stdio: 'ignore', env },
      );
      await accepting(address, port);
      return { host: `${address}:${port}/${jobs}`, child };
    }),
  );
  return {
    hosts: started.map(({ host }) => host).join(' '),
    pids: started.map(({ child: { pid = 0 } }) => pid),
    stop() {
      for (const { child } of started) child.kill('SIGTERM');
    },
  };
}

/** Resolves when somebody listens; distccd says nothing by itself. */
async function accepting(address: string, port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, address);
      socket.on('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
    if (isOpen) return;
    await setTimeout(50);
  }
  throw new Error(`distccd does not listen at ${address}:${port}`);
}

function freePort(address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, address, () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === 'object' ? (bound?.port ?? 0) : 0));
    });
  });
}
