/** `tscc doctor`: checks this host and its servers, and tells what mends what is not well. */
import { constants } from 'node:os';
import { toText } from '../core/byte-string.js';
import { diagnosisLines, examine, overall, type Diagnosis } from './doctor/check.js';
import { CLIENT_CHECKS } from './doctor/client-checks.js';
import { lookUpClient, type LookedUp } from './doctor/look-up-client.js';
import { SERVER_CHECKS } from './doctor/server-checks.js';
import type { ServerFacts } from './doctor/server-facts.js';
import { lookUpServers, tryServer } from './doctor/look-up-servers.js';
import { TrialBuild } from './doctor/trial-build.js';

/** Prints a line for each finding, or JSON; the exit status is 1 when something is wrong. */
export async function printDiagnoses(options: { readonly json: boolean }): Promise<void> {
  const client = await lookUpClient();
  const { list } = client.facts.hosts;
  const servers = list.ok ? await lookUpServers(list.value.remote, client) : [];
  const diagnoses = [
    ...examine('here', CLIENT_CHECKS, client.facts),
    ...(await tryAll(servers, client)).flatMap((facts) =>
      examine(facts.host.name, SERVER_CHECKS, facts),
    ),
  ];
  process.stdout.write(options.json ? asJson(diagnoses) : asText(diagnoses));
  if (overall(diagnoses) === 'wrong') process.exitCode = 1;
}

async function tryAll(
  servers: readonly ServerFacts[],
  { toolchains }: LookedUp,
): Promise<readonly ServerFacts[]> {
  const toolchain = toolchains.find(({ name }) => /gcc|clang$/.test(toText(name))) ?? toolchains[0];
  const isAnyUp = servers.some(({ answer }) => answer.kind === 'up');
  if (toolchain === undefined || !isAnyUp) return servers;
  const place = toolchains.indexOf(toolchain);
  const build = new TrialBuild(toolchain);
  // A daemon and files of its own must not stay behind.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const status = 128 + constants.signals[signal];
    process.once(signal, () => void build.close().finally(() => process.exit(status)));
  }
  try {
    const tried: ServerFacts[] = [];
    for (const facts of servers) tried.push(await tryServer(facts, build, place));
    return tried;
  } finally {
    await build.close();
  }
}

function asText(diagnoses: readonly Diagnosis[]): string {
  return diagnosisLines(diagnoses)
    .map((line) => `${line}\n`)
    .join('');
}

function asJson(diagnoses: readonly Diagnosis[]): string {
  const report = { schema: 1, status: overall(diagnoses), checks: diagnoses };
  return `${JSON.stringify(report, null, 2)}\n`;
}
