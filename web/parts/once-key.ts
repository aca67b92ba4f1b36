import { useState } from 'react';

/**
 * Keys for calls that are done once. The same again, as after an answer that was lost, has the same key; what differs is
 * another call, and so is the same once it was done.
 */
export function useOnceKeys() {
  const [keys] = useState(() => {
    let last = { input: '', key: '' };
    return {
      keyed: <Input extends object>(input: Input) => {
        const text = JSON.stringify(input);
        if (last.input !== text) last = { input: text, key: onceKey() };
        return { ...input, idempotencyKey: last.key };
      },
      done: () => {
        last = { input: '', key: '' };
      },
    };
  });
  return keys;
}

function onceKey(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join('-');
}
