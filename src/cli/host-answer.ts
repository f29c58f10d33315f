/** What one compile server answers to who only asks: `tscc hosts`, `-j`, `doctor`. */
import { BlobSource } from '../client/blob-source.js';
import { dialHost, DialFailure } from '../client/dial.js';
import type { RemoteHost } from '../client/host-list.js';
import { ServerLink } from '../client/server-link.js';
import type { Settings } from '../client/settings.js';
import { DOCTOR, SCHEDULING } from '../core/limits.js';
import type { Clock } from '../platform/clock.js';
import { compress } from '../platform/compression.js';
import { realFiles } from '../platform/files.js';
import { VERSION } from '../platform/version.js';
import type { About } from '../protocol/about-messages.js';
import type { ServerState, Welcome } from '../protocol/plain-messages.js';
import type { Toolchain } from '../toolchain/toolchain.js';

export interface AskOptions {
  readonly settings: Settings;
  readonly stateDirectory: string;
  /** Compilers that it is asked for. */
  readonly toolchains: readonly Toolchain[];
  /** Whether it is asked about its host as well. */
  readonly about: boolean;
  readonly clock: Clock;
}

export type HostAnswer =
  | {
      readonly kind: 'down';
      readonly why: string;
      /** How far it came; undefined when a connection was opened and led to nothing. */
      readonly failure: DialFailure | undefined;
      readonly address: string | undefined;
    }
  | {
      readonly kind: 'up';
      readonly address: string | undefined;
      readonly welcome: Welcome;
      readonly state: ServerState;
      /** Whether it has each of the compilers, in their order. */
      readonly has: readonly boolean[];
      /** What it told of its host, and when, in milliseconds since the epoch, it was asked and did. */
      readonly about:
        { readonly is: About; readonly asked: number; readonly heard: number } | undefined;
    };

/** Never rejects. */
export function askHost(host: RemoteHost, options: AskOptions): Promise<HostAnswer> {
  const { settings, stateDirectory, toolchains, clock } = options;
  let failure: DialFailure | undefined;
  let address: string | undefined;
  let asked: number | undefined;
  let heard: number | undefined;
  const dial = async () => {
    try {
      const socket = await dialHost(host, settings, stateDirectory, realFiles);
      address = socket.remoteAddress;
      return socket;
    } catch (error) {
      if (error instanceof DialFailure) failure = error;
      throw error;
    }
  };
  return new Promise((resolve) => {
    const finish = (answer: HostAnswer) => {
      patience.cancel();
      resolve(answer);
      link.close('asked enough');
    };
    const down = (why: string) =>
      finish({ kind: 'down', why, failure, address: failure?.address ?? address });
    const look = () => {
      if (link.state === 'down') return down(link.downReason ?? '');
      const { serverState: state, welcome } = link;
      if (state === undefined || welcome === undefined) return;
      if (options.about && asked === undefined) {
        asked = clock.now();
        link.askAbout();
      }
      const { about } = link;
      if (about !== undefined) heard ??= clock.now();
      const has = toolchains.map((toolchain) => link.hasToolchain(toolchain));
      if (has.includes('unknown') || (options.about && about === undefined)) return;
      finish({
        kind: 'up',
        address,
        welcome,
        state,
        has: has.map((answer) => answer === 'yes'),
        about:
          about === undefined || asked === undefined || heard === undefined
            ? undefined
            : { is: about, asked, heard },
      });
    };
    const patience = clock.after(DOCTOR.answer + SCHEDULING.toolchainAnswer, () =>
      down('it does not answer what it is asked'),
    );
    const link: ServerLink = new ServerLink(host, {
      dial,
      clock,
      compress,
      version: VERSION,
      clientId: `tools-${process.pid}`,
      random: Math.random,
      pump: NO_JOBS,
      onUpOrDown: () => {},
      onChange: look,
    });
    link.want();
  });
}

/** Who only asks has no files to send. */
const NO_JOBS = {
  world: { version: 0, stillThere: () => false },
  blobs: new BlobSource({ readBytes: (path) => realFiles.readBytes(path), compress }),
  compress,
  onUpload: () => {},
};
