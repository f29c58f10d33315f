/** What `tscc doctor` checks of one server of the host list; docs/doctor.md tells of each. Pure. */
import { isLoopback } from '../../client/dial.js';
import { DOCTOR } from '../../core/limits.js';
import { pumpOffer, type PumpOffer } from '../../protocol/pump-offer.js';
import { ok, warning, wrong, type Check, type Finding } from './check.js';
import { mebibytes } from './client-checks.js';
import { sandboxFixes } from './sandbox-fixes.js';
import type { ServerFacts, Trial } from './server-facts.js';

/** What is missing with an offer, for a line about the sandbox. */
const COST_OF: { readonly [O in PumpOffer]: string } = {
  any: '',
  own: ', so pump mode for compilers that it has itself',
  none: ', so no pump mode',
};

export const SERVER_CHECKS: readonly Check<ServerFacts>[] = [
  {
    name: 'name',
    run({ host, reach }) {
      if (reach.address !== undefined) return [ok(`${host.host} is ${reach.address}`)];
      if (!('step' in reach) || reach.step !== 'name') return [];
      const fix = `correct the host list, or the name service (getent hosts ${host.host})`;
      return [wrong(reach.why, fix)];
    },
  },
  {
    name: 'port',
    run({ host, reach }) {
      if (!('step' in reach)) return [ok(`${host.port} is open`)];
      if (reach.step !== 'port') return [];
      const listen = isLoopback(host.host)
        ? `tsccd --listen ${host.name}`
        : `tsccd --listen 0.0.0.0:${host.port} --key-file FILE`;
      return [wrong(reach.why, `start it there (${listen}), or let the firewall pass it`)];
    },
  },
  {
    name: 'key',
    run({ answer, keyFile }) {
      if (answer.kind === 'down' && answer.failure?.step === 'key') {
        return [
          wrong(
            answer.why,
            'give both ends one key file, mode 0600: there tsccd --key-file, here TSCC_KEY_FILE',
          ),
        ];
      }
      if (answer.kind === 'down') return [];
      return [ok(keyFile === undefined ? 'none, on this machine' : `accepted, of ${keyFile}`)];
    },
  },
  {
    name: 'protocol',
    run({ answer, host }) {
      if (answer.kind === 'up') {
        const { version, protocol } = answer.welcome;
        return [ok(`tsccd ${version}, protocol ${protocol}`)];
      }
      if (answer.failure !== undefined) return [];
      return [
        wrong(
          answer.why,
          `install the same tscc on both hosts; see that port ${host.port} is tsccd's, and that ` +
            'both use the key or neither',
        ),
      ];
    },
  },
  {
    name: 'slots',
    run({ answer, host }) {
      if (answer.kind === 'down') return [];
      const { slots, running, queued, load, draining } = answer.state;
      if (draining) return [warning('it is about to end', 'start it again there')];
      const used = Math.min(slots, host.slots ?? slots);
      return [
        ok(`${used} of ${slots}, ${running} in use, ${queued} jobs wait, load ${load.toFixed(2)}`),
      ];
    },
  },
  {
    name: 'sandbox',
    run({ answer }) {
      if (answer.kind === 'down') return [];
      const { tier, plainTier, missing } = answer.welcome;
      const what = `tier ${tier}, of plain jobs ${plainTier}`;
      const offer = pumpOffer(answer.welcome);
      if (missing.length === 0 && offer === 'any') return [ok(what)];
      const cost = COST_OF[offer];
      const fixes = sandboxFixes(answer.about?.is, missing);
      return [warning([`${what}${cost}`, ...missing].join('; '), fixes.join('; and '))];
    },
  },
  {
    name: 'min-tier',
    run({ answer, minTier, host }) {
      if (answer.kind === 'down' || minTier === 0) return [];
      const { missing } = answer.welcome;
      const tier = host.mode === 'pump' ? answer.welcome.tier : answer.welcome.plainTier;
      const asked = host.minTier === minTier ? `min-tier=${minTier}` : `TSCC_MIN_TIER=${minTier}`;
      if (tier >= minTier) return [ok(`${asked}, and it has tier ${tier}`)];
      const fixes = sandboxFixes(answer.about?.is, missing);
      return [
        wrong(
          `${asked}, but it has tier ${tier}: no compile goes there`,
          `${fixes.join('; and ')}; or ask for less`,
        ),
      ];
    },
  },
  {
    name: 'toolchain',
    run({ answer, toolchains, host }) {
      if (answer.kind === 'down') return [];
      const takesAny = host.mode === 'pump' && pumpOffer(answer.welcome) === 'any';
      return toolchains.map(({ name, version }, n) => {
        if (answer.has[n] === true) return ok(`${name} ${version} is there`);
        if (takesAny) return ok(`${name} ${version} is sent there in pump mode`);
        return warning(
          `it has no ${name} ${version} that is byte for byte the one here`,
          `install the same package there, or mend its sandbox: in pump mode compilers are sent`,
        );
      });
    },
  },
  {
    name: 'store',
    run({ answer }) {
      if (answer.kind === 'down' || answer.about === undefined) return [];
      const { storeBytes, storeLimit, storeFree } = answer.about.is;
      const what = `${mebibytes(storeBytes)} of ${mebibytes(storeLimit)} used, ${mebibytes(storeFree)} free on its disk`;
      const room = Math.min(storeLimit - storeBytes, storeFree);
      if (storeFree >= DOCTOR.storeFree || storeFree >= storeLimit - storeBytes) return [ok(what)];
      return [
        warning(
          `${what}: ${mebibytes(Math.max(0, room))} are soon full`,
          'make room there, or start it with --store on another disk',
        ),
      ];
    },
  },
  {
    name: 'skew',
    run({ answer }) {
      if (answer.kind === 'down' || answer.about === undefined) return [];
      const { is, asked, heard } = answer.about;
      const off = is.time - (asked + heard) / 2;
      const uncertain = (heard - asked) / 2;
      if (Math.abs(off) - uncertain <= DOCTOR.clockSkew) {
        return [ok(`clocks agree to ${Math.ceil(Math.abs(off))} ms`)];
      }
      const side = off < 0 ? 'behind' : 'ahead of';
      return [
        warning(
          `its clock is ${Math.round(Math.abs(off) / 1000)} s ${side} this host's: logs do not fit together`,
          'set both by NTP (timedatectl set-ntp true)',
        ),
      ];
    },
  },
  { name: 'pump', run: ({ trials }) => trialFindings(trials, 'pump') },
  { name: 'plain', run: ({ trials }) => trialFindings(trials, 'plain') },
];

function trialFindings(trials: readonly Trial[], mode: Trial['mode']): Finding[] {
  return trials
    .filter((trial) => trial.mode === mode)
    .map(({ result }) => {
      switch (result.kind) {
        case 'same': {
          const [first, again, here] = [result.first, result.again, result.here].map(Math.round);
          return ok(
            `a compile there gives the same object: ${first} ms at first, then ${again} ms (here ${here} ms)`,
          );
        }
        case 'differs':
          return wrong(
            'a compile there gives another object than one here',
            'set TSCC_MODE=local until tscc verify tells the difference, and report it',
          );
        case 'failed':
          return wrong(
            `a compile does not succeed there: ${result.why}`,
            "see tsccd's log there, and docs/reasons.md for the reason",
          );
      }
    });
}
