/**
 * Messages between client and compile server, docs/protocol.md §2. Bodies are flat msgpack maps
 * with the property names below; every field is checked here by hand, so what leaves this file
 * is as typed as it looks. Pure.
 */
import { Packr } from 'msgpackr';
import { describeError } from '../core/errors.js';
import { WIRE } from '../core/limits.js';
import { compressAtOnce, decompressAtOnce } from '../platform/compression.js';
import { MalformedFrame } from './field-codec.js';
import { FRAME, frameHeader, type FrameType } from './framing.js';
import { checkMessageBytes } from './message-check.js';
import { MessageFields } from './message-fields.js';
import {
  decodeGoodbye,
  decodeHello,
  decodeJob,
  decodeRefused,
  decodeResult,
  decodeState,
  decodeToolchainAnswer,
  decodeToolchainQuery,
  decodeWelcome,
  ENCODINGS,
  type Encoding,
  type PlainMessage,
} from './plain-messages.js';
import {
  decodeBlobs,
  decodeDigests,
  decodeEntries,
  decodeOptions,
  decodePrecompiled,
  decodePumpJob,
  decodePumpResult,
  packBlob,
  packEntry,
  type PumpMessage,
} from './pump-messages.js';

export const WIRE_VERSION = 6;

export type Message = PlainMessage | PumpMessage;

const TYPE_OF_KIND: { readonly [K in Message['kind']]: FrameType } = {
  hello: FRAME.hello,
  welcome: FRAME.welcome,
  state: FRAME.state,
  ping: FRAME.ping,
  pong: FRAME.pong,
  'toolchain-query': FRAME.toolchainQuery,
  toolchain: FRAME.toolchain,
  entries: FRAME.entries,
  options: FRAME.options,
  missing: FRAME.missing,
  gone: FRAME.gone,
  blobs: FRAME.blobs,
  precompiled: FRAME.precompiled,
  job: FRAME.job,
  chunk: FRAME.chunk,
  cancel: FRAME.cancel,
  result: FRAME.result,
  refused: FRAME.refused,
  'pump-job': FRAME.pumpJob,
  'pump-result': FRAME.pumpResult,
  goodbye: FRAME.goodbye,
};

const packr = new Packr({ useRecords: false });

/** One frame. Throws RangeError when a message exceeds the limits that the peer will check. */
export function encodeMessage(message: Message): Buffer {
  const type = TYPE_OF_KIND[message.kind];
  const job = 'job' in message ? message.job : 0;
  const body = encodeBody(message);
  const limit = message.kind === 'chunk' ? WIRE.chunkBytes : WIRE.controlBytes;
  if (body.length > limit) {
    throw new RangeError(`a ${message.kind} message of ${body.length} bytes; ${limit} are allowed`);
  }
  return Buffer.concat([frameHeader(type, job, body.length), body]);
}

function encodeBody(message: Message): Uint8Array {
  switch (message.kind) {
    case 'ping':
    case 'pong':
    case 'cancel':
      return new Uint8Array();
    case 'chunk':
      return message.bytes;
    case 'entries':
      return packCompressed(packr.pack({ entries: message.entries.map(packEntry) }));
    case 'blobs':
      return packr.pack({ blobs: message.blobs.map(packBlob) });
    case 'pump-result': {
      const outputs = message.outputs.map((output) => [output.index, ...packBlob(output)]);
      return packFields({ ...message, outputs });
    }
    case 'hello':
    case 'welcome':
    case 'state':
    case 'toolchain-query':
    case 'toolchain':
    case 'options':
    case 'precompiled':
    case 'missing':
    case 'gone':
    case 'job':
    case 'result':
    case 'refused':
    case 'pump-job':
    case 'goodbye':
      return packFields({ ...message });
  }
}

function packFields(fields: { [name: string]: unknown }): Uint8Array {
  // The frame header says both already.
  delete fields['kind'];
  delete fields['job'];
  return packr.pack(fields);
}

/** Throws MalformedFrame unless the body is what docs/protocol.md says of its type. */
export function decodeMessage(type: FrameType, job: number, body: Uint8Array): Message {
  switch (type) {
    case FRAME.ping:
      return empty({ kind: 'ping' }, body);
    case FRAME.pong:
      return empty({ kind: 'pong' }, body);
    case FRAME.cancel:
      return empty({ kind: 'cancel', job: ofJob(job) }, body);
    case FRAME.chunk:
      return { kind: 'chunk', job: ofJob(job), bytes: body };
    case FRAME.hello:
      return decodeHello(fieldsOf(body));
    case FRAME.welcome:
      return decodeWelcome(fieldsOf(body));
    case FRAME.state:
      return decodeState(fieldsOf(body));
    case FRAME.toolchainQuery:
      return decodeToolchainQuery(fieldsOf(body));
    case FRAME.toolchain:
      return decodeToolchainAnswer(fieldsOf(body));
    case FRAME.entries:
      return decodeEntries(fieldsOf(unpackCompressed(fieldsOf(body))));
    case FRAME.options:
      return decodeOptions(fieldsOf(body));
    case FRAME.precompiled:
      return decodePrecompiled(fieldsOf(body));
    case FRAME.missing:
      return { kind: 'missing', digests: decodeDigests(fieldsOf(body)) };
    case FRAME.gone:
      return { kind: 'gone', digests: decodeDigests(fieldsOf(body)) };
    case FRAME.blobs:
      return decodeBlobs(ofJob(job), fieldsOf(body));
    case FRAME.job:
      return decodeJob(ofJob(job), fieldsOf(body));
    case FRAME.result:
      return decodeResult(ofJob(job), fieldsOf(body));
    case FRAME.refused:
      return decodeRefused(ofJob(job), fieldsOf(body));
    case FRAME.pumpJob:
      return decodePumpJob(ofJob(job), fieldsOf(body));
    case FRAME.pumpResult:
      return decodePumpResult(ofJob(job), fieldsOf(body));
    case FRAME.goodbye:
      return decodeGoodbye(fieldsOf(body));
  }
}

/** A map in a map: many paths and digests in hex are half of what they look like. */
function packCompressed(map: Uint8Array): Uint8Array {
  const isSmall = map.length < WIRE.compressedBytes;
  const encoding: Encoding = isSmall ? 'none' : 'brotli';
  const packed = isSmall ? map : compressAtOnce(map);
  return packr.pack({ encoding, bytes: map.length, packed });
}

function unpackCompressed(fields: MessageFields): Uint8Array {
  const encoding = fields.oneOf('encoding', ENCODINGS);
  const bytes = fields.integer('bytes', WIRE.controlBytes);
  const packed = fields.bytes('packed', WIRE.controlBytes);
  if (encoding === 'none') return packed;
  try {
    return decompressAtOnce(packed, bytes);
  } catch (error) {
    throw new MalformedFrame(`what should be Brotli is not: ${describeError(error)}`);
  }
}

function empty<M extends Message>(message: M, body: Uint8Array): M {
  if (body.length > 0) throw new MalformedFrame(`a ${message.kind} message with a body`);
  return message;
}

function ofJob(job: number): number {
  if (job === 0) throw new MalformedFrame('job 0 in a message that belongs to a job');
  return job;
}

function fieldsOf(body: Uint8Array): MessageFields {
  checkMessageBytes(body);
  return new MessageFields(packr.unpack(body) as { readonly [name: string]: unknown });
}
