/** Entry of the process that `tsccd --daemon` leaves behind; started with an IPC channel only. */
import '../platform/node-version.js';
import { TsccError } from '../core/errors.js';
import { Configuration } from './tsccd-configuration.js';
import { StartReporter } from './tsccd-detach.js';
import { serve } from './tsccd-serve.js';

const reporter = new StartReporter();
try {
  const words = process.argv.slice(2);
  const { configuration, settings } = await Configuration.open(words, process.env);
  // A server must not hold the file system that it happened to be started in.
  process.chdir('/');
  process.exitCode = await serve(configuration, settings, (line) => reporter.listening(line));
} catch (error) {
  if (!(error instanceof TsccError)) throw error;
  reporter.failed(error);
  process.exitCode = error.exitCode;
}
