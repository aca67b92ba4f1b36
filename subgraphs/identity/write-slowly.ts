import type { Response } from 'express';

/** A slow reader holds up the reading of rows, not the memory of the panel. False when it has gone away. */
export async function writeSlowly(response: Response, text: string): Promise<boolean> {
  if (response.destroyed) return false;
  if (response.write(text)) return true;
  await new Promise<void>((resolve) => {
    const go = () => {
      response.off('drain', go).off('close', go);
      resolve();
    };
    response.once('drain', go).once('close', go);
  });
  return !response.destroyed;
}
