/** The real machine for ToolchainProbe. */
import { fromBytes, toText } from '../core/byte-string.js';
import { ARGUMENTS } from '../core/limits.js';
import { directoryStamp, FileHashes, fileStamp, readStart } from '../platform/file-hash.js';
import { realFiles } from '../platform/files.js';
import { run } from '../platform/process.js';
import type { Voucher } from './evidence.js';
import type { ToolchainDeps } from './toolchain.js';

/** @param voucher saves looking at a compiler's files for each compile */
export function realToolchainDeps(
  note: (message: string) => void,
  voucher?: Voucher,
): ToolchainDeps {
  const hashes = new FileHashes();
  return {
    async runCompiler(program, args, path) {
      const result = await run(toText(program), args.map(toText), {
        env: { PATH: toText(path), LC_ALL: 'C' },
        timeout: ARGUMENTS.compilerAnswer,
      });
      const { status } = result;
      return { status, stdout: fromBytes(result.stdout), stderr: fromBytes(result.stderr) };
    },
    stamp: fileStamp,
    directoryStamp,
    size: (file) => realFiles.stat(file)?.size ?? 0,
    readStart,
    hash: (file, stamp) => hashes.hash(file, stamp),
    note,
    ...(voucher === undefined ? {} : { voucher }),
  };
}
