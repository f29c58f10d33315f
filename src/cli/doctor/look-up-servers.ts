/** Looks up what the checks of one server rest on. */
import { DialFailure, keyFileFor, reachHost } from '../../client/dial.js';
import type { RemoteHost } from '../../client/host-list.js';
import type { Settings } from '../../client/settings.js';
import { toText } from '../../core/byte-string.js';
import { pumpOffer } from '../../protocol/pump-offer.js';
import { realClock } from '../../platform/clock.js';
import { realFiles } from '../../platform/files.js';
import { askHost, type HostAnswer } from '../host-answer.js';
import type { LookedUp } from './look-up-client.js';
import type { ServerFacts, Trial } from './server-facts.js';
import type { TrialBuild } from './trial-build.js';

/** Facts of all of them, whom it asks at once; nothing is tried yet. */
export function lookUpServers(
  hosts: readonly RemoteHost[],
  client: LookedUp,
): Promise<ServerFacts[]> {
  const { settings, stateDirectory, toolchains } = client;
  return Promise.all(
    hosts.map(async (host) => {
      const answer = await askHost(host, {
        settings,
        stateDirectory,
        toolchains,
        about: true,
        clock: realClock,
      });
      return {
        host,
        minTier: Math.max(settings.minTier, host.minTier ?? 0),
        keyFile: keyFileFor(host, settings, stateDirectory, realFiles),
        reach: await reachOf(host, answer, settings),
        answer,
        toolchains: toolchains.map(({ name, version }) => ({ name: toText(name), version })),
        trials: [],
      };
    }),
  );
}

async function reachOf(
  host: RemoteHost,
  answer: HostAnswer,
  settings: Settings,
): Promise<ServerFacts['reach']> {
  const { address } = answer;
  const failure = answer.kind === 'down' ? answer.failure : undefined;
  if (failure === undefined) return { address };
  if (failure.step !== 'key') return { step: failure.step, why: failure.message, address };
  if (address !== undefined) return { address };
  // There was no key to begin with.
  try {
    return { address: await reachHost(host, settings) };
  } catch (error) {
    if (!(error instanceof DialFailure)) throw error;
    return { step: error.step, why: error.message, address: error.address };
  }
}

/**
 * Does what a server is there for; one after another, so that times mean something.
 *
 * @param place of the build's compiler among those that the server was asked for
 */
export async function tryServer(
  facts: ServerFacts,
  build: TrialBuild,
  place: number,
): Promise<ServerFacts> {
  const trials: Trial[] = [];
  for (const mode of modesOf(facts, place)) {
    trials.push({ mode, result: await build.compile(facts.host, mode, facts.keyFile) });
  }
  return { ...facts, trials };
}

/** Those in which a compile may go there, as far as it is known by now. */
function modesOf({ host, answer, minTier }: ServerFacts, place: number): Trial['mode'][] {
  if (answer.kind === 'down' || answer.state.draining) return [];
  const { tier, plainTier } = answer.welcome;
  const hasCompiler = answer.has[place] === true;
  const offer = host.mode === 'pump' ? pumpOffer(answer.welcome) : 'none';
  const hasPump = tier >= minTier && (offer === 'any' || (offer === 'own' && hasCompiler));
  const hasPlain = plainTier >= minTier && hasCompiler;
  return [...(hasPump ? (['pump'] as const) : []), ...(hasPlain ? (['plain'] as const) : [])];
}
