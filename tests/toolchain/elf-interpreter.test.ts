import t from 'tap';
import { ELF_START_BYTES, elfInterpreter } from '../../src/toolchain/elf-interpreter.js';
import { readStart } from '../../src/platform/file-hash.js';

/** A program with one header, PT_INTERP, whose name follows at once. */
function elf(options: { is64: boolean; isBig: boolean; name: string }): Buffer {
  const { is64, isBig, name } = options;
  const bytes = Buffer.alloc(256);
  bytes.write('\x7fELF', 'latin1');
  bytes[4] = is64 ? 2 : 1;
  bytes[5] = isBig ? 2 : 1;
  const put16 = (at: number, value: number): unknown =>
    isBig ? bytes.writeUInt16BE(value, at) : bytes.writeUInt16LE(value, at);
  const put32 = (at: number, value: number): unknown =>
    isBig ? bytes.writeUInt32BE(value, at) : bytes.writeUInt32LE(value, at);
  const word = (at: number, value: number): unknown => {
    if (!is64) return put32(at, value);
    const wide = BigInt(value);
    return isBig ? bytes.writeBigUInt64BE(wide, at) : bytes.writeBigUInt64LE(wide, at);
  };
  word(is64 ? 32 : 28, 64);
  put16(is64 ? 54 : 42, is64 ? 56 : 32);
  put16(is64 ? 56 : 44, 1);
  put32(64, 3);
  word(64 + (is64 ? 8 : 4), 160);
  word(64 + (is64 ? 32 : 16), name.length + 1);
  bytes.write(`${name}\0`, 160, 'latin1');
  return bytes;
}

await t.test('each class and byte order', async (t) => {
  for (const is64 of [true, false]) {
    for (const isBig of [true, false]) {
      t.equal(elfInterpreter(elf({ is64, isBig, name: '/lib/ld.so' })), '/lib/ld.so');
    }
  }
});

await t.test('this very program', async (t) => {
  t.match(elfInterpreter(await readStart(process.execPath, ELF_START_BYTES)), /^\/.*ld/);
});

await t.test('no ELF, a static one, a damaged one', async (t) => {
  t.equal(elfInterpreter(Buffer.from('#!/bin/sh\n')), undefined);
  t.equal(elfInterpreter(Buffer.alloc(4096)), undefined);
  const whole = elf({ is64: true, isBig: false, name: '/lib/ld.so' });
  const isStatic = Buffer.from(whole);
  isStatic.writeUInt32LE(1, 64);
  t.equal(elfInterpreter(isStatic), undefined);
  for (let length = 0; length < 165; length++) {
    t.equal(elfInterpreter(whole.subarray(0, length)), undefined, `cut after ${length}`);
  }
});
