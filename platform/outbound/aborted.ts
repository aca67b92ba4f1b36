/**
 * Rejects with a signal's reason once it is aborted. To be raced with undici's `request` (8.12.4), which notices its signal only
 * once it is connected.
 */
export async function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    else signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
