import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';

import { OutboundError } from './errors.js';

/** What is offered in `Accept-Encoding`. */
export const acceptedEncodings = 'gzip, br';

/** Reads a body to its end, decompressed. The limit holds for what comes over the wire and for what it unfolds to. */
export async function readBody(body: Readable, encoding: string, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const collect = async (source: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of source) chunks.push(chunk);
  };
  const decoder = decoderFor(encoding);
  if (decoder) await pipeline(body, limited(maxBytes), decoder, limited(maxBytes), collect);
  else await pipeline(body, limited(maxBytes), collect);
  return Buffer.concat(chunks);
}

/** Refuses a body whose sender says beforehand that it is too long. */
export function assertFits(contentLength: string | null, maxBytes: number): void {
  if (Number(contentLength ?? 0) > maxBytes) throw tooLarge(maxBytes);
}

function decoderFor(encoding: string): Transform | undefined {
  switch (encoding.trim().toLowerCase()) {
    case '':
    case 'identity':
      return undefined;
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'deflate':
      return createInflate();
    case 'br':
      return createBrotliDecompress();
    default:
      // Encodings within encodings multiply what a small body can unfold to.
      throw new OutboundError('UNREACHABLE', 'The answer is in an encoding that was not asked for');
  }
}

function limited(maxBytes: number): Transform {
  let total = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      total += chunk.length;
      if (total > maxBytes) done(tooLarge(maxBytes));
      else done(null, chunk);
    },
  });
}

function tooLarge(maxBytes: number): OutboundError {
  return new OutboundError('TOO_LARGE', `The answer is larger than ${maxBytes} bytes`);
}
