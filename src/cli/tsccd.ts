/** Entry of `tsccd`: serves in this process, or in one that it leaves behind (--daemon). */
import '../platform/node-version.js';
import { setFlagsFromString } from 'node:v8';
import { TsccError } from '../core/errors.js';
import { Configuration } from './tsccd-configuration.js';
import { startDetached } from './tsccd-detach.js';
import { serve } from './tsccd-serve.js';

/** As the launcher does for the daemon (docs/decisions/0025): V8 optimizes what is hot, and later. */
setFlagsFromString('--interrupt-budget=400000');

function announce(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(words: readonly string[]): Promise<void> {
  try {
    const { configuration, settings } = await Configuration.open(words, process.env);
    if (settings.daemon) announce(await startDetached(words));
    else process.exitCode = await serve(configuration, settings, announce);
  } catch (error) {
    if (!(error instanceof TsccError)) throw error;
    process.stderr.write(`tsccd: ${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}

await main(process.argv.slice(2));
