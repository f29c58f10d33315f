/** `tscc SUBCOMMAND`: what the launcher hands on because it is no compile. */
import '../platform/node-version.js';
import yargs from 'yargs';
import { EXIT, TsccError } from '../core/errors.js';
import { VERIFY } from '../core/limits.js';
import { VERSION } from '../platform/version.js';
import { fail } from './fail.js';

/** Shown above the list of subcommands. */
const USAGE = `tscc COMPILER [ARGUMENT…]    compile, on another host where that is possible
tscc SUBCOMMAND [OPTION…]

As with distcc:  make -j16 CC="tscc gcc" CXX="tscc g++"`;

async function main(words: readonly string[]): Promise<void> {
  // distcc's spellings, which are options and not subcommands.
  switch (words[0]) {
    case '--show-hosts':
      return (await import('./hosts.js')).printHostList();
    case '-j':
      return (await import('./hosts.js')).printConcurrency();
    case 'closure':
      // The compiler's options are none of yargs's.
      if (words[1] === '--help') break;
      return (await import('./closure.js')).printClosure(words.slice(1));
    default:
  }
  await yargs(words)
    .scriptName('tscc')
    .usage(USAGE)
    .command(
      'status',
      'What became of the compiles of a session',
      (command) =>
        command
          .option('json', { type: 'boolean', default: false, describe: 'The stable schema' })
          .option('session', { type: 'string', describe: 'Its name; default: the newest' })
          .option('web', {
            type: 'boolean',
            default: false,
            describe: 'Address of a page that shows what happens now',
          }),
      async ({ json, session, web }) => {
        if (!web) return (await import('./status.js')).printStatus({ json, session });
        if (session !== undefined) {
          throw new TsccError('--web shows all builds: leave --session out', EXIT.badArguments);
        }
        return (await import('./live-page-address.js')).printLivePage({ json });
      },
    )
    .command(
      'top',
      'What happens now: builds, hosts, slots, queue, running compiles',
      (command) =>
        command
          .option('json', { type: 'boolean', default: false, describe: 'The stable schema' })
          .option('interval', { type: 'number', describe: 'Seconds between two looks' }),
      async ({ json, interval }) => (await import('./top.js')).top({ json, interval }),
    )
    .command(
      'explain <file>',
      'What became of the compile of a file, and why',
      (command) =>
        command
          .positional('file', {
            type: 'string',
            demandOption: true,
            describe: 'Its source or object file',
          })
          .option('all', { type: 'boolean', default: false, describe: 'Earlier ones too' })
          .option('json', { type: 'boolean', default: false, describe: 'For scripts' })
          .option('session', { type: 'string', describe: 'Its name; default: the newest' }),
      async (options) => (await import('./explain.js')).printExplanation(options),
    )
    .command(
      'report',
      'Why a build took as long as it did, and what to do about it',
      (command) =>
        command
          .option('session', { type: 'string', describe: 'Its name; default: the newest' })
          .option('output', {
            type: 'string',
            nargs: 1,
            describe: 'File to write; - is standard output',
          })
          .option('text', { type: 'boolean', default: false, describe: 'For a terminal' })
          .option('json', { type: 'boolean', default: false, describe: 'The stable schema' })
          .option('trace', {
            type: 'boolean',
            default: false,
            describe: 'Chrome’s trace events, for Perfetto',
          }),
      async (options) => (await import('./report.js')).writeReport(options),
    )
    .command(
      'verify',
      'Compile again what a session compiled elsewhere, there and here, and compare',
      (command) =>
        command
          .option('session', {
            type: 'string',
            describe: 'Its name; default: the newest with compiles elsewhere',
          })
          .option('sample', { type: 'number', describe: `So many; default: ${VERIFY.sample}` })
          .option('all', { type: 'boolean', default: false, describe: 'Every one' })
          .option('jobs', { type: 'number', describe: 'At once; default: twice the cores' })
          .option('keep', { type: 'string', describe: 'Directory for the files that differ' })
          .option('json', { type: 'boolean', default: false, describe: 'The stable schema' }),
      async (options) => (await import('./verify.js')).verifySession(options),
    )
    .command(
      'hosts',
      'The compile servers: reachable, toolchains, slots, load, version',
      (command) => command.option('json', { type: 'boolean', default: false }),
      async ({ json }) => (await import('./hosts.js')).printHosts({ json }),
    )
    .command(
      'doctor',
      'Check this host and its servers: what is not well, and what mends it',
      (command) =>
        command.option('json', { type: 'boolean', default: false, describe: 'The stable schema' }),
      async ({ json }) => (await import('./doctor.js')).printDiagnoses({ json }),
    )
    .command(
      'stop',
      'End the session daemon once its running commands have ended',
      (command) => command,
      async () => (await import('./stop.js')).stopDaemon(),
    )
    .command(
      'install <directory>',
      'Make links named after compilers (masquerade) in a directory',
      (command) =>
        command.positional('directory', { type: 'string', demandOption: true, normalize: true }),
      async ({ directory }) => (await import('./install.js')).installLinks(directory),
    )
    .command(
      'keygen <file>',
      'Make the key that this host and its compile servers share',
      (command) => command.positional('file', { type: 'string', demandOption: true }),
      async ({ file }) => (await import('./keygen.js')).makeKeyFile(file),
    )
    .command(
      'closure <source> [arguments..]',
      'Every file that a compile may read, and what names it',
      (command) =>
        command
          .positional('source', { type: 'string', demandOption: true })
          .option('json', { type: 'boolean', default: false, describe: 'The stable schema' })
          .option('compiler', { type: 'string', describe: 'Default: gcc, or g++ by the suffix' }),
    )
    .option('show-hosts', { type: 'boolean', describe: 'The host list, a line each' })
    .option('j', { type: 'boolean', describe: 'A fitting number for make -j' })
    .completion('completion', 'Print a script for shell completion (bash, zsh)')
    .demandCommand(1, 'which subcommand?')
    .strict()
    .version(`tscc ${VERSION}`)
    .help()
    .alias('help', 'h')
    .wrap(100)
    .fail((message, error) => {
      throw error ?? new TsccError(`${message} (see tscc --help)`, EXIT.badArguments);
    })
    .parseAsync();
}

main(process.argv.slice(2)).catch((error: unknown) => fail('tscc', error));
